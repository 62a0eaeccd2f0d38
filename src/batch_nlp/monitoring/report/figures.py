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
    shares: Sequence[Mapping[str, Any]], reference: Mapping[str, float], band: Mapping[str, float]
) -> Markup:
    """Return a row for each class: its share with the interval, the champion's hold-out share, and the band.

    Parameters
    ----------
    shares : sequence of mappings
        ``ClassShare`` as dicts.
    reference : mapping of str to float
        Class -> share of the champion's predictions on its hold-out; may lack any class.
    band : mapping
        ``low`` and ``high``.
    """
    height = _TOP + _ROW * len(shares) + 26
    bottom = _TOP + _ROW * len(shares)
    low, high = band["low"], band["high"]
    parts = [
        shape("line", x1=_x(0), x2=_x(1), y1=bottom, y2=bottom, kind="axis"),
        *(_tick(tick, bottom) for tick in _ticks(low, high)),
    ]
    for number, share in enumerate(shares):
        parts += _row(_TOP + number * _ROW, share, reference.get(share["name"]), low, high)
    return figure(_WIDTH, height, _in_words(shares, reference, band), parts, kind="shares")


def _x(share: float) -> float:
    return _EDGE + share * (_WIDTH - 2 * _EDGE)


def _ticks(low: float, high: float) -> list[float]:
    return [low, high, *(tick for tick in (0.0, 0.5, 1.0) if min(abs(tick - low), abs(tick - high)) > 0.11)]


def _tick(tick: float, bottom: float) -> Markup:
    anchor = "start" if tick == 0 else "end" if tick == 1 else "middle"
    return shape("text", percent(tick), x=_x(tick), y=bottom + 16, text_anchor=anchor, kind="tick")


def _row(top: float, share: Mapping[str, Any], reference: float | None, low: float, high: float) -> list[Markup]:
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
        shape("rect", x=_x(low), y=middle - 11, width=_x(high) - _x(low), height=22, kind="band"),
        *(shape("line", x1=_x(edge), x2=_x(edge), y1=middle - 11, y2=middle + 11, kind="edge") for edge in (low, high)),
        shape("line", x1=_x(0), x2=_x(1), y1=middle, y2=middle, kind="track"),
        shape("line", x1=_x(share["lower"]), x2=_x(share["upper"]), y1=middle, y2=middle, kind=f"interval {kind}"),
    ]
    if reference is not None:
        x = _x(reference)
        corners = f"{x:.1f},{middle - 8:.1f} {x + 7:.1f},{middle:.1f} {x:.1f},{middle + 8:.1f} {x - 7:.1f},{middle:.1f}"
        found.append(shape("polygon", points=corners, kind="reference"))
    return [*found, shape("circle", cx=_x(share["share"]), cy=middle, r=5.5, kind=f"mark {kind}")]


def _in_words(shares: Sequence[Mapping[str, Any]], reference: Mapping[str, float], band: Mapping[str, float]) -> str:
    words = [f"Shares of the classes; the band is {band['low']:.0%} to {band['high']:.0%}."]
    for share in shares:
        held = reference.get(share["name"])
        beside = "" if held is None else f", {held:.1%} on the hold-out"
        where = "out of the band" if share["out"] else "in the band"
        words.append(f"{share['name']}: {share['share']:.1%}{beside}, {where}.")
    return " ".join(words)
