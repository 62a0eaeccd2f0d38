"""The templates of the pages, and how values are written in them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from functools import cache
from typing import TYPE_CHECKING

from batch_nlp.html import UNKNOWN, templates

if TYPE_CHECKING:
    from jinja2 import Environment


@cache
def page_templates() -> Environment:
    """Return the templates of this package; every value is escaped."""
    environment = templates("batch_nlp.monitoring.report")
    environment.filters.update(
        moment=moment,
        p=_p_value,
        figure=lambda value: UNKNOWN if value is None else f"{value:,.4g}" if value % 1 else f"{value:,.0f}",
        sentence=_sentence,
        words=lambda name: str(name).replace("_", " "),
        percent_short=percent,
        width=lambda share, longest: f"{100 * share / longest:.1f}%" if share and longest else "0",
        short=_short,
        unit=_unit,
        points=_points,
    )
    return environment


def moment(at: object) -> str:
    """Return an ISO time as people read it, in UTC; what is none stays as it is.

    Examples
    --------
    >>> moment("2026-01-02T04:04:05.678+01:00")
    '2026-01-02 03:04 UTC'
    """
    try:
        read = datetime.fromisoformat(str(at))
    except ValueError:
        return UNKNOWN if at is None else str(at)
    return f"{(read if read.tzinfo else read.replace(tzinfo=UTC)).astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def percent(share: float) -> str:
    """Return a share as a mark of an axis: without decimals where they say nothing.

    Examples
    --------
    >>> percent(0.1), percent(0.125)
    ('10%', '12.5%')
    """
    return f"{100 * share:.3g}%"


def _sentence(text: str) -> str:
    """Return text that begins and ends as a sentence does; what begins with no word, such as a setting, stays."""
    begin = text[:1].upper() if text.split(" ")[0].isalpha() else text[:1]
    return begin + text[1:] + ("" if text.endswith((".", "!", "?")) else ".")


def _p_value(value: float | None) -> str:
    if value is None:
        return UNKNOWN
    return "< 0.001" if value < 0.001 else f"{value:.3f}"


def _short(name: str, longest: int) -> str:
    name = " ".join(name.split())
    return name if len(name) <= longest else f"{name[: longest - 1]}…"


def _unit(length: float) -> str:
    """Return a place in a figure to a tenth of a unit."""
    return f"{length:.1f}".removesuffix(".0")


def _points(points: Iterable[tuple[float, float]]) -> str:
    return " ".join(f"{_unit(x)},{_unit(y)}" for x, y in points)
