"""What is wrong with predictions: their files, their rows, and messages that were predicted twice."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from batch_nlp.config import EngineConfig
from batch_nlp.errors import count
from batch_nlp.inference.batch_records import PREDICTIONS_FILE, Batch, BatchState
from batch_nlp.inference.csv_copy import CSV, write_csv_beside
from batch_nlp.inference.predict import ABSTAINED, PROBABILITY
from batch_nlp.inference.rescoring import REWEIGHTED_FILE, rescored_file
from batch_nlp.storage import seal
from batch_nlp.storage.orphans import Orphans
from batch_nlp.storage.outcomes import outcomes
from batch_nlp.storage.parquet import open_parquet
from batch_nlp.storage.problem import UNREADABLE, Problem, Severity
from batch_nlp.storage.sql import connect

# How far from 1 the sum of a message's probabilities may be
_TOLERANCE = 1e-6
RESTORE = (
    "Restore it from a backup. To have the files scored again instead, put them in the inbox, and remove the batch's "
    "record together with its folder of predictions."
)
_BUG = f"If nobody changed the file by hand, this is a bug: please report it. {RESTORE}"


@dataclass
class Contents:
    """What a file of predictions holds.

    `counts` has the predictions of each of the `outcomes`: the classes of the columns and, if the model abstains, the
    label of messages without a class. `models` has the versions that the rows name. `bad_probabilities` counts rows
    whose probabilities are not between 0 and 1 or do not sum to 1; `bad_labels` those whose label is not that of their
    outcome.
    """

    outcomes: list[str]
    rows: int = 0
    counts: list[int] = field(default_factory=list)
    models: set[str] = field(default_factory=set)
    bad_probabilities: int = 0
    bad_labels: int = 0

    def problems(self) -> Iterator[str]:
        """Say which rows are impossible."""
        if self.bad_probabilities:
            yield f"{count(self.bad_probabilities, 'row')} whose probabilities do not sum to 1"
        if self.bad_labels:
            yield f"{count(self.bad_labels, 'row')} whose label is not that of its class"


def read_contents(path: Path, batch_rows: int) -> Contents:
    """Read a file of predictions and its page checksums, `batch_rows` rows at a time.

    Raises `OSError`, `ValueError`, `KeyError` or `ArrowException` if it cannot be read, or holds no predictions.
    """
    with open_parquet(path) as file:
        columns = [name for name in file.schema_arrow.names if name.startswith(PROBABILITY)]
        if not columns:
            raise ValueError("it has no columns of probabilities")
        abstained = (file.schema_arrow.metadata or {}).get(ABSTAINED.encode())
        names = [name.removeprefix(PROBABILITY) for name in columns]
        found = Contents(outcomes(names, abstained.decode() if abstained else None))
        counts = np.zeros(len(found.outcomes), dtype=np.int64)
        for part in file.iter_batches(batch_rows):
            _add(found, counts, pa.Table.from_batches([part]), columns)
    found.counts = counts.tolist()
    return found


def _add(found: Contents, counts: NDArray[np.int64], rows: pa.Table, columns: list[str]) -> None:
    predicted = rows["predicted_class"].to_numpy()
    probabilities = np.column_stack([rows[name].to_numpy() for name in columns])
    # false for missing values too
    in_range = ((probabilities >= 0) & (probabilities <= 1)).all(axis=1)
    sound = in_range & (abs(probabilities.sum(axis=1) - 1) <= _TOLERANCE)
    found.rows += rows.num_rows
    found.bad_probabilities += int((~sound).sum())
    known = (predicted >= 0) & (predicted < len(counts))
    labels = np.asarray([*found.outcomes, None], dtype=object)[np.where(known, predicted, -1).astype(np.int64)]
    found.bad_labels += int((labels != rows["predicted_label"].to_numpy(zero_copy_only=False)).sum())
    counts += np.bincount(predicted[known].astype(np.int64), minlength=len(counts))
    found.models.update(map(str, rows["model_version"].unique().to_pylist()))


def problems(folder: Path, batches: Sequence[Batch], engine: EngineConfig) -> list[Problem]:
    """Return what is wrong with the predictions of batches, row by row, and which messages were predicted twice."""
    found, files = list[Problem](), list[Path]()
    for batch in batches:
        if batch.state is BatchState.CLAIMED:  # a run replaces what is there
            continue
        path = folder / batch.name / PREDICTIONS_FILE
        damaged = [_of_copy(problem, engine.batch_rows) for problem in seal.problems(path.parent)]
        found += damaged
        if path in {problem.path for problem in damaged}:
            continue
        if not path.exists():
            found.append(Problem(path, "missing, although the batch was scored", RESTORE))
            continue
        try:
            contents = read_contents(path, engine.batch_rows)
        except UNREADABLE as error:
            found.append(Problem(path, f"cannot be read ({error})", RESTORE))
            continue
        files.append(path)
        found += (Problem(path, what, _BUG) for what in (*contents.problems(), *_differences(contents, batch)))
        second = {*path.parent.glob(rescored_file("*")), *path.parent.glob(REWEIGHTED_FILE)}
        for other in sorted(second - {problem.path for problem in damaged}):
            told = _second(engine, path, other, contents)
            found += (Problem(other, what, "Remove it: the first predictions stand.") for what in told)
    return [*found, *_predicted_twice(engine, files)]


def _of_copy(problem: Problem, batch_rows: int) -> Problem:
    """Return a problem of a sealed file: a CSV copy can be written again, from the record beside it."""
    if problem.path.suffix != CSV:
        return replace(problem, action=RESTORE)
    record = problem.path.with_suffix(".parquet")

    def repair(_: Orphans) -> str:
        write_csv_beside(record, batch_rows)
        return f"written again from {record.name}"

    action = f"Nothing: the record is {record.name}. verify.repair=true writes the copy again."
    return replace(problem, action=action, severity=Severity.WARNING, repair=repair)


def _differences(contents: Contents, batch: Batch) -> Iterator[str]:
    """Say where a file differs from the record of its batch."""
    predicted = batch.accounts.get("predicted")
    if contents.rows != predicted:
        yield f"holds {contents.rows:,} rows, but the record says {predicted}"
    if contents.counts != batch.counts:
        yield f"predicts the classes {contents.counts} times, but the record says {batch.counts}"
    if contents.rows and contents.models != {str(batch.model_version)}:
        yield f"was made by {', '.join(sorted(contents.models))}, but the record says {batch.model_version}"


def _second(engine: EngineConfig, first: Path, path: Path, contents: Contents) -> list[str]:
    """Say what is wrong with second predictions of a batch: they must have the messages of the first."""
    try:
        found = list(read_contents(path, engine.batch_rows).problems())
        with connect(engine) as connection:
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
        messages = count(missing, "message")
        found.append(f"holds {rows:,} rows and lacks {messages} of the {contents.rows:,} in the first predictions")
    return found


def _predicted_twice(engine: EngineConfig, files: Sequence[Path]) -> list[Problem]:
    """Find messages that were predicted more than once, in one batch or in several."""
    if not files:
        return []
    with connect(engine) as connection:
        rows = connection.execute(
            """
            SELECT first, last, count(*), min(message_id) FROM (
                SELECT message_id, min(filename) AS first, max(filename) AS last
                FROM read_parquet(?, filename = true) GROUP BY message_id HAVING count(*) > 1 OR message_id IS NULL
            ) GROUP BY ALL ORDER BY ALL
            """,
            [[str(path) for path in files]],
        ).fetchall()
    found = []
    for first, last, number, example in rows:
        before = "" if first == last else f", first in batch {Path(first).parent.name}"
        what = f"{count(number, 'message')} predicted more than once{before}, such as {example}"
        found.append(Problem(Path(last), what, _BUG))
    return found
