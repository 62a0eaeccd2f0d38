"""Writes the record of a batch again: its report tells all that the record told."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

from batch_nlp.inference.batches import PREDICTIONS_FILE, Batch, BatchRecords, BatchState
from batch_nlp.runner.context import Run
from batch_nlp.runner.verify.contents import read_contents
from batch_nlp.runner.verify.finding import UNREADABLE
from batch_nlp.storage.sealed_json import read_sealed


def lost_record(run: Run, name: str) -> Batch | None:
    """Return the record of a batch as its report tells it.

    Parameters
    ----------
    run : Run
    name : str
        Of a batch without a record, or with one that cannot be read.

    Returns
    -------
    Batch or None
        None where there is no report, where it does not agree with the predictions, or where the response to the
        verdict was not over when it was written: then nobody knows how far the batch had come.
    """
    try:
        facts = read_sealed(run.layers.batch_reports / f"{name}.json", "", unsealed=True)
        values = {field.name: facts[field.name] for field in fields(Batch) if field.name in facts}
        batch = Batch(**{**values, "state": BatchState.DONE})
        contents = read_contents(_predictions(run, name), run.config.engine.batch_rows)
    except (*UNREADABLE, AttributeError):
        return None
    agree = (
        batch.name == name
        and facts.get("answer") is not None
        and contents.rows == batch.accounts.get("predicted")
        and contents.counts == batch.counts
    )
    return batch if agree else None


def restore_record(run: Run, batch: Batch) -> str:
    """Write a record again, and return what was done."""
    BatchRecords(run.layers.batches).write(batch)
    return f"the record of {batch.name} was written again from its report"


def _predictions(run: Run, name: str) -> Path:
    return run.layers.predictions / name / PREDICTIONS_FILE
