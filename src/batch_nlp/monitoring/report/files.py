"""The reports as files: each is there whole or not at all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from loguru import logger

from batch_nlp.config import DriftConfig
from batch_nlp.errors import DataError
from batch_nlp.monitoring.analysis import Analysis, Performance
from batch_nlp.monitoring.answer import Answer
from batch_nlp.monitoring.report.batch_page import batch_page
from batch_nlp.monitoring.report.document import batch_document, json_value
from batch_nlp.monitoring.report.index_page import index_page
from batch_nlp.storage.atomic import write_text
from batch_nlp.storage.sealed_json import read_sealed, write_sealed

INDEX_FILE = "index.html"


def write_batch_report(
    folder: Path,
    batch: Mapping[str, Any],
    analysis: Analysis,
    answer: Answer | None,
    champions: Sequence[Mapping[str, Any]],
    drift: DriftConfig,
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
    """
    document = batch_document(batch, analysis, answer, drift)
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
    """Write the page that shows all batches over time.

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
    page = index_page(reports, realised, json_value(champions), decisions)
    write_text(folder / INDEX_FILE, page)


def read_reports(folder: Path) -> list[dict[str, Any]]:
    """Return the documents of all batches, oldest first; one that cannot be read is passed over with a warning."""
    documents = []
    for path in sorted(folder.glob("[!.]*.json")):
        try:
            document = read_sealed(path, "It is left out of the index of batches.", unsealed=True)
            if not isinstance(document.get("verdict"), dict):
                raise DataError(f"{path}: no report of a batch. It is left out of the index of batches.")
        except DataError as error:
            logger.warning("{}", error)
        else:
            documents.append(document)
    return documents
