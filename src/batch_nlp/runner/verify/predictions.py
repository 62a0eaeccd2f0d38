"""Checks of the predictions that were handed over, against the records and against each other."""

from __future__ import annotations

from pathlib import Path

from batch_nlp.inference.batches import PREDICTIONS_FILE, Batch, BatchState
from batch_nlp.inference.second import REWEIGHTED_FILE, rescored_file
from batch_nlp.runner.context import Run
from batch_nlp.runner.verify.contents import Contents, read_contents
from batch_nlp.runner.verify.finding import UNREADABLE, Part, count, file_and_problem
from batch_nlp.storage import sealed_files
from batch_nlp.storage.tables import connect

_BACKUP = (
    "Restore the file from a backup; or, to have the files scored again, put them in the inbox, and remove the "
    "record together with the batch's folder of predictions"
)
_SECOND = "Remove it: the first predictions stand"
_BUG = f"A bug, or a file that was changed by hand: please report the first. {_BACKUP}"


def check_predictions(run: Run, batches: list[Batch], part: Part) -> str:
    """Check the predictions of every batch that is scored, row by row, and that no message was predicted twice."""
    files, rows, second = [], 0, 0
    for batch in batches:
        path = run.layers.predictions / batch.name / PREDICTIONS_FILE
        if batch.state is BatchState.CLAIMED:  # what is there already is replaced
            continue
        damaged = dict(file_and_problem(told, path.parent) for told in sealed_files.problems(path.parent))
        for file, problem in damaged.items():
            part.error(file, problem, _BACKUP)
        if path in damaged:
            continue
        if not path.exists():
            part.error(path, "the predictions of a batch that was scored are not there", _BACKUP)
            continue
        try:
            contents = read_contents(path, run.config.engine.batch_rows)
        except UNREADABLE as error:
            part.error(path, f"cannot be read ({error})", _BACKUP)
            continue
        files.append(path)
        rows += contents.rows
        for problem in _against_record(contents, batch):
            part.error(path, problem, _BUG)
        others = sorted({*path.parent.glob(rescored_file("*")), *path.parent.glob(REWEIGHTED_FILE)} - {*damaged})
        second += len(others)
        for other in others:
            for problem in _second(run, path, other, contents):
                part.error(other, problem, _SECOND)
    _find_twice(run, files, part)
    told = f"{count(rows, 'message')} in {count(len(files), 'batch', 'batches')}"
    return told + (f", {count(second, 'second prediction')}" if second else "")


def _against_record(contents: Contents, batch: Batch) -> list[str]:
    problems = _rows_in_order(contents)
    predicted = batch.accounts.get("predicted")
    if contents.rows != predicted:
        problems.append(f"holds {contents.rows:,} rows where the record says {predicted} predicted")
    if contents.counts != batch.counts:
        problems.append(f"predicts the classes {contents.counts} times where the record says {batch.counts}")
    if contents.rows and contents.models != {str(batch.model_version)}:
        problems.append(f"was made by {', '.join(sorted(contents.models))}, and the record says {batch.model_version}")
    return problems


def _rows_in_order(contents: Contents) -> list[str]:
    problems = []
    if contents.no_probabilities:
        problems.append(f"{count(contents.no_probabilities, 'row')} whose probabilities do not sum to 1")
    if contents.wrong_labels:
        problems.append(f"{count(contents.wrong_labels, 'row')} whose label is not that of its class")
    return problems


def _second(run: Run, first: Path, path: Path, contents: Contents) -> list[str]:
    """Return what is wrong with a second prediction of a batch: it has the messages of the first, each once."""
    try:
        problems = _rows_in_order(read_contents(path, run.config.engine.batch_rows))
        with connect(run.config.engine) as connection:
            ((missing, rows),) = connection.execute(
                """
                SELECT (SELECT count(*) FROM (SELECT message_id FROM read_parquet($first) EXCEPT ALL
                                              SELECT message_id FROM read_parquet($second))),
                       (SELECT count(*) FROM read_parquet($second))
                """,
                {"first": str(first), "second": str(path)},
            ).fetchall()
    except UNREADABLE as error:
        return [f"cannot be read ({error})"]
    if missing or rows != contents.rows:
        problems.append(
            f"holds {rows:,} rows and misses {count(missing, 'message')} of the {contents.rows:,} that were predicted "
            "first"
        )
    return problems


def _find_twice(run: Run, files: list[Path], part: Part) -> None:
    """Find messages that were predicted more than once, in one batch or in several."""
    if not files:
        return
    with connect(run.config.engine) as connection:
        rows = connection.execute(
            """
            SELECT first, last, count(*), min(message_id) FROM (
                SELECT message_id, min(filename) AS first, max(filename) AS last
                FROM read_parquet(?, filename = true) GROUP BY message_id HAVING count(*) > 1 OR message_id IS NULL
            ) GROUP BY ALL ORDER BY ALL
            """,
            [[str(path) for path in files]],
        ).fetchall()
    for first, last, number, example in rows:
        beside = "" if first == last else f", first in {Path(first).parent.name}"
        problem = f"{count(number, 'message')} predicted more than once{beside}; {example} among them"
        part.error(Path(last), problem, _BUG)
