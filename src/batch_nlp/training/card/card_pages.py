"""From facts to pages: one document of facts, a template for each page."""

from __future__ import annotations

from typing import Any

from batch_nlp.reports.pages import render
from batch_nlp.training.card.card_charts import card_figures

CARD_FILE, CARD_PAGE = "model_card.md", "model_card.html"


def card_pages(facts: dict[str, Any]) -> dict[str, str]:
    """Return the card of `card_facts` by file name: in Markdown, and as a page of HTML that needs nothing else.

    Names of classes, groups and words are data: they are escaped.
    """
    figures = card_figures(facts)
    return {CARD_FILE: render(CARD_FILE, **facts), CARD_PAGE: render(CARD_PAGE, **facts, figures=figures)}
