"""The chart of a simulation: macro F1 over time, and alarms and trainings per day."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from markupsafe import Markup

from batch_nlp.config import Policy
from batch_nlp.reports.charts import DATA, INK, SECOND, SOFT, WIDTH, draw_chart
from batch_nlp.simulation.simulation_result import SHOWN_DAYS, DayResult, Result

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_COLOURS = {Policy.never: SOFT, Policy.always: SECOND, Policy.rule: DATA}
_STYLES = {Policy.never: ":", Policy.always: "--", Policy.rule: "-"}


def _marks(days: list[DayResult]) -> dict[str, tuple[str, list[int]]]:
    """Return marker and days of each kind of event, in the order of the legend."""
    return {
        "alarm": ("|", [day.day for day in days if day.alarm]),
        "candidate published": ("^", [day.day for day in days if day.promotions]),
        "refused": ("x", [day.day for day in days if day.rejections]),
    }


def simulation_chart(result: Result, themed: bool = True) -> Markup:
    """Return macro F1 of each policy over time, above a strip of events, as an SVG element.

    If `themed`, the colours follow the page; in a file of its own they do not.
    """

    def on(figure: Figure) -> None:
        from matplotlib.lines import Line2D

        figure.set_layout_engine("constrained")
        heights = [3, 0.3 + 0.45 * len(result.policies)]
        scores, events = figure.subplots(2, 1, sharex=True, height_ratios=heights)
        for row, (policy, days) in enumerate(result.policies.items()):
            values = np.array([np.nan if found is None else found for found in result.sliding(policy)])
            scores.plot([day.day for day in days], values, _STYLES[policy], color=_COLOURS[policy], linewidth=1.8,
                        label=policy.value)  # fmt: skip
            for marker, found in _marks(days).values():
                low = marker == "|"
                events.plot(found, [row - (0.28 if low else -0.12)] * len(found), marker, color=_COLOURS[policy],
                            markersize=4 if low else 5)  # fmt: skip
        if result.change_day is not None:
            for axes in (scores, events):
                axes.axvline(result.change_day, color=INK, linewidth=0.8, linestyle=(0, (2, 3)))
        scores.set_ylabel(f"macro F1 over {SHOWN_DAYS} days")
        scores.grid()
        events.set_yticks(range(len(result.policies)), [policy.value for policy in result.policies])
        events.set_ylim(len(result.policies) - 0.5, -0.5)
        events.tick_params(axis="y", length=0)
        events.set_xlabel("day" if result.change_day is None else "day (vertical line: start of the change)")
        figure.legend(*scores.get_legend_handles_labels(), loc="outside upper left", ncols=len(result.policies))
        keys = [
            Line2D([], [], linestyle="none", marker=marker, color=SOFT, markersize=5, label=name)
            for name, (marker, _) in _marks([]).items()
        ]
        figure.legend(handles=keys, loc="outside lower left", ncols=len(keys), columnspacing=1, handletextpad=0.2)

    scores = {policy.value: result.summary(policy)["f1_macro"] for policy in result.policies}
    listed = ", ".join(f"{name} {'-' if score is None else f'{score:.3f}'}" for name, score in scores.items())
    words = f"Macro F1 over time in the scenario {result.scenario}. Over all days: {listed}."
    return draw_chart("simulation", (WIDTH, 340), words, on, themed)
