"""Checks of the batches' records and of what each of them speaks of: predictions, quarantine, samples."""

from __future__ import annotations

import json
from dataclasses import fields
from functools import partial
from pathlib import Path

import pyarrow.parquet as pq

from batch_nlp.errors import DataError, count
from batch_nlp.inference.batch_records import PREDICTIONS_FILE, Batch, BatchState
from batch_nlp.inference.past import Past
from batch_nlp.runner.context import RunContext
from batch_nlp.runner.verify.finding import UNREADABLE, Part, file_and_problem, set_aside
from batch_nlp.runner.verify.predictions import read_contents
from batch_nlp.storage import sealed_files
from batch_nlp.storage.layers import Layers
from batch_nlp.storage.requeued import REQUEUED
from batch_nlp.storage.samples import sample_file
from batch_nlp.storage.sealed_json import read_sealed

_ACCOUNTS = {"in", "predicted", "duplicates", "quarantined"}
_AGAIN = (
    "Restore it from a backup; or, to have the files scored again, put them in the inbox, and remove the record "
    "together with the batch's folder of predictions"
)
_KNOWN = "Until then no inference works: messages could be predicted twice"
_SAMPLE = "Predictions do not depend on it, but batches cannot be judged together with this one while it is there"


def read_records(run: RunContext) -> tuple[list[Batch], dict[Path, str]]:
    """Return the sound records, oldest first, and what is wrong with the others, by file."""
    folder, names = run.layers.batches, {field.name for field in fields(Batch)}
    damaged = dict(file_and_problem(told, folder) for told in run.batches.problems())
    batches = []
    for path in sorted(folder.glob("[!.]*.json")):
        if path in damaged:
            continue
        try:
            values = json.loads(path.read_bytes())
            known = {name: value for name, value in values.items() if name in names}
            batch = Batch(**{**known, "state": BatchState(values["state"])})
        except (*UNREADABLE, AttributeError) as error:
            damaged[path] = f"cannot be read ({error})"
            continue
        # one that retention is removing may be half there; the next run goes on
        if batch.name > _removed(run, batch.dataset):
            batches.append(batch)
    return batches, damaged


def _removed(run: RunContext, dataset: str) -> str:
    try:
        return run.batches.past(dataset).removed()
    except DataError:  # told by the check of what is known
        return ""


def check_records(run: RunContext, batches: list[Batch], damaged: dict[Path, str], part: Part) -> str:
    """Check every record of `read_records`, that what it speaks of is there, and that nothing is without a record."""
    for path, problem in damaged.items():
        _damaged_record(run, path, problem, part)
    for batch in batches:
        if batch.state is not BatchState.CLAIMED:
            _accounts(run, batch, part)
            _quarantine(run, batch, part)
            _sample(run, batch, part)
    for folder in sorted(run.layers.root.glob("07_model_output/*/samples")):
        for told in sealed_files.problems(folder):
            path, problem = file_and_problem(told, folder)
            if path.exists():  # one that is gone may have been removed
                part.error(path, problem, _SAMPLE)
    _without_record(run, {*run.batches.names()} | {path.stem for path in damaged}, part)
    for past in Past.of_all(run.layers.known):
        for told in past.problems():
            part.error(*file_and_problem(told, run.layers.known), _KNOWN)
    checked = count(len(batches) + len(damaged), "record")
    unfinished = [batch.name for batch in batches if batch.state is not BatchState.DONE]
    if unfinished:
        checked += f"; {', '.join(unfinished)} was begun, and the next inference goes on with it"
    return checked


def _damaged_record(run: RunContext, path: Path, problem: str, part: Part) -> None:
    lost = _lost_record(run, path.stem)
    if lost is None:
        part.error(path, problem, _AGAIN)
        return

    def repair() -> str:
        return f"{set_aside(run, path)}; {_restore_record(run, lost)}"

    part.error(
        path, problem, "verify.repair=true puts it aside and writes the record again from the batch's report", repair
    )


