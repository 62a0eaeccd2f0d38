"""The result of a simulation: a table in the terminal, a page, a chart and JSON."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from markupsafe import Markup
from rich.table import Table

from batch_nlp.config import Policy
from batch_nlp.log import console
from batch_nlp.reports.charts import DATA, INK, SECOND, SOFT, WIDTH, draw_chart
from batch_nlp.reports.pages import render
from batch_nlp.simulation.simulation_result import SHOWN_DAYS, DayResult, Result
from batch_nlp.storage.atomic import write_json, write_text

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# Totals of a policy, and their names in tables
_MEASURES = {
    "f1_macro": "macro F1",
    "f1_macro_after": "macro F1 since the change",
    "alarms": "alarms",
    "trainings": "trainings",
    "promotions": "promoted",
    "rejections": "rejected",
    "same": "same",
    "held_back": "held back",
    "days_to_retraining": "days to retraining",
    "days_to_recovery": "days to recovery",
}
_OF_A_CHANGE = {"f1_macro_after", "days_to_retraining", "days_to_recovery"}
_COLOURS = {Policy.never: SOFT, Policy.always: SECOND, Policy.rule: DATA}
_STYLES = {Policy.never: ":", Policy.always: "--", Policy.rule: "-"}


def _table(result: Result) -> list[list[str]]:
    """Return a row of policies, and a row for each measure with its value for each policy."""
    summaries = [result.summary(policy) for policy in result.policies]
    hidden = _OF_A_CHANGE if result.change_day is None else set()
    rows = [[name, *(_text(found[key]) for found in summaries)] for key, name in _MEASURES.items() if key not in hidden]
    return [["policy", *(policy.value for policy in result.policies)], *rows]


def _text(value: float | None) -> str:
    if value is None:
        return "-"
    return f"{value:.4f}" if isinstance(value, float) else f"{value:,}"


def _setting(result: Result) -> str:
    days, messages = result.settings["simulation"]["days"], result.settings["simulation"]["messages"]
    change = f", change on day {result.change_day}" if result.change_day is not None else ""
    labels = f"after {result.label_delay} day(s)" if result.label_delay else "at once"
    return f"{days:,} days of {messages:,} messages{change}, labels {labels}"


def _headline(result: Result) -> str:
    """Return macro F1 and trainings of each policy in a sentence."""
    found = {policy.value: result.summary(policy) for policy in result.policies}
    parts = [
        f"{'unknown' if summary['f1_macro'] is None else format(summary['f1_macro'], '.3f')} with policy {name} "
        f"(trainings: {summary['trainings']:,})"
        for name, summary in found.items()
    ]
    return f"Macro F1 over all days: {', '.join(parts)}."


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


def show_result(result: Result) -> None:
    """Print a table with a column per policy, which fits a narrow terminal and a log."""
    shown = Table(title=f"{result.scenario}: {_setting(result)}", title_justify="left")
    headings, *rows = _table(result)
    for number, heading in enumerate(headings):
        shown.add_column(heading, justify="right" if number else "left")
    for row in rows:
        shown.add_row(*row)
    console.print(shown, highlight=False)


def write_result(result: Result, folder: Path) -> None:
    """Write ``result.json``, ``macro_f1.svg`` and ``index.html``."""
    headings, *rows = _table(result)
    page = render(
        "simulation.html",
        title=f"Simulation: {result.scenario}",
        headline=_headline(result),
        home="../../index.html",
        setting=_setting(result),
        headings=headings,
        rows=rows,
        chart=simulation_chart(result),
        policies=headings[1:],
        name=result.name,
        seconds=result.seconds,
    )
    write_json(folder / "result.json", result.to_dict())
    write_text(folder / "macro_f1.svg", simulation_chart(result, themed=False))
    write_text(folder / "index.html", page)
