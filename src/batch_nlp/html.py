"""Pages for people that need nothing else: no scripts, no fonts, no network; every text is escaped."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from markupsafe import escape

if TYPE_CHECKING:
    from jinja2 import Environment
    from matplotlib.figure import Figure

UNKNOWN = "\N{EN DASH}"


def templates(package: str) -> Environment:
    """Return the templates of a package's folder ``templates``, which can extend ``page.html``.

    In names that end in ``.html`` every value is escaped; a value that is missing is an error. They know the filters
    ``number`` (1,234), ``decimals`` (0.123, a dash for None) and ``percent`` (12.3%, a dash for None).

    Parameters
    ----------
    package : str
        Import path.
    """
    from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined, select_autoescape

    environment = Environment(
        loader=ChoiceLoader([PackageLoader(package), PackageLoader("batch_nlp")]),
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


def svg(figure: Figure, alternative: str) -> str:
    """Return a figure of Matplotlib as an element of a page, with a text for those who cannot see it."""
    from matplotlib import rc_context

    buffer = io.StringIO()
    # the same facts give the same bytes: no time, no random names; and text stays text
    with rc_context({"svg.hashsalt": "batch-nlp", "svg.fonttype": "none"}):
        figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None})
    drawn = buffer.getvalue()
    return drawn[drawn.index("<svg") :].replace("<svg", f'<svg role="img" aria-label="{escape(alternative)}"', 1)
