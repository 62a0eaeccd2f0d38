"""What is wrong with batches: their records, and the predictions, quarantine and samples that belong to them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields, replace
from functools import partial
from pathlib import Path

from batch_nlp.inference.batch_records import PREDICTIONS_FILE, Batch, BatchRecords, BatchState
from batch_nlp.inference.past import Past
from batch_nlp.inference.prediction_problems import RESTORE, read_contents
from batch_nlp.storage import quarantine, samples
from batch_nlp.storage.layers import Layers
from batch_nlp.storage.orphans import Orphans
from batch_nlp.storage.problem import UNREADABLE, Problem, Severity
from batch_nlp.storage.samples import sample_file
from batch_nlp.storage.seal import read_sealed

_ACCOUNTS = {"in", "predicted", "duplicates", "quarantined"}
# Only for datasets with a condition (``where``)
_LEFT_OUT = "left_out"


def problems(layers: Layers, records: BatchRecords, batch_rows: int) -> list[Problem]:
    """Return what is wrong with the batches of all datasets, except the rows of their predictions."""
    batches, damaged = records.read()
    found = [_damaged_record(layers, records, problem, batch_rows) for problem in damaged]
    for batch in batches:
        own = Layers(layers.root, batch.dataset)
        if batch.state is not BatchState.CLAIMED:
            found += _accounts(layers.batches / f"{batch.name}.json", batch)
            expected = batch.accounts.get("quarantined", 0)
            found += quarantine.problems(own.inference_quarantine, batch.name, expected, batch_rows)
        sample = sample_file(own, batch.name)
        if batch.state in (BatchState.SCORED, BatchState.JUDGED) and not sample.exists():
            what = "missing, although the batch is not finished"
            action = "Nothing: the next inference judges the batch by its predictions, without texts and features."
            found.append(Problem(sample, what, action, Severity.WARNING))
    for folder in sorted(layers.root.glob("07_model_output/*/samples")):
        found += samples.problems(Layers(layers.root, folder.parent.name))
    found += _without_record(layers, records, batch_rows)
    for past in Past.of_all(layers.known):
        found += past.problems()
    return found


def _accounts(path: Path, batch: Batch) -> Iterator[Problem]:
    accounts = batch.accounts
    complete = set(accounts) in (_ACCOUNTS, _ACCOUNTS | {_LEFT_OUT})
    if not complete or any(not isinstance(value, int) or value < 0 for value in accounts.values()):
        yield Problem(path, f"incomplete accounts: {accounts}", RESTORE)
        return
    out = {name: number for name, number in accounts.items() if name != "in"}
    if accounts["in"] != sum(out.values()):
        parts = " + ".join(f"{number:,} {name.replace('_', ' ')}" for name, number in out.items())
        what = f"{accounts['in']:,} messages came in, but {sum(out.values()):,} are accounted for ({parts})"
        yield Problem(path, what, RESTORE)
    if sum(batch.counts) != accounts["predicted"]:
        what = f"the counts of the classes, {batch.counts}, do not add up to {accounts['predicted']:,} predictions"
        yield Problem(path, what, RESTORE)


def _damaged_record(layers: Layers, records: BatchRecords, problem: Problem, batch_rows: int) -> Problem:
    lost = _lost_record(layers, problem.path.stem, batch_rows)
    if lost is None:
        return replace(problem, action=RESTORE)

    def repair(orphans: Orphans) -> str:
        return f"{orphans.take(problem.path)}; {_write_again(records, lost, orphans)}"

    action = "verify.repair=true puts it aside and writes the record again from the batch's report."
    return replace(problem, action=action, repair=repair)


def _lost_record(layers: Layers, name: str, batch_rows: int) -> Batch | None:
    """Return the record of a batch, missing or unreadable, as the batch's report gives it.

    None if there is no report, if it differs from the predictions, or if it was written before the response to the
    verdict was over: then nobody knows how far the batch had come.
    """
    try:
        facts = read_sealed(layers.batch_reports / f"{name}.json", "", unsealed=True)
        values = {field.name: facts[field.name] for field in fields(Batch) if field.name in facts}
        batch = Batch(**{**values, "state": BatchState.DONE})
        contents = read_contents(layers.predictions / name / PREDICTIONS_FILE, batch_rows)
    except UNREADABLE:
        return None
    agree = (
        batch.name == name
        and facts.get("answer") is not None
        and contents.rows == batch.accounts.get("predicted")
        and contents.counts == batch.counts
    )
    return batch if agree else None


def _write_again(records: BatchRecords, batch: Batch, _: Orphans) -> str:
    records.write(batch)
    return f"the record of {batch.name} was written again from its report"


def _without_record(layers: Layers, records: BatchRecords, batch_rows: int) -> Iterator[Problem]:
    """Find what belongs to batches without a record."""
    named = set(records.names())
    for folder in sorted(layers.predictions.glob("[!.]*/")):
        if folder.name in named:
            continue
        lost = _lost_record(layers, folder.name, batch_rows)
        if lost is None:
            repair, does = partial(Orphans.take, path=folder), "moves the folder to 09_inference/orphans"
        else:
            repair, does = partial(_write_again, records, lost), "writes the record again from the batch's report"
            named.add(folder.name)
        what = "predictions without a record: their messages count as predicted, but no run answers for them"
        action = f"Restore the record from a backup. Or: verify.repair=true {does}."
        yield Problem(folder, what, action, repair=repair, transient=True)
    kept = layers.root.glob("07_model_output/*/samples/[!.]*.parquet")
    for path in sorted([*layers.inference_quarantine.glob("[!.]*.parquet"), *kept]):
        if path.stem not in named:
            what = f"{'sample' if path.parent.name == 'samples' else 'quarantine'} of a batch without a record"
            repair = partial(Orphans.take, path=path)
            yield Problem(path, what, "verify.repair=true puts it aside.", Severity.WARNING, repair, transient=True)
