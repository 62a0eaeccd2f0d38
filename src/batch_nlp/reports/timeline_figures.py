"""The figures of the index: shares, events, confidence and F1, one place on the x axis a batch.

What is where is worked out here; the template ``timeline.html`` draws it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from math import ceil, floor, log10
from typing import Any

from batch_nlp.reports.pages import percent
from batch_nlp.reports.timeline import EVENTS, Moment, main_classes

# A panel, the room between two with the title of the lower one, how much less it is without, and a row of events
_PANEL, _GAP, _UNTITLED, _LANE = 92.0, 34.0, 12.0, 20.0

Value = Callable[[Moment], float | None]
Values = Sequence[float | None]
Point = tuple[float, float]


@dataclass(frozen=True)
class Panel:
    """A part of a figure with a y axis of its own, from `low` to `high`; values are one a batch."""

    title: str
    top: float
    low: float
    high: float
    # how a value is written
    form: Callable[[float], str]
    # classes of the page's style, and what is drawn as a line in each
    lines: list[tuple[str, Values]]
    dot: str
    dots: Values
    bounds: Sequence[tuple[float, float] | None] = ()
    band: tuple[float, float] | None = None

    @property
    def bottom(self) -> float:
        """Where its base line is."""
        return self.top + _PANEL

    def y(self, value: float) -> float:
        """Return where a value is; what is beyond the axis is at its end."""
        return self.top + _PANEL * (self.high - min(max(value, self.low), self.high)) / (self.high - self.low)

    def ticks(self) -> list[float]:
        """Return the marks: round numbers and the edges of the band, which go first where two are close."""
        edges = [edge for edge in self.band or () if self.low <= edge <= self.high]
        round_ones = nice_ticks(self.low, self.high, 2 if self.band else 3)
        near = 0.12 * (self.high - self.low)
        return edges + [tick for tick in round_ones if all(abs(tick - edge) > near for edge in edges)]


@dataclass(frozen=True)
class Figure:
    """Panels over the same batches, and below them what happened."""

    line: Sequence[Moment]
    panels: list[Panel]
    bottom: float
    # for those who cannot see it: the whole, and the shares of each batch
    words: str
    shares: Sequence[str]
    lanes: Sequence[str] = ()
    width, left, right = 940.0, 96.0, 926.0

    @property
    def step(self) -> float:
        """The width of a batch's place."""
        return (self.right - self.left) / max(len(self.line), 1)

    def x(self, place: int) -> float:
        """Return the middle of a batch's place."""
        return self.left + (place + 0.5) * self.step

    def runs(self, panel: Panel, values: Values) -> Iterator[list[Point]]:
        """Return the points of a line, broken where points are missing."""
        run: list[Point] = []
        for place, value in enumerate([*values, None]):
            if value is not None:
                run.append((self.x(place), panel.y(value)))
            elif run:
                yield run
                run = []

    def areas(self, panel: Panel) -> list[list[Point]]:
        """Return the outlines of the areas between a panel's bounds."""
        lower, upper = (self.runs(panel, [bound and bound[side] for bound in panel.bounds]) for side in (0, 1))
        return [[*low, *reversed(high)] for low, high in zip(lower, upper, strict=True) if len(low) > 1]

    def champions(self) -> Iterator[tuple[float, str, bool]]:
        """Return where another model began to score, and whether there is room for its name."""
        versions = [moment.document.get("model_version") for moment in self.line]
        free = 0.0
        for place in range(1, len(versions)):
            before, now = versions[place - 1], versions[place]
            if now and before and now != before:
                x = self.x(place) - self.step / 2
                yield x, now, x > free
                free = x + 46 if x > free else free

    def dates(self) -> Iterator[tuple[float, str, str]]:
        """Return some dates to write below the panels, each with its place and its anchor."""
        count = min(len(self.line), 8)
        for number in range(count):
            place = round(number * (len(self.line) - 1) / max(count - 1, 1))
            last = count > 1 and number == count - 1
            x = min(self.x(place) + 18, self.width) if last else self.x(place)
            yield x, _day(self.line[place].at), "end" if last else "middle"


def share_figure(line: Sequence[Moment], band: Mapping[str, Any]) -> Figure:
    """Return a panel for each class, its share with the interval against the band, and below what happened."""
    classes, shares = main_classes(line), [moment.shares for moment in line]
    panels = []
    for number, name in enumerate(classes):
        low, high = (band.get("of") or {}).get(name, (band["low"], band["high"]))
        found = [one.get(name) for one in shares]
        most = max([share["upper"] for share in found if share] + [1.6 * (low or 0.0), 0.01])
        panels.append(
            Panel(
                title=name,
                top=number * (_PANEL + _GAP) + _GAP - 8,
                low=0.0,
                high=min(1.0, 1.08 * most),
                form=percent,
                lines=[("", [share["share"] if share else None for share in found])],
                dot="mark out",
                dots=[share["share"] if share and share["out"] else None for share in found],
                bounds=[(share["lower"], share["upper"]) if share else None for share in found],
                band=None if low is None else (low, high),
            )
        )
    lanes = [event for event in EVENTS if any(event in moment.events for moment in line)]
    told = _in_words(line, classes)
    words = f"Class shares of {len(line)} batches against the band. Newest batch: {told[-1] or 'no predictions'}."
    return Figure(line, panels, len(panels) * (_PANEL + _GAP) + len(lanes) * _LANE, words, told, lanes)


def value_figure(
    line: Sequence[Moment],
    title: str,
    value: Value,
    reference: Value,
    form: Callable[[float], str],
    dots: Value = lambda _: None,
) -> Figure | None:
    """Return one panel with a figure of the batches, its reference as a dashed line, and dots; None without values."""
    values, references, marked = ([found(moment) for moment in line] for found in (value, reference, dots))
    known = [found for found in (*values, *references, *marked) if found is not None]
    if not any(found is not None for found in (*values, *marked)):
        return None
    room = max(0.12 * (max(known) - min(known)), 0.01)
    panel = Panel(
        title="",
        top=_GAP - 8 - _UNTITLED,
        low=max(0.0, min(known) - room),
        high=max(known) + room,
        form=form,
        lines=[("held", references), ("", values)],
        dot="true",
        dots=marked,
    )
    last = next((form(found) for found in reversed(values) if found is not None), "not known")
    words = f"{title} of {len(line)} batches; newest: {last}."
    return Figure(line, [panel], _PANEL + _GAP - _UNTITLED, words, _in_words(line, main_classes(line)))


def nice_ticks(low: float, high: float, count: int = 4) -> list[float]:
    """Return round numbers between two others, about as many as are asked for.

    Examples
    --------
    >>> nice_ticks(0.0, 0.34), nice_ticks(0.63, 0.83)
    ([0.0, 0.1, 0.2, 0.3], [0.65, 0.7, 0.75, 0.8])
    """
    rough = (high - low) / count
    unit = 10.0 ** floor(log10(rough))
    step = min((factor * unit for factor in (1, 2, 5, 10)), key=lambda size: abs(size - rough))
    return [round(number * step, 10) for number in range(ceil(low / step - 1e-9), floor(high / step + 1e-9) + 1)]


def _in_words(line: Sequence[Moment], classes: Sequence[str]) -> list[str]:
    shares = (moment.shares for moment in line)
    return [", ".join(f"{name} {own[name]['share']:.1%}" for name in classes if name in own) for own in shares]


def _day(at: str) -> str:
    try:
        day = datetime.fromisoformat(at)
    except ValueError:
        return ""
    return f"{day.day} {day:%b}"
