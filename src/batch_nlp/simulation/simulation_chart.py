"""The figure of a simulation: macro F1 over time, and what happened on each day."""

from __future__ import annotations

import numpy as np

from batch_nlp.config import Policy
from batch_nlp.reports.charts import svg
from batch_nlp.simulation.simulation_result import SHOWN_DAYS, DayResult, Result

_COLOURS = {Policy.never: "#829ab1", Policy.always: "#b3651d", Policy.rule: "#2f6f9f"}
_STYLES = {Policy.never: ":", Policy.always: "--", Policy.rule: "-"}


def _marks(days: list[DayResult]) -> dict[str, tuple[str, list[int]]]:
    """Return marker and days of each kind of event, in the order of the legend."""
    return {
        "alarm": ("|", [day.day for day in days if day.alarm]),
        "candidate published": ("^", [day.day for day in days if day.promotions]),
        "candidate refused": ("x", [day.day for day in days if day.rejections]),
    }


def figure_svg(result: Result) -> str:
    """Return macro F1 over sliding days by policy, above a strip of alarms and trainings, as an SVG element."""
    # late: it takes a second, and only this figure needs it
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D

    figure = Figure(figsize=(8.6, 4.8), layout="constrained")
    scores, events = figure.subplots(2, 1, sharex=True, height_ratios=[3, 0.3 + 0.35 * len(result.policies)])
    for row, (policy, days) in enumerate(result.policies.items()):
        numbers = [day.day for day in days]
        values = np.array([np.nan if found is None else found for found in result.sliding(policy)])
        scores.plot(numbers, values, _STYLES[policy], color=_COLOURS[policy], linewidth=1.8, label=policy.value)
        for marker, found in _marks(days).values():
            low = marker == "|"
            events.plot(found, [row - (0.28 if low else -0.12)] * len(found), marker, color=_COLOURS[policy],
                        markersize=4 if low else 5)  # fmt: skip
    if result.change_day is not None:
        for axes in (scores, events):
            axes.axvline(result.change_day, color="#1f2933", linewidth=0.8, linestyle=(0, (2, 3)))
    scores.set_ylabel(f"macro F1 over {SHOWN_DAYS} days")
    scores.grid(alpha=0.3)
    scores.legend(frameon=False, loc="lower left", ncols=len(result.policies))
    events.set_yticks(range(len(result.policies)), [policy.value for policy in result.policies])
    events.set_ylim(len(result.policies) - 0.5, -0.5)
    events.tick_params(axis="y", length=0)
    events.set_xlabel("day" if result.change_day is None else "day (vertical line: the change begins)")
    keys = [
        Line2D([], [], linestyle="none", marker=marker, color="#52606d", markersize=5, label=name)
        for name, (marker, _) in _marks([]).items()
    ]
    figure.legend(handles=keys, loc="outside lower center", ncols=len(keys), frameon=False)
    for axes in (scores, events):
        axes.spines[["top", "right"]].set_visible(False)
    return svg(figure, _in_words(result))


def _in_words(result: Result) -> str:
    scores = {policy.value: result.summary(policy).f1_macro for policy in result.policies}
    listed = ", ".join(f"{name} {'-' if score is None else f'{score:.3f}'}" for name, score in scores.items())
    return f"Macro F1 over time in the scenario {result.scenario}. Over all days: {listed}."
