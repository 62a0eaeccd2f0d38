"""Checks of what people read of batches: a page and its facts for each, and the index."""

from __future__ import annotations

from functools import partial
from typing import Any

from batch_nlp.inference.batches import Batch, BatchState
from batch_nlp.monitoring.report import champion_history, read_reports, write_index
from batch_nlp.monitoring.report.batch_page import batch_page
from batch_nlp.monitoring.report.document import json_value
from batch_nlp.monitoring.report.files import INDEX_FILE
from batch_nlp.runner.context import Run
from batch_nlp.runner.reporting import REALISED_BATCHES, realised_performance
from batch_nlp.runner.verify.finding import UNREADABLE, Finding, Part, Severity, count
from batch_nlp.storage.atomic import write_text
from batch_nlp.storage.sealed_json import read_sealed

_NAME = "reports"
_ADVICE = "Predictions and verdict do not depend on it."


def check_reports(run: Run, batches: list[Batch]) -> Part:
    """Check that every batch that is done has its report, that it says what the record says, and the index."""
    folder = run.layers.batch_reports
    found, sound = [], 0
    for batch in batches:
        if batch.state is not BatchState.DONE:
            continue
        facts, page = folder / f"{batch.name}.json", folder / f"{batch.name}.html"
        document, problem = _document(run, batch)
        if problem:
            action = "Restore it from a backup; predictions and verdict do not depend on it"
            found.append(Finding(_NAME, facts, problem, action, Severity.WARNING))
        elif document is not None:
            sound += 1
        if not page.exists():
            action = "Restore it from a backup"
            if document is not None:
                action = "verify.repair=true draws it again from its facts"
            repair = None if document is None else partial(_write_page, run, batch.name, document)
            problem = "the page of a batch that is done is not there"
            found.append(Finding(_NAME, page, problem, action, Severity.WARNING, repair, passing=True))
    if sound and not (folder / INDEX_FILE).exists():
        problem, action = "the index of the batches is not there", "verify.repair=true writes it; so does an inference"
        repair = partial(_write_index, run)
        found.append(Finding(_NAME, folder / INDEX_FILE, problem, action, Severity.WARNING, repair, passing=True))
    return Part(_NAME, f"{count(sound, 'batch', 'batches')} with their facts", found)


def _document(run: Run, batch: Batch) -> tuple[dict[str, Any] | None, str | None]:
    """Return the facts of a batch's report, None unless they are sound, and what is wrong with them."""
    path = run.layers.batch_reports / f"{batch.name}.json"
    if not path.exists():
        return None, "the facts of a batch that is done are not there"
    try:
        document = read_sealed(path, _ADVICE, unsealed=True)
        differ = [name for name in ("accounts", "counts", "model_version") if document[name] != getattr(batch, name)]
    except UNREADABLE as error:
        return None, f"cannot be read ({error})"
    return (None, f"says otherwise than the batch's record: {', '.join(differ)}") if differ else (document, None)


def _write_page(run: Run, name: str, document: dict[str, Any]) -> str:
    path = run.layers.batch_reports / f"{name}.html"
    write_text(path, batch_page(document, json_value(champion_history(_decisions(run)))))
    return "drawn again from its facts"


def _write_index(run: Run) -> str:
    folder, dataset, decisions = run.layers.batch_reports, run.config.dataset.name, _decisions(run)
    reports = [report for report in read_reports(folder) if report.get("dataset") == dataset]
    realised = realised_performance(run, [str(report["name"]) for report in reports[-REALISED_BATCHES:]])
    write_index(folder, reports, realised, champion_history(decisions), decisions)
    return "written again"


def _decisions(run: Run) -> list[dict[str, Any]]:
    return [decision for decision in run.decisions.read() if decision.get("dataset") == run.config.dataset.name]
