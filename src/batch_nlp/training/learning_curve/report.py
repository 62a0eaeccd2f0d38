"""A learning curve for people: on the terminal, as a page, as Markdown."""

from __future__ import annotations

from typing import Any

from rich.markup import escape
from rich.table import Table

from batch_nlp.html import templates
from batch_nlp.log import console
from batch_nlp.training.intervals import CONFIDENCE
from batch_nlp.training.learning_curve.figure import curve_figure
from batch_nlp.training.learning_curve.measure import LearningCurve, Point
from batch_nlp.training.learning_curve.outlook import NAMES, WORTH

_HEADINGS = ["share", "messages", *NAMES.values(), "seconds"]


def _cells(point: Point) -> list[str]:
    scores = ["{:.4f} ({:.4f} - {:.4f})".format(point.scores[name], *point.intervals[name]) for name in NAMES]
    return [f"{point.share:.0%}", f"{point.messages:,}", *scores, f"{point.seconds:.1f}"]


def show_curve(found: LearningCurve) -> None:
    """Print the table and the answer."""
    shown = Table(title=f"learning curve of {escape(found.model)}", title_justify="left")
    for number, heading in enumerate(_HEADINGS):
        shown.add_column(heading, justify="right" if number else "left")
    for point in found.points:
        shown.add_row(*_cells(point))
    console.print(shown, highlight=False)
    for skipped in found.skipped:
        line = f"{skipped.share:.0%} ({skipped.messages:,} messages) was passed over: {skipped.reason}"
        console.print(escape(line), highlight=False, soft_wrap=True)
    for metric in NAMES:
        console.print(escape(found.outlooks[metric].sentence), highlight=False, soft_wrap=True)


def curve_markdown(found: LearningCurve) -> str:
    """Return the curve as Markdown."""
    return templates("batch_nlp.training.learning_curve").get_template("learning_curve.md").render(_values(found))


def curve_page(found: LearningCurve) -> str:
    """Return the curve as a page that needs nothing else; every text on it is escaped."""
    values = {**_values(found), "title": f"Learning curve of {found.model}", "figure": curve_figure(found, NAMES)}
    return templates("batch_nlp.training.learning_curve").get_template("learning_curve.html").render(values)


def _values(found: LearningCurve) -> dict[str, Any]:
    """Return what the templates of both take."""
    curves = {name: found.outlooks[metric].curve for metric, name in NAMES.items()}
    return {
        "found": found,
        "sentences": [found.outlooks[metric].sentence for metric in NAMES],
        "headings": _HEADINGS,
        "rows": [_cells(point) for point in found.points],
        "curves": [f"{name}: {curve}" for name, curve in curves.items() if curve is not None],
        "confidence": CONFIDENCE,
        "worth": WORTH,
    }
