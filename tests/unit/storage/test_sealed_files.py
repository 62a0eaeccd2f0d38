from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pytest
from tests.naming import assert_names, refusal

from batch_nlp.errors import DataError
from batch_nlp.storage import sealed_files
from batch_nlp.storage.atomic import write_parquet
from batch_nlp.storage.sealed_files import (
    check_file,
    checked_files,
    problems,
    remove_sealed,
    replacing_sealed,
    write_sealed_parquet,
)

ONE, TWO = pa.table({"n": [1]}), pa.table({"n": [2]})


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "batch" / "rows.parquet"


def test_a_file_is_sound_until_it_is_damaged_or_gone(file: Path) -> None:
    write_sealed_parquet(file, ONE)
    write_sealed_parquet(file, TWO)
    check_file(file)
    assert problems(file.parent) == []
    content = file.read_bytes()
    for damage in (content[:-1], b"", content[:9] + b"?" + content[10:]):
        file.write_bytes(damage)
        with refusal(DataError, "rows.parquet"):
            check_file(file)
    file.unlink()
    with refusal(DataError, "rows.parquet", "seal.json"):
        check_file(file, whole=False)
    assert len(problems(file.parent)) == 1
    file.write_bytes(content)
    check_file(file)


class Killed(BaseException):
    pass


@pytest.mark.parametrize("first", [True, False], ids=["new", "replaced"])
@pytest.mark.parametrize("call", [1, 2], ids=["before the seal", "before the last seal"])
def test_the_seal_fits_the_file_whenever_a_run_is_killed(
    file: Path, monkeypatch: pytest.MonkeyPatch, first: bool, call: int
) -> None:
    if not first:
        write_sealed_parquet(file, ONE)
    before = file.read_bytes() if file.exists() else None
    calls = []
    with monkeypatch.context() as patch:

        def kill(path: Path, document: dict[str, object]) -> None:
            calls.append(path)
            if len(calls) == call:
                raise Killed
            write(path, document)

        write = sealed_files.write_sealed
        patch.setattr(sealed_files, "write_sealed", kill)
        with pytest.raises(Killed):
            write_sealed_parquet(file, TWO)
    assert problems(file.parent) == []
    assert ((file.read_bytes() if file.exists() else None) == before) == (call == 1)
    write_sealed_parquet(file, TWO)
    check_file(file)
    assert problems(file.parent) == []


def test_a_failed_write_leaves_file_and_seal_as_they_were(file: Path) -> None:
    write_sealed_parquet(file, ONE)

    def fail() -> None:
        with replacing_sealed(file) as temporary:
            temporary.write_text("half")
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    check_file(file)


def test_a_file_of_an_earlier_release_is_read_whole(file: Path) -> None:
    write_parquet(file, ONE)
    check_file(file)
    file.write_bytes(file.read_bytes()[:-1])
    with refusal(DataError, "rows.parquet"):
        check_file(file)
    assert len(problems(file.parent)) == 1


def test_a_damaged_seal_is_named(file: Path) -> None:
    write_sealed_parquet(file, ONE)
    (file.parent / "seal.json").write_bytes(b"")
    for look in (lambda: check_file(file), lambda: checked_files(file.parents[1], file.name, but="")):
        with refusal(DataError, "seal.json"):
            look()
    assert_names(problems(file.parent)[0], "seal.json")


def test_what_is_removed_in_order_is_not_missed_and_a_file_gone_from_its_folder_is(file: Path) -> None:
    other = file.with_name("other.parquet")
    for path in (file, other):
        write_sealed_parquet(path, ONE)
    remove_sealed([other])
    assert problems(file.parent) == []
    (file.parents[1] / "empty").mkdir()
    assert checked_files(file.parents[1], file.name, but="") == [file]
    file.unlink()
    with refusal(DataError, "rows.parquet"):
        checked_files(file.parents[1], file.name, but="")
    assert checked_files(file.parents[1], file.name, but="batch") == []
