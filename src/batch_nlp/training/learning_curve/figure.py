"""The figure of a learning curve, as SVG within a page."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from batch_nlp.html import svg
from batch_nlp.training.learning_curve.measure import LearningCurve

_COLOURS = ("#2f6f9f", "#b3651d")


def curve_figure(found: LearningCurve, metrics: Mapping[str, str]) -> str:
    """Return scores with intervals over training messages, the fitted curves, and their way to twice as many.

    Parameters
    ----------
    metrics : mapping of str to str
        What is drawn, and what it is called.

    Returns
    -------
    str
        An ``svg`` element; all that comes from the data is escaped.
    """
    # late: it takes a second, and only this figure needs it
    from matplotlib.figure import Figure

    sizes = np.array([point.messages for point in found.points], dtype=np.float64)
    most = sizes.max()
    figure = Figure(figsize=(8.6, 4.6), layout="constrained")
    axes = figure.add_subplot()
    for (metric, name), colour in zip(metrics.items(), _COLOURS, strict=False):
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
    return svg(figure, _in_words(found, metrics))


def _in_words(found: LearningCurve, metrics: Mapping[str, str]) -> str:
    return " ".join(
        f"{name.capitalize()} on the hold-out: "
        + ", ".join(f"{point.scores[metric]:.3f} with {point.messages:,} messages" for point in found.points)
        + "."
        for metric, name in metrics.items()
    )
