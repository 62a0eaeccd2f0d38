"""A simulation for people: a table on the terminal, a page, and the same as JSON."""

from __future__ import annotations

from pathlib import Path

from rich.table import Table

from batch_nlp.html import element, page, table
from batch_nlp.log import console
from batch_nlp.simulation.figure import figure_svg
from batch_nlp.simulation.result import Result, Summary
from batch_nlp.storage.atomic import write_json, write_text

_HOW = (
    "Every policy saw the same messages on the same days, and began with the same champion. Macro F1 is over the "
    "messages of all days, and of those since the change, with the predictions that were handed over on the day. "
    "Trainings are those after the first champion; the same are candidates that predict as the champion does. Recovery "
    "is the first day from which macro F1 over 5 days is at most 0.02 under that of always; days count from the change."
)
_POLICIES = (
    ("never", "the first champion stays"),
    ("always", "features and training after every batch, published whatever the comparison with the champion says"),
    ("rule", "the settings of drift and training.gate as they are"),
)


def _headings(result: Result) -> list[str]:
    change = ["macro F1 since the change"] if result.change_day is not None else []
    days = ["days to retraining", "days to recovery"] if result.change_day is not None else []
    return ["policy", "macro F1", *change, "alarms", "trainings", "promoted", "rejected", "same", "held back", *days]


def _cells(result: Result, policy: str, summary: Summary) -> list[str]:
    def score(value: float | None) -> str:
        return "-" if value is None else f"{value:.4f}"

    def days(value: int | None) -> str:
        return "-" if value is None else f"{value:,}"

    changes = result.change_day is not None
    counts = (
        summary.alarms,
        summary.trainings,
        summary.promotions,
        summary.rejections,
        summary.same,
        summary.held_back,
    )
    return [
        policy,
        score(summary.f1_macro),
        *([score(summary.f1_macro_after)] if changes else []),
        *(f"{count:,}" for count in counts),
        *([days(summary.days_to_retraining), days(summary.days_to_recovery)] if changes else []),
    ]


def _rows(result: Result) -> list[list[str]]:
    return [_cells(result, policy.value, result.summary(policy)) for policy in result.policies]


def _setting(result: Result) -> str:
    days, messages = result.settings["simulation"]["days"], result.settings["simulation"]["messages"]
    change = f", change on day {result.change_day}" if result.change_day is not None else ""
    labels = f"{result.label_delay} day(s)" if result.label_delay else "at once"
    return f"{days:,} days of {messages:,} messages{change}, labels after {labels}".replace("after at once", "at once")


def show_result(result: Result) -> None:
    """Print a table with a column for each policy, which fits a narrow terminal and a job's log too."""
    shown = Table(title=f"{result.scenario}: {_setting(result)}", title_justify="left")
    by_measure = zip(_headings(result), *_rows(result), strict=True)
    for number, heading in enumerate(next(by_measure)):
        shown.add_column(heading, justify="right" if number else "left")
    for row in by_measure:
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
    from markupsafe import Markup

    headings = _headings(result)
    # drawn by matplotlib, with texts of our own
    drawn = Markup(figure)  # noqa: S704 as said  # nosec B704
    return page(
        f"Simulation: {result.scenario}",
        element("p", _setting(result), kind="lead"),
        table(headings, _rows(result), range(1, len(headings))),
        element("figure", drawn),
        element("p", _HOW, kind="note"),
        table(("policy", "what it does"), [row for row in _POLICIES if row[0] in {p.value for p in result.policies}]),
        element("p", f"{result.name}, {result.seconds:,.0f} seconds. The days and all settings are in result.json.",
                kind="note"),
    )  # fmt: skip


def write_result(result: Result, folder: Path) -> None:
    """Write ``result.json``, ``macro_f1.svg`` and ``index.html``."""
    figure = figure_svg(result)
    write_json(folder / "result.json", result.to_dict())
    write_text(folder / "macro_f1.svg", figure)
    write_text(folder / "index.html", result_page(result, figure))
