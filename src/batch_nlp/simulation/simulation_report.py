"""The result of a simulation: a table in the terminal, a page, a chart and JSON."""

from __future__ import annotations

from pathlib import Path

from rich.table import Table

from batch_nlp.log import console
from batch_nlp.reports.pages import render
from batch_nlp.simulation.simulation_chart import simulation_chart
from batch_nlp.simulation.simulation_result import Result
from batch_nlp.storage.atomic import write_json, write_text

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
