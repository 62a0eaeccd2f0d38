"""A learning curve for people: on the terminal, as a page, as Markdown."""

from __future__ import annotations

from rich.markup import escape
from rich.table import Table

from batch_nlp.html import element, page, table
from batch_nlp.log import console
from batch_nlp.training.intervals import CONFIDENCE
from batch_nlp.training.learning_curve.figure import curve_figure
from batch_nlp.training.learning_curve.measure import LearningCurve, Point
from batch_nlp.training.learning_curve.outlook import WORTH
from batch_nlp.training.learning_curve.power_law import PowerLaw

# The metric that answers the question comes first
_METRICS = {"f1_macro": "macro F1", "f1_weighted": "weighted F1"}
_NUMBERS = (1, 2, 3, 4)
_HOW = (
    "Every size takes the newest training messages, and all are measured on the same held-out messages. The interval "
    f"of a score holds for other held-out messages of the kind ({CONFIDENCE:.0%}, bootstrap); it says nothing of other "
    "training messages. The curve a - b n^-c is laid through the scores. More data helps if the curve gains over "
    f"{100 * WORTH:g} points from all messages to twice as many, and does so in 90 % of the resamples of the hold-out; "
    "the range holds 80 % of them."
)


def _headings() -> list[str]:
    return ["share", "messages", *_METRICS.values(), "seconds"]


def _cells(point: Point) -> list[str]:
    scores = ["{:.4f} ({:.4f} - {:.4f})".format(point.scores[name], *point.intervals[name]) for name in _METRICS]
    return [f"{point.share:.0%}", f"{point.messages:,}", *scores, f"{point.seconds:.1f}"]


def _formula(curve: PowerLaw) -> str:
    return f"{curve.a:.4f} - {curve.b:.4g} n^-{curve.c:.3f}"


def _curves(found: LearningCurve) -> list[str]:
    return [
        f"{name}: {_formula(curve)}"
        for metric, name in _METRICS.items()
        if (curve := found.outlooks[metric].curve) is not None
    ]


def show_curve(found: LearningCurve) -> None:
    """Print the table and the answer."""
    shown = Table(title=f"learning curve of {escape(found.model)}", title_justify="left")
    for number, heading in enumerate(_headings()):
        shown.add_column(heading, justify="right" if number in _NUMBERS else "left")
    for point in found.points:
        shown.add_row(*_cells(point))
    console.print(shown, highlight=False)
    for skipped in found.skipped:
        line = f"{skipped.share:.0%} ({skipped.messages:,} messages) was passed over: {skipped.reason}"
        console.print(escape(line), highlight=False, soft_wrap=True)
    for metric in _METRICS:
        console.print(escape(found.outlooks[metric].sentence), highlight=False, soft_wrap=True)


def curve_markdown(found: LearningCurve) -> str:
    """Return the curve as Markdown."""
    lines = [f"# Learning curve of {found.model}", ""]
    lines += [f"- {found.outlooks[metric].sentence}" for metric in _METRICS]
    lines += ["", f"{found.holdout_messages:,} held-out messages. {_HOW}", ""]
    lines += ["| " + " | ".join(_headings()) + " |", "|" + " ---: |" * len(_headings())]
    lines += ["| " + " | ".join(_cells(point)) + " |" for point in found.points]
    lines += ["", *(f"- {curve}" for curve in _curves(found))]
    lines += [f"- {skipped.share:.0%}, {skipped.messages:,} messages: passed over. {skipped.reason}"
              for skipped in found.skipped]  # fmt: skip
    return "\n".join(lines) + "\n"


def curve_page(found: LearningCurve) -> str:
    """Return the curve as a page that needs nothing else; every text on it is escaped."""
    parts: list[object] = [
        element("p", element("strong", found.outlooks[metric].sentence), kind="lead") if metric == "f1_macro"
        else element("p", found.outlooks[metric].sentence)
        for metric in _METRICS
    ]  # fmt: skip
    parts += [curve_figure(found, _METRICS), table(_headings(), map(_cells, found.points), _NUMBERS)]
    if found.skipped:
        rows = [(f"{item.share:.0%}", f"{item.messages:,}", item.reason) for item in found.skipped]
        parts += [element("h2", "Passed over"), table(("share", "messages", "reason"), rows, (1,))]
    parts += [element("p", f"Curve of {curve}", kind="note") for curve in _curves(found)]
    parts.append(element("p", f"{found.holdout_messages:,} held-out messages. {_HOW}", kind="note"))
    return page(f"Learning curve of {found.model}", *parts)
