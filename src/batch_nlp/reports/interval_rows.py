"""A chart with one row per value: its name, its figures, and its interval on a common axis."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from batch_nlp.reports.charts import DATA, PAPER, SOFT, TRACK, WIDTH, Chart, draw, short

# Heights in CSS pixels
_ROW, _HEADING, _AXIS, _MARGIN = 44, 26, 46, 10
_CHARACTERS = 30


@dataclass(frozen=True)
class Row:
    """A value with its interval, or a heading."""

    label: str
    # None for a heading
    value: float | None = None
    low: float | None = None
    high: float | None = None
    colour: str = DATA

    @property
    def figures(self) -> str:
        """The value and its interval as text."""
        if self.value is None:
            return ""
        bounds = "" if self.low is None or self.high is None else f" ({self.low:.3f}\N{EN DASH}{self.high:.3f})"
        return f"{self.value:.3f}{bounds}"


def interval_rows(name: str, rows: Sequence[Row], axis: str, alternative: str, all_of: Row | None = None) -> Markup:
    """Return a chart with one row per value.

    Parameters
    ----------
    name : str
        Unique among the charts of the page.
    rows : sequence of Row
        From top to bottom; at least one with a value.
    axis : str
        Label of the axis.
    alternative : str
        What the chart says, in words.
    all_of : Row, optional
        A value to compare all rows with, drawn as a line with a band.
    """
    heights = [_HEADING if row.value is None else _ROW for row in rows]
    total = sum(heights)

    def on(chart: Chart) -> None:
        height = total + _AXIS
        box = (_MARGIN / WIDTH, _AXIS / height, 1 - 2 * _MARGIN / WIDTH, total / height)
        axes = chart.figure.add_axes(box)
        axes.set(xlabel=axis, xlim=_limits([*rows, all_of] if all_of else rows), ylim=(total, 0), yticks=[])
        axes.spines["left"].set_visible(False)
        if all_of and all_of.value is not None:
            axes.axvline(all_of.value, color=DATA, linewidth=1)
            if all_of.low is not None and all_of.high is not None:
                axes.axvspan(all_of.low, all_of.high, color=DATA, alpha=0.12, linewidth=0)
        top = 0
        for row, high in zip(rows, heights, strict=True):
            text: dict[str, Any] = {"transform": axes.get_yaxis_transform(), "va": "center"}
            weight = "bold" if row.value is None else "normal"
            axes.text(0, top + high - (10 if row.value is None else 30), short(row.label, _CHARACTERS),
                      weight=weight, **text)  # fmt: skip
            if row.value is not None:
                middle = top + high - 12
                axes.text(1, top + high - 30, row.figures, ha="right", color=SOFT, fontsize=11.5, **text)
                axes.axhline(middle, color=TRACK, linewidth=1.5, zorder=0)
                if row.low is not None and row.high is not None:
                    axes.plot([row.low, row.high], [middle, middle], color=row.colour, alpha=0.45, linewidth=6,
                              solid_capstyle="round")  # fmt: skip
                axes.plot(row.value, middle, "o", color=row.colour, markeredgecolor=PAPER, markersize=9)
            top += high

    return draw(name, (WIDTH, total + _AXIS), alternative, on)


def _limits(rows: Sequence[Row]) -> tuple[float, float]:
    values = [bound for row in rows for bound in (row.value, row.low, row.high) if bound is not None]
    margin = 0.04 * (max(values) - min(values)) or 0.01
    return min(values) - margin, max(values) + margin
