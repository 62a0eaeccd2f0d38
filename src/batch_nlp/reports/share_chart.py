"""The class shares of one batch: points with intervals against the band."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from markupsafe import Markup

from batch_nlp.reports.charts import (
    BAD,
    BAND,
    DATA,
    EDGE,
    INK,
    PAPER,
    TRACK,
    WIDTH,
    draw_chart,
    label_ends,
    short,
    ticks_beside,
)
from batch_nlp.reports.pages import percent_short

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Pixels of the row of a class, and of the labels below the axis
_ROW, _BELOW = 46.0, 24.0
# Where in its row a class has its name, the top and the height of its band, and its point
_NAME, _TOP, _HEIGHT, _POINT = 0.38, 0.5, 0.4, 0.7


def share_chart(shares: Sequence[Mapping[str, Any]], reference: Mapping[str, float], band: Mapping[str, Any]) -> Markup:
    """Return a row for each class: its share with the interval, the champion's share on its hold-out, and the band.

    Parameters
    ----------
    shares : sequence of mappings
        ``ClassShare`` as dicts.
    reference : mapping of str to float
        Shares on the hold-out by class.
    band : mapping
        ``low`` and ``high``, both None where no band is drawn; ``of`` has the bands of single classes.
    """
    height = _ROW * len(shares) + _BELOW
    most = max(value for share in shares for value in (share["upper"], reference.get(share["name"], 0.0)))
    # many small classes share the width
    end = 1.0 if most > 0.5 else 1.25 * most

    def on(figure: Figure) -> None:
        axes = figure.add_axes((8 / WIDTH, _BELOW / height, 1 - 16 / WIDTH, 1 - _BELOW / height))
        axes.set(xlim=(0, end), ylim=(len(shares), 0), yticks=[])
        axes.spines["left"].set_visible(False)
        axes.hlines([row + _POINT for row in range(len(shares))], 0, end, color=TRACK, linewidth=1)
        for row, share in enumerate(shares):
            _draw_row(axes, row, share, (band.get("of") or {}).get(share["name"], (band["low"], band["high"])))
        _mark(axes, [reference.get(share["name"]) for share in shares], marker="D", s=44, c="none", edgecolor=INK)
        colours = [BAD if share["out"] else DATA for share in shares]
        _mark(axes, [share["share"] for share in shares], marker="o", s=62, c=colours, edgecolor=PAPER)
        ticks = sorted(ticks_beside((band["low"], band["high"]), 0.0, end, 0.11))
        label_ends(axes, ticks, [percent_short(tick) for tick in ticks])

    return draw_chart("shares", (WIDTH, height), _in_words(shares, reference, band), on)


def _draw_row(axes: Axes, row: int, share: Mapping[str, Any], band: Sequence[float | None]) -> None:
    """Draw name, figures, band and interval of a class."""
    low, high = band
    colour = BAD if share["out"] else DATA
    figures = f"{share['share']:.1%} ({share['lower']:.1%} \N{EN DASH} {share['upper']:.1%})"
    across = axes.get_yaxis_transform()
    axes.text(0, row + _NAME, short(share["name"]), weight="bold", transform=across)
    mark = " · out" if share["out"] else ""
    axes.text(1, row + _NAME, figures + mark, ha="right", color=BAD if share["out"] else INK, transform=across)
    if low is not None and high is not None:
        axes.broken_barh([(low, high - low)], (row + _TOP, _HEIGHT), facecolor=BAND, edgecolor=EDGE, linewidth=0.7)
    ends, middle = (share["lower"], share["upper"]), row + _POINT
    axes.plot(ends, (middle, middle), color=colour, linewidth=6, alpha=0.45, solid_capstyle="round", clip_on=False)


def _mark(axes: Axes, values: Sequence[float | None], **style: Any) -> None:
    """Draw a point in the row of each class whose value is known."""
    rows = [row + _POINT for row in range(len(values))]
    axes.scatter(np.array(values, np.float64), rows, clip_on=False, zorder=3, **style)


def _in_words(shares: Sequence[Mapping[str, Any]], reference: Mapping[str, float], band: Mapping[str, Any]) -> str:
    there = band["low"] is not None
    words = [
        f"Shares of the classes; the band is {band['low']:.0%} to {band['high']:.0%}." if there else "Class shares."
    ]
    for share in shares:
        name, place = share["name"], "out of the band" if share["out"] else "in the band" if there else ""
        on_hold_out = f"{reference[name]:.1%} on the hold-out" if name in reference else ""
        words.append(", ".join(filter(None, (f"{name}: {share['share']:.1%}", on_hold_out, place))) + ".")
    return " ".join(words)
