"""What is wrong with the reports on batches: a page and its facts per batch, and the index."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

from batch_nlp.inference.batch_records import Batch, BatchState
from batch_nlp.reports.batch_index import INDEX_FILE
from batch_nlp.reports.batch_page import batch_page
from batch_nlp.reports.documents import champion_history
from batch_nlp.runner.context import RunContext
from batch_nlp.runner.reporting import write_batches
from batch_nlp.storage.atomic import write_text
from batch_nlp.storage.orphans import Orphans
from batch_nlp.storage.problem import UNREADABLE, DamageError, Problem, Severity
from batch_nlp.storage.seal import read_sealed

_RESTORE = "Restore it from a backup; predictions and verdict do not depend on it."
# Facts that the record has too
_SHARED = ("accounts", "counts", "model_version")


def problems(run: RunContext, batches: Sequence[Batch]) -> list[Problem]:
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
