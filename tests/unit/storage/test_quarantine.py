from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pytest

from batch_nlp.storage.parquet import write_parquet
from batch_nlp.storage.problem import Severity
from batch_nlp.storage.quarantine import REQUEUED, problems


def rows(number: int) -> pa.Table:
    return pa.table({"row": [str(place) for place in range(number)]})


def test_a_batch_without_quarantined_rows_has_no_file(tmp_path: Path) -> None:
    assert problems(tmp_path, "b", 0, 10) == []
    (problem,) = problems(tmp_path, "b", 3, 10)
    assert (problem.path, problem.severity) == (tmp_path / "b.parquet", Severity.WARNING)
    assert "3 messages" in problem.what
    assert "backup" in problem.action


@pytest.mark.parametrize("folder", [".", REQUEUED])
def test_the_file_has_the_rows_of_the_record(tmp_path: Path, folder: str) -> None:
    path = tmp_path / folder / "b.parquet"
    write_parquet(path, rows(7))
    assert problems(tmp_path, "b", 7, 3) == []
    (problem,) = problems(tmp_path, "b", 5, 3)
    assert (problem.path, problem.severity) == (path, Severity.ERROR)
    assert ("7 rows" in problem.what, "5" in problem.what, "record" in problem.action) == (True, True, True)


def test_after_rows_were_put_back_the_whole_file_counts(tmp_path: Path) -> None:
    write_parquet(tmp_path / REQUEUED / "b.parquet", rows(7))
    write_parquet(tmp_path / "b.parquet", rows(2))
    assert problems(tmp_path, "b", 7, 10) == []


def test_a_damaged_file_is_named(tmp_path: Path) -> None:
    path = tmp_path / "b.parquet"
    write_parquet(path, rows(1000))
    content = bytearray(path.read_bytes())
    content[20] ^= 1
    for damage in (bytes(content), b""):
        path.write_bytes(damage)
        (problem,) = problems(tmp_path, "b", 1000, 10)
        assert (problem.path, problem.severity) == (path, Severity.ERROR)
        assert "backup" in problem.action
