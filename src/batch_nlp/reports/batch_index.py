"""The page that shows the newest batches over time; it leads to the pages of the months."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from batch_nlp.reports.advice import headline
from batch_nlp.reports.documents import f1_on_holdout, json_value
from batch_nlp.reports.months import month_pages
from batch_nlp.reports.pages import render
from batch_nlp.reports.timeline import Moment, main_classes, moments
from batch_nlp.reports.timeline_figures import share_figure, value_figure
from batch_nlp.storage.atomic import write_text

INDEX_FILE = "index.html"
# Batches that the index shows; pages of their months name all
NEWEST = 100
_BAND = {"low": 0.1, "high": 0.9, "confidence": 0.95}


def write_index(
    folder: Path,
    reports: Sequence[Mapping[str, Any]],
    realised: Mapping[str, float],
    champions: Sequence[Mapping[str, Any]],
    decisions: Sequence[Mapping[str, Any]],
) -> None:
    """Write the page that shows the newest batches over time; it leads to the pages of the months.

    Parameters
    ----------
    folder : Path
        ``08_reporting/batches``.
    reports : sequence of mappings
        Documents of the batches, oldest first, as `read_reports` returns them.
    realised : mapping of str to Performance
        Batch name -> macro F1 of its predictions, for batches whose labels have come.
    champions : sequence of mappings
        From `champion_history`, oldest first.
    decisions : sequence of mappings
        The decision log, oldest first: its gates and rollbacks are marked.
    """
    champions = json_value(champions)
    # the dataset of the newest batch comes first
    datasets = list(dict.fromkeys(str(report.get("dataset")) for report in reversed(reports)))
    sections = []
    for dataset in datasets:
        own = [report for report in reports if str(report.get("dataset")) == dataset]
        made = [decision for decision in decisions if decision.get("dataset") == dataset]
        sections.append(_section(dataset, moments(own, realised, made), champions))
    values = {"sections": sections, "champions": champions, "months": month_pages(folder)}
    write_text(folder / INDEX_FILE, render("batches.html", **values))


def _section(dataset: str, line: Sequence[Moment], champions: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return what the index shows of a dataset."""
    band, on_holdout = line[-1].document.get("band") or _BAND, f1_on_holdout(champions)
    confidence = value_figure(
        line,
        "mean confidence",
        lambda moment: moment.compared("confidence")[0],
        lambda moment: moment.compared("confidence")[1],
        lambda value: f"{value:.1%}",
    )
    f1 = value_figure(
        line,
        "macro F1",
        lambda moment: moment.estimated_f1,
        lambda moment: on_holdout.get(moment.document.get("model_version", "")),
        lambda value: f"{value:.3f}",
        lambda moment: moment.realised,
    )
    classes = main_classes(line)
    newest = list(reversed(line))
    return {
        "dataset": dataset,
        "batches": len(line),
        "alarms": sum("alarm" in moment.events for moment in line),
        "promoted": sum("promoted" in moment.events for moment in line),
        "band": band,
        "newest": newest[0],
        "headline": headline(newest[0].document),
        "shares": share_figure(line, band),
        "confidence": confidence,
        "f1": f1,
        "classes": classes,
        "more": len({name for moment in line for name in moment.shares}) - len(classes),
        "rows": newest,
    }
