"""A learning curve for people: on the terminal, as a page, as Markdown."""

from __future__ import annotations

from typing import Any

import numpy as np
from rich.markup import escape
from rich.table import Table

from batch_nlp.log import console
from batch_nlp.metrics.bootstrap import CONFIDENCE
from batch_nlp.reports.charts import svg
from batch_nlp.reports.pages import render
from batch_nlp.training.learning_curve.extrapolation import NAMES, WORTH
from batch_nlp.training.learning_curve.measure_curve import LearningCurve, Point

_COLOURS = ("#2f6f9f", "#b3651d")
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
    return render("learning_curve.md", **_values(found))


def curve_page(found: LearningCurve) -> str:
    """Return the curve as a page that needs nothing else; every text on it is escaped."""
    values = {**_values(found), "title": f"Learning curve of {found.model}", "figure": _figure(found)}
    return render("learning_curve.html", **values)


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


def _figure(found: LearningCurve) -> str:
    """Return scores with intervals, the fitted curves, and their way to twice as many messages, as SVG."""
    # late: it takes a second, and only this figure needs it
    from matplotlib.figure import Figure

    sizes = np.array([point.messages for point in found.points], dtype=np.float64)
    most = sizes.max()
    figure = Figure(figsize=(8.6, 4.6), layout="constrained")
    axes = figure.add_subplot()
    for (metric, name), colour in zip(NAMES.items(), _COLOURS, strict=False):
        scores = np.array([point.scores[metric] for point in found.points])
        bounds = np.array([point.intervals[metric] for point in found.points]).T
        errors = np.abs(bounds - scores)
        axes.errorbar(sizes, scores, errors, fmt="o", color=colour, capsize=3, label=name)
        curve = found.outlooks[metric].curve
        if curve is not None:
            known, ahead = np.geomspace(sizes.min(), most, 60), np.geomspace(most, 2 * most, 20)
            axes.plot(known, curve(known), color=colour)
            axes.plot(ahead, curve(ahead), color=colour, linestyle="--")
            axes.plot([2 * most], curve([2 * most]), "o", color=colour, markerfacecolor="white")
    axes.set_xscale("log")
    ticks = [*sizes, 2 * most]
    axes.set_xticks(ticks, [f"{tick:,.0f}" for tick in ticks], rotation=30, ha="right")
    axes.minorticks_off()
    axes.set_xlabel("training messages (dashed: extrapolated to twice as many)")
    axes.set_ylabel("score on the hold-out")
    axes.grid(alpha=0.3)
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False, loc="lower right")
    return svg(figure, _in_words(found))


def _in_words(found: LearningCurve) -> str:
    return " ".join(
        f"{name.capitalize()} on the hold-out: "
        + ", ".join(f"{point.scores[metric]:.3f} with {point.messages:,} messages" for point in found.points)
        + "."
        for metric, name in NAMES.items()
    )
