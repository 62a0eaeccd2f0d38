"""A chart with one row per value: name, figures, and the interval on a common axis."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from markupsafe import Markup

from batch_nlp.reports.charts import DATA, PAPER, SOFT, TRACK, WIDTH, draw_chart, nice_ticks, short
from batch_nlp.reports.pages import interval

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Heights in CSS pixels
_ROW, _HEADING, _AXIS, _MARGIN = 44, 26, 46, 10
_CHARACTERS = 30


@dataclass(frozen=True)
class IntervalRow:
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
        return "" if self.value is None else interval({"value": self.value, "low": self.low, "high": self.high})


def interval_rows(
    name: str, rows: Sequence[IntervalRow], axis: str, alternative: str, overall: IntervalRow | None = None
) -> Markup:
    """Return a chart with one row per value, from top to bottom; at least one row has a value.

    `name` and `alternative` are those of `draw_chart`. All rows are compared with `overall`, a line with a band.
    """
    heights = [_HEADING if row.value is None else _ROW for row in rows]
    total = sum(heights)

    def on(figure: Figure) -> None:
        height = total + _AXIS
        box = (_MARGIN / WIDTH, _AXIS / height, 1 - 2 * _MARGIN / WIDTH, total / height)
        axes = figure.add_axes(box)
        limits = _limits([*rows, overall] if overall else rows)
        axes.set(xlabel=axis, xlim=limits, ylim=(total, 0), xticks=nice_ticks(*limits, 5), yticks=[])
        axes.spines["left"].set_visible(False)
        bottom = 0
        for row, high in zip(rows, heights, strict=True):
            bottom += high
            _draw(axes, row, bottom, overall)

    return draw_chart(name, (WIDTH, total + _AXIS), alternative, on)


def _draw(axes: Axes, row: IntervalRow, bottom: float, overall: IntervalRow | None) -> None:
    """Draw a row above a place on the y axis: name and figures, and below them the interval on its track."""
    across = axes.get_yaxis_transform()
    label = short(row.label, _CHARACTERS)
    if row.value is None:
        axes.text(0, bottom - 10, label, transform=across, va="center", weight="bold")
        return
    axes.text(0, bottom - 30, label, transform=across, va="center")
    axes.text(1, bottom - 30, row.figures, transform=across, va="center", ha="right", color=SOFT, fontsize=11.5)
    middle = bottom - 12
    axes.axhline(middle, color=TRACK, linewidth=1.5, zorder=0)
    if overall and overall.value is not None:
        axes.vlines(overall.value, middle - 9, middle + 9, color=DATA, linewidth=1)
        if overall.low is not None and overall.high is not None:
            axes.fill_between([overall.low, overall.high], middle - 9, middle + 9, color=DATA, alpha=0.15, linewidth=0)
    if row.low is not None and row.high is not None:
        ends = [row.low, row.high]
        axes.plot(ends, [middle, middle], color=row.colour, alpha=0.45, linewidth=6, solid_capstyle="round")
    axes.plot(row.value, middle, "o", color=row.colour, markeredgecolor=PAPER, markersize=9)


def _limits(rows: Sequence[IntervalRow]) -> tuple[float, float]:
    values = [bound for row in rows for bound in (row.value, row.low, row.high) if bound is not None]
    margin = 0.04 * (max(values) - min(values)) or 0.01
    return min(values) - margin, max(values) + margin
