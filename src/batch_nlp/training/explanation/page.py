"""An explanation as a page that needs nothing else."""

from __future__ import annotations

from markupsafe import Markup

from batch_nlp.html import element, page, table
from batch_nlp.training.explanation.explain import Explanation
from batch_nlp.training.explanation.terminal import GROUP_NAMES

_TERMS = 20
# Effects that three decimals do not show
_LEAST = 0.0005
_STYLE = """
.bar { display: inline-block; width: 240px; height: .8em; background: linear-gradient(#829ab1, #829ab1) 50% / 1px 100%
 no-repeat; }
.bar i { display: block; height: 100%; } .side .bar { width: 120px; background: none; }
.for { background: #2f8f5b; } .against { background: #c0504d; }
.share { display: inline-block; width: 240px; height: .8em; background: #e4e7eb; }
.share i { display: block; height: 100%; background: #627d98; }
.text { white-space: pre-wrap; overflow-wrap: anywhere; border: 1px solid #d9e2ec; padding: 1rem; }
.sides { display: flex; flex-wrap: wrap; gap: 3rem; }
"""


def explanation_page(explanation: Explanation) -> str:
    """Return the page; every text on it is escaped."""
    label = explanation.label
    parts: list[object] = [
        element("p", element("strong", explanation.decision), kind="lead"),
        element("p", explanation.verdict),
        element("p", f"Model {explanation.model}.", kind="note"),
        element("h2", "Probabilities"),
        _probabilities(explanation),
        *_text(explanation),
        element("h2", f"What speaks for {label}, and what against it"),
        _contributions(explanation),
        element("p", f"Method: {explanation.method}. {_HOW_TO_READ}", kind="note"),
    ]
    if explanation.terms:
        parts += _words(explanation)
    return page(f"Why message {explanation.message_id} is {label}", *parts, style=_STYLE)


_HOW_TO_READ = (
    "The margin is the class's score before calibration; what counts is how far it is above those of the others. "
    "Calibration turns margins into probabilities and takes back that rare classes weigh more in training, so it may "
    "change their order. The base value is the margin of a message of which nothing is known; green raises it, red "
    "lowers it."
)


def _probabilities(explanation: Explanation) -> Markup:
    rows = [
        (
            name,
            f"{margin:+.3f}",
            Markup('<span class="share"><i style="width:{:.1%}"></i></span>').format(probability),
            f"{probability:.1%}",
            f"{weight:.2f}",
            f"{probability * weight:.3f}",
        )
        for name, margin, probability, weight in zip(
            explanation.classes, explanation.margins, explanation.probabilities, explanation.weights, strict=True
        )
    ]
    headings = ("class", "margin", "", "probability", "weight in the decision", "product")
    return table(headings, rows, numbers=(1, 3, 4, 5))


def _bar(effect: float, greatest: float, *, one_sided: bool = False) -> Markup:
    """Return a bar that goes from the middle to the right for a positive effect, else to the left; or from the left."""
    share, kind = abs(effect) / greatest if greatest else 0.0, "for" if effect > 0 else "against"
    width, start = (100 * share, 0.0) if one_sided else (50 * share, 50.0 if effect > 0 else 50 - 50 * share)
    bar = Markup('<span class="bar"><i class="{}" style="width:{:.1f}%;margin-left:{:.1f}%"></i></span>')
    return bar.format(kind, width, start)


def _contributions(explanation: Explanation) -> Markup:
    greatest = max((abs(part.effect) for part in explanation.parts), default=0.0)
    rows = [("base value", "", f"{explanation.base:+.3f}", "")]
    rows += [
        (GROUP_NAMES.get(part.name, part.name), part.value, f"{part.effect:+.3f}", _bar(part.effect, greatest))
        for part in explanation.parts
        if abs(part.effect) >= _LEAST
    ]
    small = [part.effect for part in explanation.parts if abs(part.effect) < _LEAST]
    if small:
        rows.append((f"{len(small)} others, each less than {_LEAST:g}", "", f"{sum(small):+.3f}", ""))
    if abs(explanation.rest) >= _LEAST:
        rows.append(("interactions: what no part explains alone", "", f"{explanation.rest:+.3f}", ""))
    rows.append((element("strong", "margin"), "", element("strong", f"{explanation.margin:+.3f}"), ""))
    return table(("part", "value", "effect", ""), rows, numbers=(2,))


def _words(explanation: Explanation) -> list[object]:
    towards, away = explanation.strongest_terms(_TERMS)
    label, effects = explanation.label, explanation.terms.values()
    greatest = max(abs(effect) for effect in effects)
    sides = [
        element(
            "div",
            element("h3", heading),
            table(
                ("words", "effect", ""),
                [(term, f"{effect:+.3f}", _bar(effect, greatest, one_sided=True)) for term, effect in side],
                numbers=(1,),
            )
            if side
            else element("p", "none"),
            kind="side",
        )
        for heading, side in ((f"For {label}", towards), (f"Against {label}", away))
    ]
    note = f"The figures are {explanation.terms_mean}."
    if explanation.terms_passed_over:
        note += f" The last {explanation.terms_passed_over} different words were not tried: there are too many."
    return [
        element("h2", "Words"),
        element("p", note, kind="note"),
        element("div", *sides, kind="sides"),
    ]  # fmt: skip


def _text(explanation: Explanation) -> list[object]:
    """Return the text with what its words say for the class and against it."""
    text, cursor, label = explanation.text, 0, explanation.label
    greatest = max((abs(word.effect) for word in explanation.words), default=0.0)
    pieces: list[object] = []
    for word in explanation.words:
        strength = 0.75 * abs(word.effect) / greatest if greatest else 0.0
        if strength < 0.03:
            continue
        colour = "47,143,91" if word.effect > 0 else "192,80,77"
        marked = Markup('<span style="background:rgba({},{:.2f})" title="{:+.3f}">{}</span>')
        shown = marked.format(colour, strength, word.effect, text[word.start : word.end])
        pieces += [text[cursor : word.start], shown]
        cursor = word.end
    note = (
        f"Green words speak for {label}, red ones against it (see Words); the effect of several words in a row is "
        "shared among them."
    )
    return [
        element("h2", "Text"),
        element("div", *pieces, text[cursor:], kind="text"),
        *([element("p", note, kind="note")] if pieces else []),
    ]
