"""Small charts of many batches over time: shares, confidence, F1 and events."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
from markupsafe import Markup
from numpy.typing import NDArray

from batch_nlp.reports.charts import (
    BAD,
    BAND,
    DATA,
    EDGE,
    GOOD,
    SOFT,
    WARN,
    WIDTH,
    draw_chart,
    hit_areas,
    label_ends,
    short,
    ticks_beside,
)
from batch_nlp.reports.pages import read_time
from batch_nlp.reports.timeline import EVENTS, TimelineEntry

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Value = float | None
# Pixels: a panel, the row of an event, and the room around axes for the title, the ticks and their labels
_PANEL, _LANE, _ABOVE, _BELOW, _LEFT, _LEFT_OF_EVENTS = 150.0, 19.0, 26.0, 24.0, 46.0, 86.0
# With more batches than these, points would hide the line
_POINTS = 60
_EVENT_COLOURS = dict(zip(EVENTS, (BAD, GOOD, WARN, SOFT, DATA, BAD, DATA), strict=True))


@dataclass(frozen=True)
class Trend:
    """A figure over time, with one value per batch; None if unknown."""

    title: str
    values: Sequence[Value]
    # formats a value
    form: Callable[[float], str]
    # the interval of each value, and whether the value is out of the band
    bounds: Sequence[tuple[float, float] | None] = ()
    out: Sequence[bool] = ()
    band: tuple[float, float] | None = None
    # the same figure on the model's hold-out, and as measured with labels
    hold_out: Sequence[Value] = ()
    measured: Sequence[Value] = ()

    @property
    def limits(self) -> tuple[float, float]:
        """The ends of the y axis: shares begin at 0."""
        ends = [end for bound in self.bounds if bound for end in bound]
        known = [value for value in (*self.values, *self.hold_out, *self.measured, *ends) if value is not None]
        if self.bounds:
            low = self.band[0] if self.band else 0.0
            return 0.0, min(1.0, 1.08 * max([*known, 1.6 * low, 0.01]))
        room = max(0.12 * (max(known) - min(known)), 0.01)
        return max(0.0, min(known) - room), max(known) + room

    def tooltip(self, place: int) -> str:
        """Return the tooltip of a batch."""
        value = self.values[place]
        parts = ["not known" if value is None else self.form(value)]
        if self.bounds and (bound := self.bounds[place]):
            parts.append(f"({self.form(bound[0])} \N{EN DASH} {self.form(bound[1])})")
        if self.out and self.out[place]:
            parts.append("out of the band")
        for name, found in (("measured", self.measured), ("hold-out", self.hold_out)):
            if found and (other := found[place]) is not None:
                parts.append(f"{name} {self.form(other)}")
        return f"{self.title} " + " ".join(parts)


def trend_chart(name: str, line: Sequence[TimelineEntry], trend: Trend) -> Markup:
    """Return a panel with a line, its intervals and band; each batch has a place on the x axis and a link."""

    def on(figure: Figure) -> None:
        axes = _panel(figure, line, _LEFT, _PANEL)
        axes.set_title(short(trend.title, 40))
        axes.set_ylim(trend.limits)
        ticks = ticks_beside(trend.band or (), *trend.limits, 0.13)
        axes.set_yticks(ticks, [trend.form(tick) for tick in ticks])
        _draw_trend(axes, trend)
        _link(axes, line, [trend.tooltip(place) for place in range(len(line))])

    newest = next((trend.form(value) for value in reversed(trend.values) if value is not None), "not known")
    return draw_chart(name, (WIDTH, _PANEL), f"{trend.title} of {len(line)} batches; newest: {newest}.", on)


def event_chart(name: str, line: Sequence[TimelineEntry]) -> Markup | None:
    """Return a panel with a row per kind of event and a mark per event; None if nothing happened."""
    kinds = [event for event in EVENTS if any(event in batch.events for batch in line)]
    height = _ABOVE + _BELOW + _LANE * len(kinds)

    def on(figure: Figure) -> None:
        axes = _panel(figure, line, _LEFT_OF_EVENTS, height)
        axes.set_title("Events")
        axes.set_ylim(len(kinds) - 0.4, -0.6)
        axes.set_yticks(range(len(kinds)), kinds)
        axes.grid(axis="y", linewidth=0.8)
        for row, event in enumerate(kinds):
            _dot(axes, [row if event in batch.events else None for batch in line], _EVENT_COLOURS[event], "s")
        _link(axes, line, [", ".join(batch.happened) or "nothing" for batch in line])

    counts = ", ".join(f"{event} {sum(event in batch.events for batch in line)}" for event in kinds)
    return draw_chart(name, (WIDTH, height), f"Events of {len(line)} batches: {counts}.", on) if kinds else None


def _panel(figure: Figure, line: Sequence[TimelineEntry], left: float, height: float) -> Axes:
    """Return axes with a place per batch, some of them labelled with the time, and a line at each change of model."""
    room = (left / WIDTH, _BELOW / height, 1 - (left + 10) / WIDTH, 1 - (_ABOVE + _BELOW) / height)
    axes = figure.add_axes(room)
    axes.set_xlim(-0.5, len(line) - 0.5)
    axes.spines["left"].set_visible(False)
    axes.tick_params(length=0)
    versions = [batch.document.get("model_version") for batch in line]
    for place, (before, now) in enumerate(pairwise(versions)):
        if before and now and before != now:
            axes.axvline(place + 0.5, color=SOFT, linewidth=0.8)
    # there is room for three labels, or for two with the time of day
    labels = times([batch.at for batch in line])
    last = len(line) - 1
    shown = sorted({0, last} if max(map(len, labels)) > len("28 Feb") or last < 2 else {0, last // 2, last})
    label_ends(axes, shown, [labels[place] for place in shown])
    return axes


def _draw_trend(axes: Axes, trend: Trend) -> None:
    """Draw band, intervals, hold-out, line and dots, in this order."""
    places = range(len(trend.values))
    if trend.band:
        axes.axhspan(*trend.band, facecolor=BAND, edgecolor=EDGE, linewidth=0.7, linestyle=(0, (3, 3)))
    if trend.bounds:
        lower, upper = (_numbers([bound and bound[side] for bound in trend.bounds]) for side in (0, 1))
        axes.fill_between(places, lower, upper, color=DATA, alpha=0.2, linewidth=0)
    if trend.hold_out:
        axes.plot(places, _numbers(trend.hold_out), color=SOFT, linewidth=1.2, linestyle=(0, (4, 3)))
    values = _numbers(trend.values)
    axes.plot(places, values, "o-", color=DATA, markersize=3.5, markevery=_points(values))
    _dot(axes, [value if out else None for value, out in zip(trend.values, trend.out, strict=False)], BAD)
    _dot(axes, trend.measured, WARN)


def _dot(axes: Axes, values: Sequence[Value], colour: str, marker: str = "o") -> None:
    """Draw the values that are known as dots."""
    axes.scatter(range(len(values)), _numbers(values), color=colour, marker=marker, s=24, zorder=3, clip_on=False)


def _link(axes: Axes, line: Sequence[TimelineEntry], tooltip: Sequence[str]) -> None:
    """Link the place of each batch to its report, with a tooltip."""
    titles = [f"{batch.at_second}: {words}" for batch, words in zip(line, tooltip, strict=True)]
    hit_areas(axes, range(len(line)), titles, [batch.link for batch in line])


def times(at: Sequence[str]) -> list[str]:
    """Return ISO times in UTC for the ticks of an axis, in the shortest form in which all differ.

    Other texts give empty labels.

    Examples
    --------
    >>> times(["2026-01-02T03:04:05+00:00", "2026-01-03T03:04:05+00:00"])
    ['2 Jan', '3 Jan']
    >>> times(["2026-01-02T03:04:05+00:00", "2026-01-02T15:04:05+00:00"])
    ['2 Jan 03:04', '2 Jan 15:04']
    """
    read = [read_time(text) for text in at]
    known = [found for found in read if found]
    labels: list[str] = []
    for clock in ("", " %H:%M", " %H:%M:%S"):
        labels = [f"{found.day} {found:%b{clock}}" if found else "" for found in read]
        if len({label for label in labels if label}) == len(known):
            break
    return labels


def _points(values: NDArray[np.float64]) -> list[int]:
    """Return the places to draw as points: all if there are few batches, else those without neighbours."""
    known = ~np.isnan(values)
    if len(values) > _POINTS:
        known &= ~np.append(False, known[:-1]) & ~np.append(known[1:], False)
    return np.flatnonzero(known).tolist()


def _numbers(values: Sequence[Value]) -> NDArray[np.float64]:
    return np.array(values, np.float64)
