"""What files of predictions hold, checked against the records and against each other."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from batch_nlp.errors import count
from batch_nlp.inference.batch_records import PREDICTIONS_FILE, Batch, BatchState
from batch_nlp.inference.csv_copy import CSV, write_csv_beside
from batch_nlp.inference.rescoring import REWEIGHTED_FILE, rescored_file
from batch_nlp.runner.context import RunContext
from batch_nlp.runner.verify.finding import UNREADABLE, Part, file_and_problem
from batch_nlp.storage import sealed_files
from batch_nlp.storage.tables import connect

_PROBABILITY = "probability_"
# How far from 1 the sum of a message's probabilities may be
_TOLERANCE = 1e-6
_BACKUP = (
    "Restore the file from a backup; or, to have the files scored again, put them in the inbox, and remove the "
    "record together with the batch's folder of predictions"
)
_COPY = "Nothing, or verify.repair=true, which writes it again: the record is {}"
_SECOND = "Remove it: the first predictions stand"
_BUG = f"A bug, or a file that was changed by hand: please report the first. {_BACKUP}"


@dataclass
class Contents:
    """What a file of predictions holds.

    Parameters
    ----------
    classes : list of str
        In the order of their columns.
    rows : int
    counts : list of int
        Predictions of each class.
    models : set of str
        Versions that the rows name.
    no_probabilities : int
        Rows whose probabilities are not between 0 and 1 or do not sum to 1.
    wrong_labels : int
        Rows whose class is none of the columns', or whose label is another class's.
    """

    classes: list[str]
    rows: int = 0
    counts: list[int] = field(default_factory=list)
    models: set[str] = field(default_factory=set)
    no_probabilities: int = 0
    wrong_labels: int = 0


def read_contents(path: Path, batch_rows: int) -> Contents:
    """Read a file of predictions after checking its pages, `batch_rows` rows at a time.

    Raises
    ------
    OSError, ValueError, KeyError, ArrowException
        If it cannot be read, or is no file of predictions.
    """
    with pq.ParquetFile(path, page_checksum_verification=True) as file:
        columns = [name for name in file.schema_arrow.names if name.startswith(_PROBABILITY)]
        if not columns:
            raise ValueError("it has no columns of probabilities")
        found = Contents([name.removeprefix(_PROBABILITY) for name in columns])
        counts = np.zeros(len(columns), dtype=np.int64)
        for part in file.iter_batches(batch_rows):
            _add(found, counts, pa.Table.from_batches([part]), columns)
    found.counts = counts.tolist()
    return found


def _add(found: Contents, counts: NDArray[np.int64], rows: pa.Table, columns: list[str]) -> None:
    predicted = rows["predicted_class"].to_numpy()
    probabilities = np.column_stack([rows[name].to_numpy() for name in columns])
    # a missing value is none of these either
    sound = (abs(probabilities.sum(axis=1) - 1) <= _TOLERANCE) & ((probabilities >= 0) & (probabilities <= 1)).all(
        axis=1
    )
    found.rows += rows.num_rows
    found.no_probabilities += int((~sound).sum())
    known = (predicted >= 0) & (predicted < len(columns))
    labels = np.asarray([*found.classes, None], dtype=object)[np.where(known, predicted, -1).astype(np.int64)]
    found.wrong_labels += int((labels != rows["predicted_label"].to_numpy(zero_copy_only=False)).sum())
    counts += np.bincount(predicted[known].astype(np.int64), minlength=len(columns))
    found.models.update(map(str, rows["model_version"].unique().to_pylist()))


def check_predictions(run: RunContext, batches: list[Batch], part: Part) -> str:
    """Check the predictions of every batch that is scored, row by row, and that no message was predicted twice."""
    files, rows, second = [], 0, 0
    for batch in batches:
        path = run.layers.predictions / batch.name / PREDICTIONS_FILE
        if batch.state is BatchState.CLAIMED:  # what is there already is replaced
            continue
        damaged = dict(file_and_problem(told, path.parent) for told in sealed_files.problems(path.parent))
        for file, problem in damaged.items():
            record = file.with_suffix(".parquet")
            if file.suffix == CSV:
                part.warn(file, problem, _COPY.format(record.name), partial(_write_copy, record, run))
            else:
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


def _write_copy(record: Path, run: RunContext) -> str:
    write_csv_beside(record, run.config.engine.batch_rows)
    return f"written again from {record.name}"


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


def _second(run: RunContext, first: Path, path: Path, contents: Contents) -> list[str]:
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


def _find_twice(run: RunContext, files: list[Path], part: Part) -> None:
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
