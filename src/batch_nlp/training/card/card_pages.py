"""Writes the facts of a model card as a page and as Markdown."""

from __future__ import annotations

from typing import Any

from batch_nlp.reports.pages import render
from batch_nlp.training.card.card_charts import card_charts
from batch_nlp.training.card.statements import headline, limits

CARD_FILE, CARD_PAGE = "model_card.md", "model_card.html"


def card_pages(facts: dict[str, Any]) -> dict[str, str]:
    """Return the card of `card_facts` by file name: in Markdown, and as a page without scripts or network.

    Names of classes, groups and words are data, so they are escaped.
    """
    values = {**facts, "summary": headline(facts), "limits": limits(facts)}
    page = render(CARD_PAGE, **values, headline=" ".join(values["summary"]), charts=card_charts(facts))
    return {CARD_FILE: render(CARD_FILE, **values), CARD_PAGE: page}
