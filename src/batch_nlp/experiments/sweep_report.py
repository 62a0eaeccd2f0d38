"""The ranking of a sweep as a table in the terminal, Markdown, JSON and a page."""

from __future__ import annotations

import json
import os
from dataclasses import asdict
from pathlib import Path
from typing import Any
from urllib.parse import quote

from markupsafe import Markup
from rich import box
from rich.markup import escape as escape_markup
from rich.table import Table

from batch_nlp.experiments.job_result import CARD_FILE, persist
from batch_nlp.experiments.ranking import CONFIDENCE, WORSE, Experiment, Ranking, given, short
from batch_nlp.log import console
from batch_nlp.reports.charts import DATA, SOFT
from batch_nlp.reports.interval_rows import IntervalRow, interval_rows
from batch_nlp.reports.pages import render

# Metrics of the table, in this order; the recalls of all classes share one column
_METRICS = ("f1_weighted", "f1_macro", "log_loss", "ece")
_RECALL = "recall_"
# Experiments in the chart; the table has all of them
_SHOWN = 20
_FAILURES = ("job", "exit code", "settings", "reason")


def ranked_table(ranking: Ranking) -> tuple[list[str], list[list[str]]]:
    """Return the headings and rows of the ranked table, as texts."""
    found = dict.fromkeys(name for experiment in ranking.experiments for name in experiment.metrics)
    metrics = [name for name in dict.fromkeys([ranking.metric or "", *_METRICS]) if name in found]
    recalls = [name for name in found if name.startswith(_RECALL)]
    classes = "/".join(name.removeprefix(_RECALL) for name in recalls)
    columns = [*ranking.parameters, "repeats", *metrics, *([f"recalls {classes}"] if recalls else [])]
    rows = [
        [
            str(place),
            *(short(experiment.settings.get(key, "")) for key in ranking.parameters),
            str(len(experiment.jobs)),
            *(_mean(experiment, name) for name in metrics),
            *(["/".join(_mean(experiment, name, 3, spread=False) for name in recalls)] if recalls else []),
            verdict,
            f"{experiment.seconds:.1f}",
        ]
        for place, experiment, verdict in ranking.placed
    ]
    return ["rank", *columns, "vs. best", "seconds"], rows


def failures(ranking: Ranking) -> list[list[str]]:
    """Return job, exit code, settings and reason of each failed job, as texts."""
    reason = f"no result: killed, or still running. To resume, repeat the command with sweep={ranking.name}"
    failed = [(job.number, int(job.exit_code), job.overrides, job.error or "") for job in ranking.failed]
    rows = [*failed, *(("", "", overrides, reason) for overrides in ranking.unfinished.values())]
    # a job that differs from no other is shown with all its settings
    return [
        [str(job), str(code), ranking.distinct(given(overrides)) or " ".join(overrides), why]
        for job, code, overrides, why in rows
    ]


def show(ranking: Ranking) -> None:
    """Print a ranked table that fits a narrow terminal, the headline and the failures."""
    if ranking.experiments:
        rows = [
            [str(place), ranking.distinct(found.settings), str(len(found.jobs)), _with_interval(found), verdict]
            for place, found, verdict in ranking.placed
        ]
        headings = ["rank", "settings", "repeats", f"{ranking.metric_name} ({CONFIDENCE:.0%})", "vs. best"]
        _print(f"sweep {ranking.name}", headings, rows)
        console.print(escape_markup(ranking.headline), highlight=False, soft_wrap=True)
    if rows := failures(ranking):
        _print("failed", _FAILURES, rows, "red")


def _with_interval(experiment: Experiment) -> str:
    if experiment.value is None:
        return "-"
    bounds = "" if experiment.interval is None else " ({:.3f}-{:.3f})".format(*experiment.interval)
    return f"{experiment.value:.4f}{bounds}"


