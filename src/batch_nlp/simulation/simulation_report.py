"""A simulation for people: a table on the terminal, a page, and the same as JSON."""

from __future__ import annotations

from pathlib import Path

from rich.table import Table

from batch_nlp.log import console
from batch_nlp.reports.pages import render
from batch_nlp.simulation.simulation_chart import figure_svg
from batch_nlp.simulation.simulation_result import Result
from batch_nlp.storage.atomic import write_json, write_text

# Fields of `Summary`, and what they are called
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
    """Return a row for each measure: its name, and what it is for each policy; the first has the policies."""
    summaries = [result.summary(policy) for policy in result.policies]
    shown = {
        field: name for field, name in _MEASURES.items() if result.change_day is not None or field not in _OF_A_CHANGE
    }
    return [
        ["policy", *(policy.value for policy in result.policies)],
        *([name, *(_text(getattr(summary, field)) for summary in summaries)] for field, name in shown.items()),
    ]


def _text(value: float | None) -> str:
    if value is None:
        return "-"
    return f"{value:.4f}" if isinstance(value, float) else f"{value:,}"


def _setting(result: Result) -> str:
    days, messages = result.settings["simulation"]["days"], result.settings["simulation"]["messages"]
    change = f", change on day {result.change_day}" if result.change_day is not None else ""
    labels = f"after {result.label_delay} day(s)" if result.label_delay else "at once"
    return f"{days:,} days of {messages:,} messages{change}, labels {labels}"


def show_result(result: Result) -> None:
    """Print a table with a column for each policy, which fits a narrow terminal and a job's log too."""
    shown = Table(title=f"{result.scenario}: {_setting(result)}", title_justify="left")
    headings, *rows = _table(result)
    for number, heading in enumerate(headings):
        shown.add_column(heading, justify="right" if number else "left")
    for row in rows:
        shown.add_row(*row)
    console.print(shown, highlight=False)


def result_page(result: Result, figure: str) -> str:
    """Return the simulation as a page that needs nothing else.

    Parameters
    ----------
    result : Result
    figure : str
        SVG of macro F1 over time.
    """
    headings, *rows = zip(*_table(result), strict=True)
    values = {
        "title": f"Simulation: {result.scenario}",
        "setting": _setting(result),
        "headings": headings,
        "rows": rows,
        "figure": figure,
        "policies": [row[0] for row in rows],
        "name": result.name,
        "seconds": result.seconds,
    }
    return render("simulation.html", **values)


def write_result(result: Result, folder: Path) -> None:
    """Write ``result.json``, ``macro_f1.svg`` and ``index.html``."""
    figure = figure_svg(result)
    write_json(folder / "result.json", result.to_dict())
    write_text(folder / "macro_f1.svg", figure)
    write_text(folder / "index.html", result_page(result, figure))
