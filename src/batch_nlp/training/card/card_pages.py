"""From facts to pages: one document of facts, a template for each page."""

from __future__ import annotations

from typing import Any

from batch_nlp.html import UNKNOWN, templates
from batch_nlp.training.card.card_charts import card_figures

# Classes that a sentence names
_NAMES = 12
CARD_FILE, CARD_PAGE = "model_card.md", "model_card.html"


def card_pages(facts: dict[str, Any]) -> dict[str, str]:
    """Return the card of `card_facts` by file name: in Markdown, and as a page of HTML that needs nothing else.

    Names of classes, groups and words are data: they are escaped.
    """
    figures = card_figures(facts)
    return {CARD_FILE: render(CARD_FILE, facts), CARD_PAGE: render(CARD_PAGE, {**facts, "figures": figures})}


def render(template: str, values: dict[str, Any]) -> str:
    """Return a page.

    Parameters
    ----------
    template : str
        Name of a file in ``templates``; in ``.html``, every value is escaped.
    """
    environment = templates("batch_nlp.training.card")
    environment.filters.update(interval=_interval, md=_markdown, names=_names)
    return environment.get_template(template).render(values)


def _interval(found: dict[str, float | None]) -> str:
    if found["value"] is None:
        return UNKNOWN
    if found["low"] is None:
        return f"{found['value']:.3f}"
    return f"{found['value']:.3f} ({found['low']:.3f}\N{EN DASH}{found['high']:.3f})"


def _names(names: list[str]) -> str:
    """Return names as a list, of many the first ones."""
    more = f" and {len(names) - _NAMES:,} more" if len(names) > _NAMES else ""
    return ", ".join(names[:_NAMES]) + more


def _markdown(value: object) -> str:
    """Return text that Markdown shows as it is, in a cell of a table too."""
    text = " ".join(str(value).split()).replace("&", "&amp;").replace("<", "&lt;")
    return "".join(f"\\{character}" if character in "\\`*_[]|#" else character for character in text)
