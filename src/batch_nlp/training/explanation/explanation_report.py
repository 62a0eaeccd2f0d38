"""An explanation in the terminal and as a page.

The terminal is standard output and never a log, since an explanation shows words of a message.
"""

from __future__ import annotations

from itertools import zip_longest
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Column, Table

from batch_nlp.errors import printable
from batch_nlp.reports.documents import HOME
from batch_nlp.reports.pages import render
from batch_nlp.training.explanation.message_explanation import Explanation
from batch_nlp.training.importance import NGRAMS, SENTENCES

_TERMS, _PARTS, _TEXT, _PAGE_TERMS = 12, 12, 400, 20
# Effects below this show as 0.000, shades below this are invisible
_LEAST, _FAINTEST = 0.0005, 0.03
GROUP_NAMES = {
    NGRAMS: "n-grams: scores of words",
    SENTENCES: "sentences: spread of their scores",
    "embedding": "embedding: meaning of the text",
}


def _plain(text: str) -> str:
    """Return text without control characters and with markup escaped."""
    return escape(printable(text, None, " "))


def _bar(effect: float, greatest: float) -> str:
    length = round(8 * abs(effect) / greatest) if greatest else 0
    return f"[{'green' if effect > 0 else 'red'}]{'━' * length}[/]"


def show_explanation(explanation: Explanation, console: Console | None = None) -> None:
    """Print the decision, the probabilities, the parts with the greatest effects, and the words for and against."""
    console = console or Console()

    def say(*lines: str) -> None:
        for line in lines:
            console.print(line, highlight=False, soft_wrap=True)

    label = _plain(explanation.about)
    shortened = explanation.text[:_TEXT] + (" ..." if len(explanation.text) > _TEXT else "")
    say(
        f"[bold]message {_plain(explanation.message_id)}[/] · model {_plain(explanation.model)}",
        f"[dim]{_plain(shortened)}[/]",
        f"[bold]{_plain(explanation.decision)}[/]",
        _plain(explanation.verdict),
    )
    figures = [Column(heading, justify="right") for heading in ("margin", "probability", "decision weight")]
    table = Table("class", *figures, title="Probabilities", title_justify="left")
    for name, margin, probability, weight in zip(
        explanation.classes, explanation.margins, explanation.probabilities, explanation.weights, strict=True
    ):
        table.add_row(_plain(name), f"{margin:+.3f}", f"{probability:.1%}", f"{weight:.2f}")
    console.print(table, highlight=False)

    effects = Column("effect", justify="right")
    table = Table("part", "value", effects, "", title=f"For and against {label}", title_justify="left")
    shown = explanation.parts[:_PARTS]
    greatest = max((abs(part.effect) for part in shown), default=0.0)
    table.add_row("base value", "", f"{explanation.base:+.3f}", "")
    for part in shown:
        name = GROUP_NAMES.get(part.name, part.name)
        table.add_row(_plain(name), _plain(part.value), f"{part.effect:+.3f}", _bar(part.effect, greatest))
    others = explanation.parts[_PARTS:]
    left = sum(part.effect for part in others) + explanation.rest
    table.add_row(f"{len(others)} other parts and interactions", "", f"{left:+.3f}", "")
    table.add_row(f"[bold]margin of {label}[/]", "", f"[bold]{explanation.margin:+.3f}[/]", "")
    console.print(table, highlight=False)
    say(f"Method: {_plain(explanation.method)}. The margin is the score before calibration.")
    if not explanation.terms:
        return
    strongest = explanation.strongest_terms(_TERMS)
    headings = (f"for {label}", Column(justify="right"), f"against {label}", Column(justify="right"))
    table = Table(*headings, title="Words", title_justify="left")
    towards, away = ([(_plain(term), f"{effect:+.3f}") for term, effect in side] for side in strongest)
    for one, other in zip_longest(towards, away, fillvalue=("", "")):
        table.add_row(*one, *other)
    console.print(table, highlight=False)
    say(f"The figures are {explanation.terms_mean}.")
    if explanation.terms_passed_over:
        say(f"{explanation.terms_passed_over} different words at the end of the text were not tried.")


def explanation_page(explanation: Explanation) -> str:
    """Return the page, for the folder below that of the entry page."""
    towards, away = explanation.strongest_terms(_PAGE_TERMS)
    pieces, rest_of_text = _shaded(explanation)
    values = {
        "title": f"Why message {explanation.message_id} is classified as {explanation.label}",
        "headline": explanation.decision,
        "home": HOME,
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
