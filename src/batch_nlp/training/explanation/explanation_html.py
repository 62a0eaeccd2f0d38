"""An explanation as a page."""

from __future__ import annotations

from typing import Any

from batch_nlp.reports.pages import render
from batch_nlp.training.explanation.explanation_terminal import GROUP_NAMES
from batch_nlp.training.explanation.message_explanation import Explanation

_TERMS = 20
# Effects below this show as 0.000, shades below this are invisible
_LEAST, _FAINTEST = 0.0005, 0.03


def explanation_page(explanation: Explanation) -> str:
    """Return the page, for the folder below that of the entry page."""
    towards, away = explanation.strongest_terms(_TERMS)
    pieces, rest_of_text = _shaded(explanation)
    values = {
        "title": f"Why message {explanation.message_id} is classified as {explanation.label}",
        "headline": explanation.decision,
        "home": "../index.html",
        "found": explanation,
        "group_names": GROUP_NAMES,
        "least": _LEAST,
        "parts": [part for part in explanation.parts if abs(part.effect) >= _LEAST],
        "small": [part for part in explanation.parts if abs(part.effect) < _LEAST],
        "pieces": pieces,
        "rest_of_text": rest_of_text,
        "towards": towards,
        "away": away,
    }
    return render("explanation.html", **values)


def _shaded(explanation: Explanation) -> tuple[list[dict[str, Any]], str]:
    """Return the shaded words, each with its strength and the text before it, and the text after the last one."""
    text, cursor, pieces = explanation.text, 0, []
    greatest = max((abs(word.effect) for word in explanation.words), default=0.0)
    for word in explanation.words:
        strength = 0.75 * abs(word.effect) / greatest if greatest else 0.0
        if strength >= _FAINTEST:
            place = {"before": text[cursor : word.start], "word": text[word.start : word.end]}
            pieces.append({**place, "effect": word.effect, "strength": strength})
            cursor = word.end
    return pieces, text[cursor:]
