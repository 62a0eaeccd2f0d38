"""What a run leaves for people and for their monitoring: pages of batches, copies of model cards, and metrics."""

from __future__ import annotations

import hashlib
import os
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import quote

from loguru import logger

from batch_nlp.config import Stage
from batch_nlp.config.commands import places_of_this_run
from batch_nlp.dataset.classes import class_map
from batch_nlp.errors import ExitCode, exit_code_of
from batch_nlp.inference.batch_records import PREDICTIONS_FILE, Batch, BatchState
from batch_nlp.monitoring.archive import totals
from batch_nlp.monitoring.batch_document import batch_document
from batch_nlp.monitoring.findings import Analysis, Answer
from batch_nlp.reports.batch_index import INDEX_FILE, NEWEST, write_index
from batch_nlp.reports.batch_page import batch_page, write_batch_report
from batch_nlp.reports.documents import HOME, champion_history, read_reports
from batch_nlp.reports.entry_page import write_entry_page
from batch_nlp.reports.months import add_to_months, month_page, month_pages
from batch_nlp.reports.pages import with_link_home
from batch_nlp.reports.prometheus import write_metrics, write_run_metrics
from batch_nlp.runner.context import RunContext
from batch_nlp.runner.train import sound_champion
from batch_nlp.storage.atomic import write_text
from batch_nlp.storage.orphans import Orphans
from batch_nlp.storage.outcomes import abstained_name, outcomes
from batch_nlp.storage.problem import UNREADABLE, DamageError, Problem, Severity
from batch_nlp.storage.seal import read_sealed

_RESTORE = "Restore it from a backup; predictions and verdict do not depend on it."
# Facts of a report that the record has too
_SHARED = ("accounts", "counts", "model_version")


def report_batch(run: RunContext, batch: Batch, analysis: Analysis, answer: Answer | None) -> None:
    """Write the report of a batch; its answer is None until the response to the verdict has ended."""
    card = _card_link(run, str(batch.model_version))
    document = batch_document(batch.facts(), analysis, answer, run.config.drift, card, places_of_this_run())
    write_batch_report(run.layers.batch_reports, document, champion_history(run.own_decisions()))


def _card_link(run: RunContext, version: str) -> str | None:
    """Copy the card of a model, so that it outlives the version, and return the link to the copy from a batch."""
    from batch_nlp.training.card.card_pages import CARD_PAGE

    card = run.registry.root / version / CARD_PAGE
    if not card.exists():
        return None
    content = card.read_bytes()
    # several registries may share the data
    copy = run.layers.cards / f"{version}-{hashlib.sha256(content).hexdigest()[:8]}.html"
    if not copy.exists():
        write_text(copy, with_link_home(content.decode(errors="replace"), HOME))
    return quote(os.path.relpath(copy, run.layers.batch_reports))


@contextmanager
def ending_written(run: RunContext) -> Iterator[None]:
    """Write how the block ended as metrics, and the entry page; after scoring, also the index of the batches."""
    try:
        yield
    except Exception as error:
        try:
            _write_ending(run, exit_code_of(error))
        except Exception as second:  # noqa: BLE001 the first error is the one to report
            logger.warning("Cannot write the metrics and the index of the batches: {}", second)
        raise
    _write_ending(run, ExitCode.DONE)


def _write_ending(run: RunContext, exit_code: ExitCode) -> None:
    dataset, pipeline, folder = run.config.dataset.name, run.config.pipeline, run.layers.metrics
    write_run_metrics(folder / f"{dataset}-{pipeline.name}.prom", dataset, pipeline.name, run.now, exit_code)
    if Stage.inference in pipeline.stages:
        write_batches(run, folder / f"{dataset}.prom")
    for version in run.registry.versions():
        _card_link(run, version)
    write_entry_page(run.layers.reporting)


