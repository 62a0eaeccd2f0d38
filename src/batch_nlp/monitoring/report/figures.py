"""The figure of a batch: the share of each class against the band."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from markupsafe import Markup

from batch_nlp.monitoring.report.svg import figure, percent, shape, short

# As narrow as a phone in landscape, so that text stays readable there
_WIDTH, _EDGE, _ROW, _TOP = 480.0, 8.0, 54.0, 6.0
_LONGEST_NAME = 34


def share_figure(
    shares: Sequence[Mapping[str, Any]], reference: Mapping[str, float], band: Mapping[str, Any]
) -> Markup:
    """Return a row for each class: its share with the interval, the champion's hold-out share, and the band.

    Parameters
    ----------
    shares : sequence of mappings
        ``ClassShare`` as dicts.
    reference : mapping of str to float
        Class -> share of the champion's predictions on its hold-out; may lack any class.
    band : mapping
        ``low`` and ``high``, None where no batch can satisfy them, and ``of`` for classes with bands of their own.
    """
    height = _TOP + _ROW * len(shares) + 26
    bottom = _TOP + _ROW * len(shares)
    low, high = band["low"], band["high"]
    parts = [
        shape("line", x1=_x(0), x2=_x(1), y1=bottom, y2=bottom, kind="axis"),
        *(_tick(tick, bottom) for tick in _ticks([edge for edge in (low, high) if edge is not None])),
    ]
    for number, share in enumerate(shares):
        bounds = (band.get("of") or {}).get(share["name"], (low, high))
        parts += _row(_TOP + number * _ROW, share, reference.get(share["name"]), bounds)
    return figure(_WIDTH, height, _in_words(shares, reference, band), parts, kind="shares")


def _x(share: float) -> float:
    return _EDGE + share * (_WIDTH - 2 * _EDGE)


def _ticks(edges: Sequence[float]) -> list[float]:
    return [*edges, *(tick for tick in (0.0, 0.5, 1.0) if all(abs(tick - edge) > 0.11 for edge in edges))]


def _tick(tick: float, bottom: float) -> Markup:
    anchor = "start" if tick == 0 else "end" if tick == 1 else "middle"
    return shape("text", percent(tick), x=_x(tick), y=bottom + 16, text_anchor=anchor, kind="tick")


def _row(top: float, share: Mapping[str, Any], reference: float | None, bounds: Sequence[float | None]) -> list[Markup]:
    middle, kind = top + 36, "out" if share["out"] else "in"
    numbers = f"{share['share']:.1%} ({share['lower']:.1%} \N{EN DASH} {share['upper']:.1%})"
    found = [
        shape("text", short(share["name"], _LONGEST_NAME), x=_EDGE, y=top + 18, kind="name"),
        shape(
            "text",
            numbers + (" \N{MIDDLE DOT} out" if share["out"] else ""),
            x=_WIDTH - _EDGE,
            y=top + 18,
            text_anchor="end",
            kind=kind,
        ),
        *_band(bounds, middle),
        shape("line", x1=_x(0), x2=_x(1), y1=middle, y2=middle, kind="track"),
        shape("line", x1=_x(share["lower"]), x2=_x(share["upper"]), y1=middle, y2=middle, kind=f"interval {kind}"),
    ]
    if reference is not None:
        x = _x(reference)
        corners = f"{x:.1f},{middle - 8:.1f} {x + 7:.1f},{middle:.1f} {x:.1f},{middle + 8:.1f} {x - 7:.1f},{middle:.1f}"
        found.append(shape("polygon", points=corners, kind="reference"))
    return [*found, shape("circle", cx=_x(share["share"]), cy=middle, r=5.5, kind=f"mark {kind}")]


def _band(bounds: Sequence[float | None], middle: float) -> list[Markup]:
    low, high = bounds
    if low is None or high is None:
        return []
    return [
        shape("rect", x=_x(low), y=middle - 11, width=_x(high) - _x(low), height=22, kind="band"),
        *(shape("line", x1=_x(edge), x2=_x(edge), y1=middle - 11, y2=middle + 11, kind="edge") for edge in (low, high)),
    ]


def _in_words(shares: Sequence[Mapping[str, Any]], reference: Mapping[str, float], band: Mapping[str, Any]) -> str:
    there = band["low"] is not None
    words = ["Shares of the classes" + (f"; the band is {band['low']:.0%} to {band['high']:.0%}." if there else ".")]
    for share in shares:
        held = reference.get(share["name"])
        beside = "" if held is None else f", {held:.1%} on the hold-out"
        where = ", out of the band" if share["out"] else ", in the band" if there else ""
        words.append(f"{share['name']}: {share['share']:.1%}{beside}{where}.")
    return " ".join(words)
