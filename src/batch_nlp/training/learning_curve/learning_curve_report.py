"""A learning curve in the terminal, as a page and as Markdown."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from markupsafe import Markup
from rich import box
from rich.markup import escape
from rich.table import Table

from batch_nlp.log import console
from batch_nlp.metrics.bootstrap import CONFIDENCE
from batch_nlp.metrics.confusion import METRIC_NAMES
from batch_nlp.reports.charts import DATA, PAPER, SECOND, WIDTH, draw_chart
from batch_nlp.reports.documents import HOME
from batch_nlp.reports.pages import render
from batch_nlp.training.learning_curve.extrapolation import WORTH
from batch_nlp.training.learning_curve.measure_curve import LearningCurve, Point

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_HEADINGS = ["share", "messages", *METRIC_NAMES.values(), "seconds"]


def _cells(point: Point) -> list[str]:
    scores = ["{:.4f} ({:.3f}-{:.3f})".format(point.scores[name], *point.intervals[name]) for name in METRIC_NAMES]
    return [f"{point.share:.0%}", f"{point.messages:,}", *scores, f"{point.seconds:.1f}"]


def show_curve(found: LearningCurve) -> None:
    """Print the table and the answer."""
    shown = Table(title=f"learning curve of {escape(found.model)}", title_justify="left", box=box.SIMPLE)
    for number, heading in enumerate(_HEADINGS):
        shown.add_column(heading, justify="right" if number else "left", no_wrap=True)
    for point in found.points:
        shown.add_row(*_cells(point))
    console.print(shown, highlight=False)
    for skipped in found.skipped:
        line = f"Skipped {skipped.share:.0%} ({skipped.messages:,} messages): {skipped.reason}"
        console.print(escape(line), highlight=False, soft_wrap=True)
    for metric in METRIC_NAMES:
        console.print(escape(found.outlooks[metric].sentence), highlight=False, soft_wrap=True)


def curve_markdown(found: LearningCurve) -> str:
    """Return the curve as Markdown."""
    return render("learning_curve.md", **_values(found))


def curve_page(found: LearningCurve) -> str:
    """Return the curve as a page, for the folder below that of the entry page."""
    values = {"title": f"Learning curve of {found.model}", "home": HOME, "chart": _chart(found)}
    return render("learning_curve.html", **_values(found), **values)


def _values(found: LearningCurve) -> dict[str, Any]:
    """Return the values that both templates show."""
    curves = {name: found.outlooks[metric].curve for metric, name in METRIC_NAMES.items()}
    # the main metric gives the answer
    headline, *others = (found.outlooks[metric].sentence for metric in METRIC_NAMES)
    return {
        "found": found,
        "headline": headline,
        "others": others,
        "headings": _HEADINGS,
        "rows": [_cells(point) for point in found.points],
        "curves": [f"{name}: {curve}" for name, curve in curves.items() if curve is not None],
        "confidence": CONFIDENCE,
        "worth": WORTH,
    }


def _chart(found: LearningCurve) -> Markup:
    """Return the scores with intervals, and the fitted curves up to twice as many messages."""
    sizes = np.array([point.messages for point in found.points], dtype=np.float64)
    most = sizes.max()

    def on(figure: Figure) -> None:
        figure.set_layout_engine("constrained")
        axes = figure.add_subplot()
        for (metric, name), colour in zip(METRIC_NAMES.items(), (DATA, SECOND), strict=True):
            scores = np.array([point.scores[metric] for point in found.points])
            bounds = np.array([point.intervals[metric] for point in found.points]).T
            axes.errorbar(sizes, scores, np.abs(bounds - scores), fmt="o", color=colour, capsize=3, label=name)
            curve = found.outlooks[metric].curve
            if curve is not None:
                known, ahead = np.geomspace(sizes.min(), most, 60), np.geomspace(most, 2 * most, 20)
                axes.plot(known, curve(known), color=colour)
                axes.plot(ahead, curve(ahead), color=colour, linestyle="--")
                axes.plot([2 * most], curve([2 * most]), "o", color=colour, markerfacecolor=PAPER)
        axes.set_xscale("log")
        ticks = [*sizes, 2 * most]
        axes.set_xticks(ticks, [f"{tick:,.0f}" for tick in ticks], rotation=40, ha="right")
        axes.minorticks_off()
        axes.set(xlabel="training messages (dashed: extrapolated)", ylabel="score on the hold-out")
        axes.grid()
        figure.legend(loc="outside upper left", ncols=2)

    words = " ".join(
        f"{name.capitalize()} on the hold-out: "
        + ", ".join(f"{point.scores[metric]:.3f} with {point.messages:,} messages" for point in found.points)
        + "."
        for metric, name in METRIC_NAMES.items()
    )
    return draw_chart("learning-curve", (WIDTH, 320), words, on)
