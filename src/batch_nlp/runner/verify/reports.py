"""Checks of what people read of batches: a page and its facts for each, and the index."""

from __future__ import annotations

from functools import partial
from typing import Any

from batch_nlp.errors import count
from batch_nlp.inference.batch_records import Batch, BatchState
from batch_nlp.reports.batch_index import INDEX_FILE
from batch_nlp.reports.batch_page import batch_page
from batch_nlp.reports.documents import champion_history
from batch_nlp.runner.context import RunContext
from batch_nlp.runner.reporting import write_batches
from batch_nlp.runner.verify.finding import UNREADABLE, Part
from batch_nlp.storage.atomic import write_text
from batch_nlp.storage.sealed_json import read_sealed

_ADVICE = "Predictions and verdict do not depend on it."


def check_reports(run: RunContext, batches: list[Batch], part: Part) -> str:
    """Check that every batch that is done has its report, that it says what the record says, and the index."""
    folder, sound = run.layers.batch_reports, 0
    for batch in batches:
        if batch.state is not BatchState.DONE:
            continue
        facts, page = folder / f"{batch.name}.json", folder / f"{batch.name}.html"
        document, problem = _document(run, batch)
        if problem:
            action = "Restore it from a backup; predictions and verdict do not depend on it"
            part.warn(facts, problem, action)
        elif document is not None:
            sound += 1
        if not page.exists():
            problem, action, repair = "the page of a batch that is done is not there", "Restore it from a backup", None
            if document is not None:
                action = "verify.repair=true draws it again from its facts"
                repair = partial(_write_page, run, batch.name, document)
            part.warn(page, problem, action, repair, passing=True)
    if sound and not (folder / INDEX_FILE).exists():
        problem, action = "the index of the batches is not there", "verify.repair=true writes it; so does an inference"
        part.warn(folder / INDEX_FILE, problem, action, partial(_write_index, run), passing=True)
    return f"{count(sound, 'batch', 'batches')} with their facts"


def _document(run: RunContext, batch: Batch) -> tuple[dict[str, Any] | None, str | None]:
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


def _write_page(run: RunContext, name: str, document: dict[str, Any]) -> str:
    champions = champion_history(run.own_decisions())
    write_text(run.layers.batch_reports / f"{name}.html", batch_page(document, champions))
    return "drawn again from its facts"


def _write_index(run: RunContext) -> str:
    write_batches(run)
    return "written again"