def _print(title: str, headings: list[str] | tuple[str, ...], rows: list[list[str]], style: str = "") -> None:
    table = Table(title=escape_markup(title), title_justify="left", style=style, box=box.SIMPLE)
    for heading in headings:
        table.add_column(escape_markup(heading), overflow="fold", no_wrap=heading not in ("settings", "reason"))
    for row in rows:
        table.add_row(*(escape_markup(cell) for cell in row))
    console.print(table, highlight=False)


def write_reports(ranking: Ranking, folder: Path, jobs: Path) -> Path:
    """Write the ranking to ``<sweep>.json``, ``.md`` and ``.html`` in `folder`, and return the path of the page.

    `jobs` is the folder of the sweep, with one folder per job.
    """
    headings, rows = ranked_table(ranking)
    values = {
        "title": f"Sweep {ranking.name}",
        "headline": ranking.headline,
        "home": "../index.html",
        "ranking": ranking,
        "headings": headings,
        "rows": rows,
        "failure_headings": _FAILURES,
        "failures": failures(ranking),
        "confidence": CONFIDENCE,
    }
    cards = [_cards(experiment, folder, jobs) for experiment in ranking.experiments]
    content = json.dumps(ranking_values(ranking), indent=2, ensure_ascii=False, allow_nan=False)
    persist(folder / f"{ranking.name}.json", content + "\n")
    persist(folder / f"{ranking.name}.md", render("sweep.md", **values))
    page = folder / f"{ranking.name}.html"
    persist(page, render("sweep.html", **values, ranked=_chart(ranking), cards=cards))
    return page


def _chart(ranking: Ranking) -> Markup | None:
    """Return the best experiments with their intervals; None if there is nothing to compare."""
    rows = []
    for place, experiment, verdict in ranking.placed[:_SHOWN]:
        if experiment.value is not None:
            settings = " · ".join(short(experiment.settings.get(key, "") or "-") for key in ranking.parameters)
            low, high = experiment.interval or (None, None)
            colour = SOFT if verdict == WORSE else DATA
            rows.append(IntervalRow(f"{place}. {settings}", experiment.value, low, high, colour))
    if len(rows) < 2:
        return None
    listed = "; ".join(f"{row.label}: {row.figures}" for row in rows)
    return interval_rows("ranked", rows, ranking.metric_name, f"Ranked by metric. {listed}.")


def _cards(experiment: Experiment, folder: Path, jobs: Path) -> list[tuple[str, str]]:
    """Return number of the job and link to the model card, for each job of an experiment that left a card."""
    cards = ((job.number, jobs / job.fingerprint / CARD_FILE) for job in experiment.jobs)
    return [(str(number), quote(os.path.relpath(card, folder))) for number, card in cards if card.is_file()]


def ranking_values(ranking: Ranking) -> dict[str, Any]:
    """Return the ranking as JSON values."""
    return {
        "sweep": ranking.name,
        "metric": ranking.metric,
        "headline": ranking.headline,
        "parameters": ranking.parameters,
        "experiments": [
            {
                "rank": place,
                "settings": found.settings,
                "value": found.value,
                "interval": found.interval,
                "against_the_best": verdict,
                "metrics": {name: {"mean": mean, "deviation": sd} for name, (mean, sd) in found.metrics.items()},
                "seconds": found.seconds,
                "jobs": [asdict(job) for job in found.jobs],
            }
            for place, found, verdict in ranking.placed
        ],
        "failed": [asdict(job) for job in ranking.failed],
        "unfinished": [{"folder": name, "overrides": overrides} for name, overrides in ranking.unfinished.items()],
    }


def _mean(experiment: Experiment, metric: str, digits: int = 4, spread: bool = True) -> str:
    """Return a metric as text: its mean, and its standard deviation over repeats."""
    if metric not in experiment.metrics:
        return "-"
    mean, deviation = experiment.metrics[metric]
    return f"{mean:.{digits}f}" + ("" if deviation is None or not spread else f" ± {deviation:.{digits}f}")
