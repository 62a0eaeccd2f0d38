"""The page that shows all batches over time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from batch_nlp.monitoring.analysis import Performance
from batch_nlp.monitoring.report.advice import headline
from batch_nlp.monitoring.report.rendering import page_templates
from batch_nlp.monitoring.report.timeline import Moment, main_classes, moments
from batch_nlp.monitoring.report.timeline_figures import share_figure, value_figure

# Batches that the table names; all are in the figures
_NEWEST = 200
_BAND = {"low": 0.1, "high": 0.9, "confidence": 0.95}


def index_page(
    reports: Sequence[Mapping[str, Any]],
    realised: Mapping[str, Performance],
    champions: Sequence[Mapping[str, Any]],
    decisions: Sequence[Mapping[str, Any]],
) -> str:
    """Return the page; it needs no network and no scripts.

    Parameters
    ----------
    reports : sequence of mappings
        Documents of the batches, oldest first.
    realised : mapping of str to Performance
        By the name of the batch.
    champions : sequence of mappings
        From `champion_history`, oldest first.
    decisions : sequence of mappings
        The decision log, oldest first.
    """
    # the dataset of the newest batch comes first
    datasets = list(dict.fromkeys(str(report.get("dataset")) for report in reversed(reports)))
    sections = []
    for dataset in datasets:
        own = [report for report in reports if str(report.get("dataset")) == dataset]
        made = [decision for decision in decisions if decision.get("dataset") == dataset]
        sections.append(_section(dataset, moments(own, realised, made), champions))
    values = {"sections": sections, "champions": champions, "newest_count": _NEWEST}
    return page_templates().get_template("index.html").render(values)


def _section(dataset: str, line: Sequence[Moment], champions: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    band = line[-1].document.get("band") or _BAND
    on_holdout = {champion["version"]: champion.get("metrics", {}).get("f1_macro") for champion in champions}
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
        lambda moment: on_holdout.get(moment.document.get("model_version")),
        lambda value: f"{value:.3f}",
        lambda moment: moment.realised.f1_macro if moment.realised else None,
    )
    classes = main_classes(line)
    newest = list(reversed(line[-_NEWEST:]))
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
