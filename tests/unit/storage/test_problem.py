from __future__ import annotations

from pathlib import Path

import pyarrow as pa

from batch_nlp.storage.orphans import Orphans
from batch_nlp.storage.problem import DamageError, Problem, problems_of
from batch_nlp.storage.seal import Seal, problems, write_sealed_parquet


def test_the_problems_of_some_checks_are_those_that_they_raise() -> None:
    one, two = Problem(Path("a"), "missing", "Restore it."), Problem(Path("b"), "damaged", "Remove it.")

    def fail(problem: Problem) -> None:
        raise DamageError(problem)

    assert problems_of(lambda: fail(one), lambda: 1, lambda: fail(two)) == [one, two]
    assert [str(problem) for problem in (one, two)] == ["a: missing. Restore it.", "b: damaged. Remove it."]


def test_an_orphan_keeps_its_path_and_leaves_no_entry_behind(tmp_path: Path) -> None:
    file = tmp_path / "07_model_output" / "sample" / "a.parquet"
    write_sealed_parquet(file, pa.table({"n": [1]}))
    content = file.read_bytes()
    done = Orphans(tmp_path, "run").take(file)
    moved = tmp_path / "09_inference" / "orphans" / "run" / file.relative_to(tmp_path)
    assert (moved.read_bytes(), file.exists(), str(moved) in done) == (content, False, True)
    assert (Seal(file.parent / "seal.json").read(), problems(file.parent)) == ({}, [])


def test_a_folder_is_put_aside_as_a_whole(tmp_path: Path) -> None:
    (tmp_path / "batch" / "deep").mkdir(parents=True)
    (tmp_path / "batch" / "deep" / "file").touch()
    Orphans(tmp_path, "run").take(tmp_path / "batch")
    assert (tmp_path / "09_inference" / "orphans" / "run" / "batch" / "deep" / "file").exists()
    assert not (tmp_path / "batch").exists()