def write_batches(run: RunContext, metrics: Path | None = None) -> None:
    """Write the index of the batches of the dataset, and if a file is given, their metrics."""
    dataset, decisions = run.config.dataset.name, run.own_decisions()
    folder = run.layers.batch_reports
    reports = read_reports(folder, dataset, NEWEST)
    # labels may have arrived since a batch was scored
    realised = _realised_performance(run, [str(report["name"]) for report in reports])
    months = {month_page(str(report["name"])) for report in reports} - {None}
    # a page is missing if it was removed, or if an earlier release wrote none
    known = months <= set(month_pages(folder))
    add_to_months(folder, reports if known else read_reports(folder))
    champions = champion_history(decisions)
    # events before the first of many batches do not belong to that batch
    first = str(reports[0].get("predicted_at")) if len(reports) == NEWEST else ""
    shown = [decision for decision in decisions if str(decision.get("at")) >= first]
    write_index(folder, reports, realised, champions, shown)
    if metrics is not None:
        write_metrics(metrics, dataset, reports, realised, champions, decisions, totals(decisions), run.now)


def _realised_performance(run: RunContext, batches: list[str]) -> dict[str, float]:
    """Return the macro F1 of the first predictions of each batch whose labels have arrived."""
    import numpy as np

    from batch_nlp.monitoring.statistics.performance import measure

    champion = sound_champion(run)
    found = class_map(run.config.dataset.label, champion)
    if found is None:
        return {}
    # a message without a class counts as a mistake
    names = outcomes(found.classes, None if champion is None else abstained_name(champion))
    position = {name: index for index, name in enumerate(names)}
    paths = {name: run.layers.predictions / name / PREDICTIONS_FILE for name in batches}
    files = {str(path): name for name, path in paths.items() if path.exists()}
    confusions: dict[str, Any] = defaultdict(lambda: np.zeros((len(position), len(position)), np.int64))
    for file, predicted, target, count in run.store.labels.confusion([Path(path) for path in files]):
        if predicted in position and (label := found.index(target)) >= 0:
            confusions[files[file]][label, position[predicted]] += count
    return {name: measure(confusion).f1_macro for name, confusion in confusions.items()}


def report_problems(run: RunContext, batches: Sequence[Batch]) -> list[Problem]:
    """Return what is wrong with the reports on finished batches."""
    folder, found, sound = run.layers.batch_reports, list[Problem](), 0
    for batch in batches:
        if batch.state is not BatchState.DONE:
            continue
        facts, page = folder / f"{batch.name}.json", folder / f"{batch.name}.html"
        document, what = _document(facts, batch)
        sound += document is not None
        if what:
            found.append(Problem(facts, what, _RESTORE, Severity.WARNING))
        if not page.exists():
            action, repair = _RESTORE, None
            if document is not None:
                action = "verify.repair=true draws it again from its facts."
                repair = partial(_write_page, run, page, document)
            found.append(Problem(page, "missing, although the batch is done", action, Severity.WARNING, repair, True))
    if sound and not (folder / INDEX_FILE).exists():
        action, repair = "verify.repair=true writes it, and so does an inference.", partial(_write_index, run)
        found.append(Problem(folder / INDEX_FILE, "missing", action, Severity.WARNING, repair, transient=True))
    return found


def _document(path: Path, batch: Batch) -> tuple[dict[str, Any] | None, str | None]:
    """Return the facts of a batch's report if they are sound, and otherwise what is wrong with them."""
    if not path.exists():
        return None, "missing, although the batch is done"
    try:
        document = read_sealed(path, _RESTORE, unsealed=True)
        differ = [name for name in _SHARED if document[name] != getattr(batch, name)]
    except DamageError as error:
        return None, error.problem.what
    except UNREADABLE as error:
        return None, f"cannot be read ({error})"
    return (None, f"differs from the batch's record: {', '.join(differ)}") if differ else (document, None)


def _write_page(run: RunContext, page: Path, document: dict[str, Any], _: Orphans) -> str:
    champions = champion_history(run.own_decisions())
    write_text(page, batch_page(document, champions))
    return "drawn again from its facts"


def _write_index(run: RunContext, _: Orphans) -> str:
    write_batches(run)
    return "written again"
