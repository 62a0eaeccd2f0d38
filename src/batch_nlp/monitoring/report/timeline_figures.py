"""The figures of the index: shares, events, confidence and F1, one place on the x axis a batch."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from markupsafe import Markup

from batch_nlp.monitoring.report.rendering import moment as written
from batch_nlp.monitoring.report.svg import Point, figure, nice_ticks, percent, polyline, ribbon, shape, short
from batch_nlp.monitoring.report.timeline import EVENTS, Moment, main_classes

_WIDTH, _LEFT, _RIGHT = 940.0, 96.0, 14.0
# A panel, the room between two with the title of the lower one, how much less it is without, and a row of events
_PANEL, _GAP, _UNTITLED, _LANE = 92.0, 34.0, 12.0, 20.0
# Up to so many batches each can be pointed at; with more, their places are too narrow for that
_POINTABLE = 200
_LONGEST_NAME = 60

Value = Callable[[Moment], float | None]


def share_figure(line: Sequence[Moment], band: Mapping[str, Any]) -> Markup:
    """Return a panel for each class, its share with the interval against the band, and below what happened."""
    shares = [moment.shares for moment in line]
    frame = _Frame(line)
    parts: list[Markup] = []
    top = 0.0
    for name in frame.classes:
        low, high = (band.get("of") or {}).get(name, (band["low"], band["high"]))
        found = [one.get(name) for one in shares]
        most = max([share["upper"] for share in found if share] + [1.6 * (low or 0.0), 0.01])
        panel = _Panel(frame, top, 0.0, min(1.0, 1.08 * most), percent, name)
        parts += [] if low is None else panel.band(low, high)
        parts += panel.axis([] if low is None else [low, high])
        parts.append(panel.area([(s["lower"], s["upper"]) if s else None for s in found]))
        parts.append(panel.line([s["share"] if s else None for s in found], ""))
        parts += panel.dots(((i, s["share"]) for i, s in enumerate(found) if s and s["out"]), "mark out")
        top += _PANEL + _GAP
    lanes = [event for event in EVENTS if any(event in moment.events for moment in line)]
    for number, event in enumerate(lanes):
        parts += _lane(frame, top + number * _LANE, event)
    bottom = top + len(lanes) * _LANE
    latest = frame.shares(line[-1]) if line else ""
    words = f"Class shares of {len(line)} batches against the band. Newest batch: {latest or 'no predictions'}."
    return _whole(frame, parts, bottom, words)


def value_figure(
    line: Sequence[Moment],
    title: str,
    value: Value,
    reference: Value,
    form: Callable[[float], str],
    dots: Value | None = None,
) -> Markup | None:
    """Return one panel with a figure of the batches, its reference as a dashed line, and dots; None without values."""
    values, references = [value(moment) for moment in line], [reference(moment) for moment in line]
    marked = [dots(moment) for moment in line] if dots else []
    known = [found for found in (*values, *references, *marked) if found is not None]
    if not any(found is not None for found in (*values, *marked)):
        return None
    room = max(0.12 * (max(known) - min(known)), 0.01)
    frame = _Frame(line)
    panel = _Panel(frame, -_UNTITLED, max(0.0, min(known) - room), max(known) + room, form, "")
    parts = [
        *panel.axis([]),
        panel.line(references, "held"),
        panel.line(values, ""),
        *panel.dots(((i, found) for i, found in enumerate(marked) if found is not None), "true"),
    ]
    last = next((form(found) for found in reversed(values) if found is not None), "not known")
    return _whole(frame, parts, _PANEL + _GAP - _UNTITLED, f"{title} of {len(line)} batches; newest: {last}.")


class _Frame:
    """Where each batch is on the x axis."""

    def __init__(self, line: Sequence[Moment]) -> None:
        self.line, self.classes = line, main_classes(line)
        self.step = (_WIDTH - _LEFT - _RIGHT) / max(len(line), 1)

    def shares(self, moment: Moment) -> str:
        """Return the shares of a batch in words."""
        found = moment.shares
        return ", ".join(f"{name} {found[name]['share']:.1%}" for name in self.classes if name in found)

    def x(self, place: int) -> float:
        return _LEFT + (place + 0.5) * self.step

    def champions(self, bottom: float) -> Iterable[Markup]:
        """Return a line where another model began to score."""
        versions = [moment.document.get("model_version") for moment in self.line]
        free = 0.0
        for place in range(1, len(versions)):
            before, now = versions[place - 1], versions[place]
            if now and before and now != before:
                x = self.x(place) - self.step / 2
                yield shape("line", x1=x, x2=x, y1=18.0, y2=bottom, kind="champion")
                if x > free:
                    yield shape("text", now, x=x + 3, y=28.0, kind="label")
                    free = x + 46

    def dates(self, top: float) -> Iterable[Markup]:
        """Return some dates below the panels."""
        count = min(len(self.line), 8)
        for number in range(count):
            place = round(number * (len(self.line) - 1) / max(count - 1, 1))
            text = _day(self.line[place].at)
            anchor = "end" if count > 1 and number == count - 1 else "middle"
            x = self.x(place) if anchor == "middle" else min(self.x(place) + 18, _WIDTH)
            yield shape("text", text, x=x, y=top + 14, text_anchor=anchor, kind="tick")

    def hits(self, bottom: float) -> Iterable[Markup]:
        """Return what makes each batch a link with its name."""
        if len(self.line) > _POINTABLE:
            return
        for place, moment in enumerate(self.line):
            events = "".join(f", {event}" for event in EVENTS if event in moment.events)
            title = shape("title", f"{written(moment.at)}: {self.shares(moment)}{events}")
            area = shape(
                "rect", title, x=self.x(place) - self.step / 2, y=18.0, width=self.step, height=bottom - 18, kind="hit"
            )
            yield shape("a", area, href=moment.link)


class _Panel:
    """A part of a figure with a y axis of its own."""

    def __init__(
        self, frame: _Frame, top: float, low: float, high: float, form: Callable[[float], str], title: str
    ) -> None:
        self.frame, self.low, self.high, self.form = frame, low, high, form
        self.top = top + _GAP - 8
        self.title = shape("text", short(title, _LONGEST_NAME), x=_LEFT, y=self.top - 8, kind="name")

    def y(self, value: float) -> float:
        return self.top + _PANEL * (self.high - min(max(value, self.low), self.high)) / (self.high - self.low)

    def point(self, place: int, value: float) -> Point:
        return self.frame.x(place), self.y(value)

    def axis(self, edges: Sequence[float]) -> list[Markup]:
        """Return the base line, with marks at round numbers and at the edges, which go first where two are close."""
        bottom, near = self.top + _PANEL, 0.12 * (self.high - self.low)
        kept = [edge for edge in edges if self.low <= edge <= self.high]
        ticks = nice_ticks(self.low, self.high, 2 if edges else 3)
        kept += [tick for tick in ticks if all(abs(tick - edge) > near for edge in kept)]
        marks = (
            shape("text", self.form(tick), x=_LEFT - 8, y=self.y(tick) + 4, text_anchor="end", kind="tick")
            for tick in kept
        )
        return [self.title, shape("line", x1=_LEFT, x2=_WIDTH - _RIGHT, y1=bottom, y2=bottom, kind="axis"), *marks]

    def band(self, low: float, high: float) -> list[Markup]:
        width, top, bottom = _WIDTH - _LEFT - _RIGHT, self.y(high), self.y(low)
        edges = [edge for edge in (low, high) if self.low < edge < self.high]
        return [
            shape("rect", x=_LEFT, y=top, width=width, height=bottom - top, kind="band"),
            *(shape("line", x1=_LEFT, x2=_LEFT + width, y1=self.y(e), y2=self.y(e), kind="edge") for e in edges),
        ]

    def line(self, values: Sequence[float | None], kind: str) -> Markup:
        return polyline((None if v is None else self.point(i, v) for i, v in enumerate(values)), kind)

    def area(self, bounds: Sequence[tuple[float, float] | None]) -> Markup:
        lower = [None if b is None else self.point(i, b[0]) for i, b in enumerate(bounds)]
        upper = [None if b is None else self.point(i, b[1]) for i, b in enumerate(bounds)]
        return ribbon(lower, upper, "ribbon")

    def dots(self, values: Iterable[tuple[int, float]], kind: str) -> list[Markup]:
        radius = 3.6 if self.frame.step > 4 else 2.2
        return [shape("circle", cx=self.frame.x(i), cy=self.y(v), r=radius, kind=kind) for i, v in values]


def _lane(frame: _Frame, top: float, event: str) -> list[Markup]:
    width = min(max(frame.step * 0.7, 1.6), 9.0)
    places = [place for place, moment in enumerate(frame.line) if event in moment.events]
    return [
        shape("text", event, x=_LEFT - 8, y=top + 13, text_anchor="end", kind="label"),
        shape("line", x1=_LEFT, x2=_WIDTH - _RIGHT, y1=top + 9, y2=top + 9, kind="grid"),
        *(
            shape(
                "rect",
                x=frame.x(place) - width / 2,
                y=top + 3,
                width=width,
                height=12,
                rx=1,
                kind=event.replace(" ", "-"),
            )
            for place in places
        ),
    ]


def _whole(frame: _Frame, parts: Sequence[Markup], bottom: float, words: str) -> Markup:
    whole = [*parts, *frame.champions(bottom), *frame.dates(bottom), *frame.hits(bottom)]
    return figure(_WIDTH, bottom + 22, words, whole)


def _day(at: str) -> str:
    try:
        day = datetime.fromisoformat(at)
    except ValueError:
        return ""
    return f"{day.day} {day:%b}"
