"""Checks of the batches' records and of what each of them speaks of: predictions, quarantine, samples."""

from __future__ import annotations

import json
from dataclasses import fields
from functools import partial
from pathlib import Path

import pyarrow.parquet as pq

from batch_nlp.inference.batches import Batch, BatchRecords, BatchState
from batch_nlp.runner.context import Run
from batch_nlp.runner.verify.finding import UNREADABLE, Finding, Part, Severity, count, file_and_problem, set_aside
from batch_nlp.runner.verify.restore import lost_record, restore_record
from batch_nlp.storage import sealed_files
from batch_nlp.storage.layers import Layers
from batch_nlp.storage.requeued import REQUEUED
from batch_nlp.storage.samples import sample_file

_NAME = "batches"
_ACCOUNTS = {"in", "predicted", "duplicates", "quarantined"}
_AGAIN = (
    "Restore it from a backup; or, to have the files scored again, put them in the inbox, and remove the record "
    "together with the batch's folder of predictions"
)
_SAMPLE = "Predictions do not depend on it, but batches cannot be judged together with this one while it is there"


def read_records(run: Run) -> tuple[list[Batch], dict[Path, str]]:
    """Return the sound records, oldest first, and what is wrong with the others, by file."""
    folder, names = run.layers.batches, {field.name for field in fields(Batch)}
    damaged = dict(file_and_problem(told, folder) for told in BatchRecords(folder).problems())
    batches = []
    for path in sorted(folder.glob("[!.]*.json")):
        if path in damaged:
            continue
        try:
            values = json.loads(path.read_bytes())
            known = {name: value for name, value in values.items() if name in names}
            batches.append(Batch(**{**known, "state": BatchState(values["state"])}))
        except (*UNREADABLE, AttributeError) as error:
            damaged[path] = f"cannot be read ({error})"
    return batches, damaged


def check_records(run: Run, batches: list[Batch], damaged: dict[Path, str]) -> Part:
    """Check every record, that what it speaks of is there, and that nothing is there without a record.

    Parameters
    ----------
    run : Run
    batches, damaged
        From `read_records`.
    """
    found = [_damaged_record(run, path, problem) for path, problem in damaged.items()]
    for batch in batches:
        if batch.state is not BatchState.CLAIMED:
            found += _accounts(run, batch) + _quarantine(run, batch) + _sample(run, batch)
    for folder in sorted(run.layers.root.glob("07_model_output/*/samples")):
        told = (file_and_problem(problem, folder) for problem in sealed_files.problems(folder))
        # one that is gone may have been removed
        found += [Finding(_NAME, path, problem, _SAMPLE) for path, problem in told if path.exists()]
    found += _without_record(run, {batch.name for batch in batches} | {path.stem for path in damaged})
    checked = count(len(batches) + len(damaged), "record")
    unfinished = [batch.name for batch in batches if batch.state is not BatchState.DONE]
    if unfinished:
        checked += f"; {', '.join(unfinished)} was begun, and the next inference goes on with it"
    return Part(_NAME, checked, found)


def _damaged_record(run: Run, path: Path, problem: str) -> Finding:
    lost = lost_record(run, path.stem)
    if lost is None:
        return Finding(_NAME, path, problem, _AGAIN)
    action = "verify.repair=true puts it aside and writes the record again from the batch's report"

    def repair() -> str:
        return f"{set_aside(run, path)}; {restore_record(run, lost)}"

    return Finding(_NAME, path, problem, action, repair=repair)


def _accounts(run: Run, batch: Batch) -> list[Finding]:
    path, accounts = run.layers.batches / f"{batch.name}.json", batch.accounts
    if set(accounts) != _ACCOUNTS or any(not isinstance(value, int) or value < 0 for value in accounts.values()):
        return [Finding(_NAME, path, f"the accounts are not complete: {accounts}", _AGAIN)]
    out = accounts["predicted"] + accounts["duplicates"] + accounts["quarantined"]
    problems = []
    if accounts["in"] != out:
        problems.append(
            f"{accounts['in']:,} messages came in, and {out:,} are accounted for ({accounts['predicted']:,} predicted "
            f"+ {accounts['duplicates']:,} duplicates + {accounts['quarantined']:,} quarantined)"
        )
    if sum(batch.counts) != accounts["predicted"]:
        problems.append(
            f"the counts of the classes, {batch.counts}, do not add up to {accounts['predicted']:,} predicted messages"
        )
    return [Finding(_NAME, path, problem, _AGAIN) for problem in problems]


def _quarantine(run: Run, batch: Batch) -> list[Finding]:
    folder, expected = run.layers.inference_quarantine, batch.accounts.get("quarantined", 0)
    # of a batch whose rows were put back, all of them are there, and the other file has what was not put back
    files = (folder / REQUEUED / f"{batch.name}.parquet", folder / f"{batch.name}.parquet")
    path = next((file for file in files if file.exists()), files[-1])
    if not path.exists():
        if not expected:
            return []
        problem = f"{count(expected, 'message')} of the batch in quarantine, and their file is not there"
        action = "Nothing if you removed it; otherwise restore it from a backup, or the rows cannot be mended"
        return [Finding(_NAME, path, problem, action, Severity.WARNING)]
    try:
        with pq.ParquetFile(path, page_checksum_verification=True) as file:
            rows = sum(part.num_rows for part in file.iter_batches(run.config.engine.batch_rows))
    except UNREADABLE as error:
        action = "Restore it from a backup, or take the rows from the files that the batch's record names"
        return [Finding(_NAME, path, f"cannot be read ({error})", action)]
    if rows == expected:
        return []
    problem = f"holds {rows:,} rows where the batch's record says {expected:,}"
    return [Finding(_NAME, path, problem, "Restore the file or the record from a backup")]


def _sample(run: Run, batch: Batch) -> list[Finding]:
    path = sample_file(Layers(run.layers.root, batch.dataset), batch.name)
    if batch.state is BatchState.DONE or path.exists():
        return []
    problem = "the sample of a batch that is not finished is not there"
    action = "Nothing: the next inference judges the batch by its predictions, and compares no texts and features"
    return [Finding(_NAME, path, problem, action, Severity.WARNING)]


def _without_record(run: Run, named: set[str]) -> list[Finding]:
    """Find what is there of batches without a record; a record that the report still knows is written again."""
    found = []
    for folder in sorted(run.layers.predictions.glob("[!.]*/")):
        if folder.name in named:
            continue
        lost = lost_record(run, folder.name)
        if lost is None:
            repair, done = partial(set_aside, run, folder), "moves the folder to 09_inference/orphans"
        else:
            repair, done = partial(restore_record, run, lost), "writes the record again from the batch's report"
            named = named | {folder.name}
        problem = "predictions without a record: their messages count as predicted before, and nobody answers for them"
        action = f"Restore the record from a backup; or verify.repair=true {done}"
        found.append(Finding(_NAME, folder, problem, action, repair=repair, passing=True))
    samples = run.layers.root.glob("07_model_output/*/samples/[!.]*.parquet")
    for path in sorted([*run.layers.inference_quarantine.glob("[!.]*.parquet"), *samples]):
        if path.stem not in named:
            what = "sample" if path.parent.name == "samples" else "quarantine"
            problem, action = f"{what} of a batch without a record", "verify.repair=true puts it aside"
            found.append(
                Finding(_NAME, path, problem, action, Severity.WARNING, partial(set_aside, run, path), passing=True)
            )
    return found