def _lost_record(run: RunContext, name: str) -> Batch | None:
    """Return the record of a batch, which is gone or cannot be read, as the batch's report tells it.

    None where there is no report, where it does not agree with the predictions, or where the response to the verdict
    was not over when it was written: then nobody knows how far the batch had come.
    """
    try:
        facts = read_sealed(run.layers.batch_reports / f"{name}.json", "", unsealed=True)
        values = {field.name: facts[field.name] for field in fields(Batch) if field.name in facts}
        batch = Batch(**{**values, "state": BatchState.DONE})
        contents = read_contents(run.layers.predictions / name / PREDICTIONS_FILE, run.config.engine.batch_rows)
    except (*UNREADABLE, AttributeError):
        return None
    agree = (
        batch.name == name
        and facts.get("answer") is not None
        and contents.rows == batch.accounts.get("predicted")
        and contents.counts == batch.counts
    )
    return batch if agree else None


def _restore_record(run: RunContext, batch: Batch) -> str:
    run.batches.write(batch)
    return f"the record of {batch.name} was written again from its report"


def _accounts(run: RunContext, batch: Batch, part: Part) -> None:
    path, accounts = run.layers.batches / f"{batch.name}.json", batch.accounts
    if set(accounts) != _ACCOUNTS or any(not isinstance(value, int) or value < 0 for value in accounts.values()):
        part.error(path, f"the accounts are not complete: {accounts}", _AGAIN)
        return
    out = accounts["predicted"] + accounts["duplicates"] + accounts["quarantined"]
    if accounts["in"] != out:
        problem = (
            f"{accounts['in']:,} messages came in, and {out:,} are accounted for ({accounts['predicted']:,} predicted "
            f"+ {accounts['duplicates']:,} duplicates + {accounts['quarantined']:,} quarantined)"
        )
        part.error(path, problem, _AGAIN)
    if sum(batch.counts) != accounts["predicted"]:
        problem = (
            f"the counts of the classes, {batch.counts}, do not add up to {accounts['predicted']:,} predicted messages"
        )
        part.error(path, problem, _AGAIN)


def _quarantine(run: RunContext, batch: Batch, part: Part) -> None:
    folder, expected = run.layers.inference_quarantine, batch.accounts.get("quarantined", 0)
    # of a batch whose rows were put back, all of them are there, and the other file has what was not put back
    files = (folder / REQUEUED / f"{batch.name}.parquet", folder / f"{batch.name}.parquet")
    path = next((file for file in files if file.exists()), files[-1])
    if not path.exists():
        if expected:
            problem = f"{count(expected, 'message')} of the batch in quarantine, and their file is not there"
            action = "Nothing if you removed it; otherwise restore it from a backup, or the rows cannot be mended"
            part.warn(path, problem, action)
        return
    try:
        with pq.ParquetFile(path, page_checksum_verification=True) as file:
            rows = sum(batch.num_rows for batch in file.iter_batches(run.config.engine.batch_rows))
    except UNREADABLE as error:
        action = "Restore it from a backup, or take the rows from the files that the batch's record names"
        part.error(path, f"cannot be read ({error})", action)
        return
    if rows != expected:
        problem = f"holds {rows:,} rows where the batch's record says {expected:,}"
        part.error(path, problem, "Restore the file or the record from a backup")


def _sample(run: RunContext, batch: Batch, part: Part) -> None:
    path = sample_file(Layers(run.layers.root, batch.dataset), batch.name)
    if batch.state is not BatchState.DONE and not path.exists():
        action = "Nothing: the next inference judges the batch by its predictions, and compares no texts and features"
        part.warn(path, "the sample of a batch that is not finished is not there", action)


def _without_record(run: RunContext, named: set[str], part: Part) -> None:
    """Find what is there of batches without a record; a record that the report still knows is written again."""
    for folder in sorted(run.layers.predictions.glob("[!.]*/")):
        if folder.name in named:
            continue
        lost = _lost_record(run, folder.name)
        if lost is None:
            repair, done = partial(set_aside, run, folder), "moves the folder to 09_inference/orphans"
        else:
            repair, done = partial(_restore_record, run, lost), "writes the record again from the batch's report"
            named = named | {folder.name}
        problem = "predictions without a record: their messages count as predicted before, and nobody answers for them"
        action = f"Restore the record from a backup; or verify.repair=true {done}"
        part.error(folder, problem, action, repair, passing=True)
    samples = run.layers.root.glob("07_model_output/*/samples/[!.]*.parquet")
    for path in sorted([*run.layers.inference_quarantine.glob("[!.]*.parquet"), *samples]):
        if path.stem not in named:
            what = "sample" if path.parent.name == "samples" else "quarantine"
            problem, action = f"{what} of a batch without a record", "verify.repair=true puts it aside"
            part.warn(path, problem, action, partial(set_aside, run, path), passing=True)
