"""Renders the templates of all pages. Every page is one file that needs no scripts, fonts or network."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import cache
from pathlib import PurePath
from typing import TYPE_CHECKING

from markupsafe import escape

if TYPE_CHECKING:
    from jinja2 import Environment

# Shown for an unknown value
NO_VALUE = "\N{EN DASH}"
# Names that a sentence lists
_LISTED = 12


def render(template: str, **values: object) -> str:
    """Return a page, or another text, from a file of ``reports/templates``; a missing value is an error.

    Pages extend ``page.html``. In ``.html`` files every value is escaped.
    """
    return environment().get_template(template).render(values)


@cache
def environment() -> Environment:
    """Return the templates of ``reports/templates`` with all filters."""
    # imported late: a run without pages does not need Jinja
    from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

    found = Environment(
        loader=PackageLoader("batch_nlp.reports"),
        autoescape=select_autoescape(["html"]),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    found.filters.update(
        number=lambda value: f"{value:,}",
        decimals=lambda value, places=3: NO_VALUE if value is None else f"{value:.{places}f}",
        percent=lambda value, places=1: NO_VALUE if value is None else f"{value:.{places}%}",
        percent_short=percent_short,
        figure=lambda value: NO_VALUE if value is None else f"{value:,.4g}" if value % 1 else f"{value:,.0f}",
        signed=lambda value: f"{value:+.3f}",
        p=_p_value,
        utc=utc,
        sentence=sentence,
        words=lambda name: str(name).replace("_", " "),
        interval=interval,
        names=_names,
        md=_markdown,
        width=lambda share, longest: f"{100 * share / longest:.1f}%" if share and longest else "0",
    )
    return found


def with_link_home(page: str, home: PurePath | str) -> str:
    """Add a link to the entry page to a page that was rendered without ``home``.

    A model's card links to no entry page in the registry; its copy among the reports does.
    """
    return page.replace("<nav></nav>", f'<nav><a href="{escape(home)}">All reports</a></nav>', 1)


def utc(at: object) -> str:
    """Return an ISO time in UTC for people; return other text unchanged.

    Examples
    --------
    >>> utc("2026-01-02T04:04:05.678+01:00")
    '2026-01-02 03:04 UTC'
    """
    if read := read_time(at):
        return f"{read:%Y-%m-%d %H:%M} UTC"
    return NO_VALUE if at is None else str(at)


def read_time(at: object) -> datetime | None:
    """Return an ISO time in UTC; None for other text."""
    try:
        read = datetime.fromisoformat(str(at))
    except ValueError:
        return None
    return (read if read.tzinfo else read.replace(tzinfo=UTC)).astimezone(UTC)


def percent_short(share: float) -> str:
    """Return a share without needless decimals, as for the ticks of an axis.

    Examples
    --------
    >>> percent_short(0.1), percent_short(0.125)
    ('10%', '12.5%')
    """
    return f"{100 * share:.3g}%"


def sentence(text: str) -> str:
    """Return text with a capital and a full stop; a first token such as ``drift.low`` is not capitalised."""
    begin = text[:1].upper() if text.split(" ")[0].isalpha() else text[:1]
    return begin + text[1:] + ("" if text.endswith((".", "!", "?")) else ".")


def _p_value(value: float | None) -> str:
    if value is None:
        return NO_VALUE
    return "< 0.001" if value < 0.001 else f"{value:.3f}"


def interval(found: Mapping[str, float | None]) -> str:
    """Return a value with the bounds of its interval, if it has one."""
    value, low, high = found["value"], found["low"], found["high"]
    if value is None:
        return NO_VALUE
    return f"{value:.3f}" if low is None else f"{value:.3f} ({low:.3f}\N{EN DASH}{high:.3f})"


def _names(names: Sequence[str]) -> str:
    more = f" and {len(names) - _LISTED:,} more" if len(names) > _LISTED else ""
    return ", ".join(names[:_LISTED]) + more


def _markdown(value: object) -> str:
    """Escape text for Markdown, including the cells of tables."""
    text = " ".join(str(value).split()).replace("&", "&amp;").replace("<", "&lt;")
    return "".join(f"\\{character}" if character in "\\`*_[]|#" else character for character in text)
