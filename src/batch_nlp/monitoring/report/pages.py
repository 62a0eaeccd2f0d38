"""The pages of the batches, which need no network and no scripts, and the same facts as JSON.

For the operator who is woken by a batch, its verdict, reason, response and advice come first. Each file is there whole
or not at all. Names, ids and words are data: the templates escape them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from loguru import logger

from batch_nlp.config import DriftConfig, DriftRule
from batch_nlp.config.commands import explain_command
from batch_nlp.errors import DataError
from batch_nlp.monitoring.analysis import Analysis, Performance
from batch_nlp.monitoring.answer import Answer
from batch_nlp.monitoring.report.advice import advice, headline
from batch_nlp.monitoring.report.document import batch_document, json_value, most_telling, with_parents
from batch_nlp.monitoring.report.months import month_pages
from batch_nlp.monitoring.report.rendering import page_templates
from batch_nlp.monitoring.report.timeline import Moment, main_classes, moments
from batch_nlp.monitoring.report.timeline_figures import share_figure, value_figure
from batch_nlp.storage.atomic import write_text
from batch_nlp.storage.sealed_json import documents, read_sealed, write_sealed

INDEX_FILE = "index.html"
# Batches that the index shows; pages of their months name all
NEWEST = 100
_BAND = {"low": 0.1, "high": 0.9, "confidence": 0.95}


def write_batch_report(
    folder: Path,
    batch: Mapping[str, Any],
    analysis: Analysis,
    answer: Answer | None,
    champions: Sequence[Mapping[str, Any]],
    drift: DriftConfig,
    card: str | None = None,
    places: Sequence[str] = (),
) -> None:
    """Write a batch's report as a page, and the same facts as JSON.

    Parameters
    ----------
    folder : Path
        ``08_reporting/batches``; the files are named for the batch.
    batch : mapping
        ``Batch.facts()``.
    analysis : Analysis
    answer : Answer or None
        None as long as the response to the verdict is not over.
    champions : sequence of mappings
        From `champion_history`, oldest first.
    drift : DriftConfig
        The settings that the batch was judged by.
    card : str, optional
        Link from the page to the card of the model that scored the batch.
    places : sequence of str
        Settings that commands on this data need.
    """
    document = batch_document(batch, analysis, answer, drift, card, places)
    write_text(folder / f"{batch['name']}.html", batch_page(document, json_value(champions)))
    # last: where there is a document, there is a page
    write_sealed(folder / f"{batch['name']}.json", document)


def write_index(
    folder: Path,
    reports: Sequence[Mapping[str, Any]],
    realised: Mapping[str, Performance],
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
        Batch name -> how good its predictions were, for batches whose labels have come.
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
    write_text(folder / INDEX_FILE, page_templates().get_template("index.html").render(values))


def read_reports(folder: Path, dataset: str | None = None, most: int | None = None) -> list[dict[str, Any]]:
    """Return the documents of batches, oldest first; one that cannot be read is passed over with a warning.

    Parameters
    ----------
    folder : Path
        ``08_reporting/batches``.
    dataset : str, optional
        Only its batches.
    most : int, optional
        Number of the newest ones to read; all by default.
    """
    found: list[dict[str, Any]] = []
    for name in reversed(documents(folder)):
        if len(found) == most:
            break
        path = folder / name
        try:
            document = read_sealed(path, "It is left out of the index of batches.", unsealed=True)
            if not isinstance(document.get("verdict"), dict):
                raise DataError(f"{path}: no report of a batch. It is left out of the index of batches.")
        except DataError as error:
            logger.warning("{}", error)
        else:
            if dataset in (None, document.get("dataset")):
                found.append(document)
    return found[::-1]


def batch_page(document: Mapping[str, Any], champions: Sequence[Mapping[str, Any]]) -> str:
    """Return the page of a batch.

    Parameters
    ----------
    document : mapping
        From `batch_document`.
    champions : sequence of mappings
        From `champion_history`, oldest first, as JSON values.
    """
    analysis, verdict, band = document["analysis"], document["verdict"], document["band"]
    shares, parents = analysis["verdict"]["shares"], analysis["verdict"].get("parents") or []
    shown, names = most_telling(shares), [parent["name"] for parent in parents]
    words = [word[side] or 0.0 for word in analysis["changed_words"] for side in ("share", "reference_share")]
    edges = [edge for edge in (band["low"], band["high"]) if edge is not None]
    values = {
        **document,
        "headline": headline(document),
        "by_window": verdict != analysis["verdict"],
        "advice": advice(document),
        "card": document.get("card"),
        "examples": [_example(example, document) for example in analysis["examples"]],
        "shares": [*parents, *shown],
        "parents": len(parents),
        "more": len(shares) - len(shown),
        "reference_shares": with_parents(analysis["reference_shares"], names),
        "prior_shares": with_parents(analysis["prior_shares"], names),
        "window_shares": most_telling(analysis["window"]["shares"]) if analysis["window"] else [],
        "figure_shares": parents or shown,
        "ticks": [*edges, *(tick for tick in (0.0, 0.5, 1.0) if all(abs(tick - edge) > 0.11 for edge in edges))],
        "findings": _findings(verdict),
        "tests": sorted(analysis["tests"], key=_weight),
        "longest_word": max(words, default=0.0),
        "holdout_f1": _on_holdout(champions).get(document["model_version"]),
        "champions": champions,
    }
    return page_templates().get_template("batch.html").render(values)


def _example(example: Mapping[str, Any], document: Mapping[str, Any]) -> dict[str, Any]:
    """Return a message to look at with the command for it; reports of earlier releases know no snippets."""
    return {"snippet": None, **example, "command": explain_command(example["message_id"], document.get("places", []))}


def _findings(verdict: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Return what the rules found; nothing where the verdict's own reason says it all."""
    # documents of earlier commits say `rings`
    found = [{"triggers": finding.get("rings"), **finding} for finding in verdict["findings"]]
    return [] if all(finding["rule"] == DriftRule.share.value for finding in found) else found


def _weight(test: Mapping[str, Any]) -> tuple[bool, float]:
    """Return where a comparison stands: first what counts, then what chance explains least."""
    return not test["counts"], 1.0 if test["p_adjusted"] is None else test["p_adjusted"]


def _on_holdout(champions: Sequence[Mapping[str, Any]]) -> dict[str, float | None]:
    """Return the macro F1 of each version on its hold-out."""
    return {champion["version"]: champion.get("metrics", {}).get("f1_macro") for champion in champions}


def _section(dataset: str, line: Sequence[Moment], champions: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return what the index shows of a dataset."""
    band, on_holdout = line[-1].document.get("band") or _BAND, _on_holdout(champions)
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
        lambda moment: moment.realised.f1_macro if moment.realised else None,
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
