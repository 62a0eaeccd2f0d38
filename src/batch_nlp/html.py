"""Pages for people that need nothing else: no scripts, no fonts, no network; every text is escaped."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from markupsafe import Markup, escape

if TYPE_CHECKING:
    from jinja2 import Environment

UNKNOWN = "\N{EN DASH}"
_STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 1000px; padding: 0 1rem; color: #1f2933; }
h1 { font-size: 1.5rem; overflow-wrap: anywhere; } h2 { font-size: 1.15rem; margin-top: 2rem; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
th, td { border-bottom: 1px solid #d9e2ec; padding: .25rem .7rem; text-align: left; vertical-align: top; }
thead th { border-bottom: 2px solid #829ab1; }
.number { text-align: right; white-space: nowrap; }
.wide { overflow-x: auto; } .note { color: #52606d; font-size: .9rem; } .lead { font-size: 1.1rem; }
figure { margin: 1rem 0; } svg { max-width: 100%; height: auto; }
"""


def element(name: str, *content: object, kind: str = "") -> Markup:
    """Return an element, with a class if one is named.

    Examples
    --------
    >>> element("p", "a < b", kind="note")
    Markup('<p class="note">a &lt; b</p>')
    """
    attribute = Markup(' class="{}"').format(kind) if kind else ""
    return Markup("<{0}{1}>{2}</{0}>").format(name, attribute, Markup("").join(map(escape, content)))


def table(
    headings: Sequence[object], rows: Iterable[Sequence[object]], numbers: Iterable[int] = (), kind: str = ""
) -> Markup:
    """Return a table.

    Parameters
    ----------
    headings : sequence
        One a column.
    rows : iterable of sequences
        Their cells.
    numbers : iterable of int
        Columns that hold numbers and are aligned to the right.
    kind : str
        Class of the table.
    """
    right = set(numbers)

    def line(name: str, cells: Sequence[object]) -> Markup:
        return element("tr", *(element(name, cell, kind="number" * (i in right)) for i, cell in enumerate(cells)))

    head = element("thead", line("th", headings))
    body = element("tbody", *(line("td", cells) for cells in rows))
    return element("div", element("table", head, body, kind=kind), kind="wide")


def page(title: str, *parts: object, style: str = "") -> str:
    """Return a whole page.

    Parameters
    ----------
    title : str
        Title of the window, and the first heading.
    *parts
        What the page shows, in its order; what is not `Markup` is escaped.
    style : str
        Rules of this page beside those that all pages have.
    """
    head = f'<meta charset="utf-8"><title>{escape(title)}</title><style>{_STYLE}{style}</style>'
    body = "\n".join([element("h1", title), *(escape(part) for part in parts)])
    return f'<!doctype html>\n<html lang="en"><head>{head}</head><body>\n{body}\n</body></html>\n'


def templates(package: str) -> Environment:
    """Return the templates of a package's folder ``templates``.

    In names that end in ``.html`` every value is escaped; a value that is missing is an error. They know the filters
    ``number`` (1,234), ``decimals`` (0.123, a dash for None) and ``percent`` (12.3%, a dash for None).

    Parameters
    ----------
    package : str
        Import path.
    """
    from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

    environment = Environment(
        loader=PackageLoader(package),
        autoescape=select_autoescape(["html"], default_for_string=True),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters.update(
        number=lambda value: f"{value:,}",
        decimals=lambda value, places=3: UNKNOWN if value is None else f"{value:.{places}f}",
        percent=lambda value, places=1: UNKNOWN if value is None else f"{value:.{places}%}",
    )
    return environment
