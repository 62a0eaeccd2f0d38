from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tests.naming import refusal

from batch_nlp.errors import DataError
from batch_nlp.storage import seal
from batch_nlp.storage.parquet import write_parquet
from batch_nlp.storage.problem import DamageError, Severity
from batch_nlp.storage.seal import (
    Seal,
    check_file,
    checked_files,
    content_hash,
    damage,
    hash_of,
    problems,
    read_sealed,
    remember,
    remove_sealed,
    replacing_sealed,
    write_sealed,
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
    for other in (content[:-1], b"", content[:9] + b"?" + content[10:]):
        file.write_bytes(other)
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

        write = seal.write_sealed
        patch.setattr(seal, "write_sealed", kill)
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
    assert [problem.path for problem in problems(file.parent)] == [file.parent / "seal.json"]


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


def test_the_hash_of_a_document_is_that_of_its_content_as_it_is_read_back() -> None:
    assert content_hash({"a": 1}) == hashlib.sha256(b'{"a": 1}').hexdigest()
    assert content_hash({"b": [1], "a": None}) == content_hash({"a": None, "b": [1], "sha256": "0"})
    assert content_hash({1: "a"}) == content_hash({"1": "a"})  # type: ignore[dict-item]
    assert content_hash({"a": 1}) != content_hash({"a": 2})


def test_a_document_comes_back_without_its_hash_and_a_changed_one_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    write_sealed(path, {"n": 1, "texts": ["é"]})
    assert read_sealed(path, "") == read_sealed(path, "", unsealed=True) == {"n": 1, "texts": ["é"]}
    path.write_text(path.read_text().replace("1,", "2,", 1))
    for unsealed in (False, True):
        with pytest.raises(DamageError) as caught:
            read_sealed(path, "Do this.", unsealed=unsealed)
        problem = caught.value.problem
        assert (problem.path, problem.action, problem.severity) == (path, "Do this.", Severity.ERROR)
        assert str(caught.value) == f"{path}: {problem.what}. Do this."


def test_a_document_without_a_hash_counts_only_where_earlier_releases_wrote_none(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text('{"n": 1}')
    assert read_sealed(path, "", unsealed=True) == {"n": 1}
    with pytest.raises(DamageError):
        read_sealed(path, "")


@pytest.mark.parametrize("content", [b"", b"{", b"[1]", b'{"a": "\xff"}', b"[" * 100_000], ids=range(5))
def test_what_is_no_document_is_damaged(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "a.json"
    path.write_bytes(content)
    with refusal(DamageError, "a.json") as caught:
        read_sealed(path, "", unsealed=True)
    if content == b"[1]":
        assert "JSON object" in caught.value.problem.what
    path.unlink()
    with pytest.raises(DamageError):
        read_sealed(path, "")


def test_a_file_is_hashed_once_until_it_changes_or_the_process_forgets(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, read = tmp_path / "file", []
    path.write_bytes(b"content")
    digest = hashlib.sha256(b"content").hexdigest()
    file_digest = hashlib.file_digest

    def counted(*args: Any) -> Any:
        read.append(args)
        return file_digest(*args)

    monkeypatch.setattr(seal.hashlib, "file_digest", counted)
    for _ in range(2):
        assert damage(path, [digest]) is None
    assert damage(path, ["0" * 64, digest]) is None
    assert len(read) == 1
    seal.forget()
    assert damage(path, [digest]) is None
    assert len(read) == 2
    assert damage(path, ["0" * 64]) is not None
    assert len(read) == 3
    for change in (lambda: path.write_bytes(b"contend"), lambda: os.utime(path, ns=(1, 1))):
        change()
        damage(path, [digest])
    assert len(read) == 5
    path.write_bytes(b"content")
    remember(path, digest)
    assert damage(path, [digest]) is None
    assert len(read) == 5


def test_an_unsealed_file_is_read_once_too(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_parquet(file, ONE)
    assert damage(file, []) is None
    monkeypatch.setattr(seal, "stream_parquet", None)
    assert damage(file, []) is None
    seal.forget()
    with pytest.raises(TypeError):
        damage(file, [])


def test_what_is_wrong_with_a_file_is_told(tmp_path: Path) -> None:
    missing, folder = tmp_path / "missing", tmp_path / "folder"
    folder.mkdir()
    gone = damage(missing, ["0"])
    assert gone
    assert damage(missing, []) == damage(folder, []) == gone
    assert damage(missing, ["", "0"]) is None, "it may be there or not"
    (tmp_path / "text").write_text("text")
    assert damage(tmp_path / "text", []) not in (None, gone)


def test_a_page_whose_checksum_differs_is_damage(file: Path) -> None:
    write_parquet(file, pa.table({"n": list(range(100_000))}))
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)
    assert damage(file, []) is not None


def test_a_seal_keeps_one_hash_as_text_and_several_as_a_list(tmp_path: Path) -> None:
    kept = Seal(tmp_path / "_seal.json", "Do this.")
    assert kept.read() == {}
    kept.enter("a", ["0"])
    kept.enter("b", ["1", "2"])
    assert json.loads(kept.file.read_bytes())["files"] == {"a": "0", "b": ["1", "2"]}
    assert kept.read() == {"a": ["0"], "b": ["1", "2"]}
    kept.enter("b", ["2"])
    kept.remove("a")
    kept.remove("never there")
    assert kept.read() == {"b": ["2"]}
    write_sealed(kept.file, {"version": 3})
    assert kept.read() == {}, "of another kind, from an earlier release"
    kept.file.write_text("{}")
    with refusal(DamageError, "_seal.json", "Do this."):
        kept.read()


def test_while_a_file_is_replaced_the_seal_has_both_hashes(file: Path) -> None:
    def entry() -> list[str]:
        return Seal(file.parent / "seal.json").read()[file.name]

    write_sealed_parquet(file, ONE)
    (one,) = entry()
    assert one == hash_of(file)
    _be_killed_while_replacing(file)
    new, old = entry()
    assert (old, hash_of(file)) == (one, one)
    write_sealed_parquet(file, TWO)
    assert entry() == [new] == [hash_of(file)]


def test_a_file_that_had_no_entry_gets_one_before_it_is_replaced(file: Path) -> None:
    write_parquet(file, ONE)
    before = hash_of(file)
    _be_killed_while_replacing(file)
    assert Seal(file.parent / "seal.json").read()[file.name][1:] == [before]
    file.unlink()
    (file.parent / "seal.json").unlink()
    _be_killed_while_replacing(file)
    assert problems(file.parent) == []
    with refusal(DamageError, file.name):
        check_file(file)


def _be_killed_while_replacing(file: Path) -> None:
    replace = os.replace

    def kill(source: Path, target: Path) -> None:
        if Path(target) == file:
            raise Killed
        replace(source, target)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "replace", kill)
        with pytest.raises(Killed):
            write_sealed_parquet(file, TWO)


def test_a_file_may_have_a_seal_of_its_own(tmp_path: Path) -> None:
    own = Seal(tmp_path / "log.seal.json")
    with replacing_sealed(tmp_path / "log", own) as temporary:
        temporary.write_text("a")
    assert own.read() == {"log": [hashlib.sha256(b"a").hexdigest()]}
    assert not (tmp_path / "seal.json").exists()


def test_what_was_written_is_not_read_again(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_sealed_parquet(file, ONE)
    monkeypatch.setattr(seal.hashlib, "file_digest", None)
    check_file(file)


def test_files_are_removed_with_their_entries(file: Path) -> None:
    write_parquet(file, ONE)
    remove_sealed([file, file.with_name("never.parquet")])
    assert list(file.parent.iterdir()) == [], "no seal is made"
    write_sealed_parquet(file, ONE)
    write_sealed_parquet(file.with_name("other.parquet"), ONE)
    file.unlink()
    remove_sealed([file])
    assert list(Seal(file.parent / "seal.json").read()) == ["other.parquet"]


def test_an_unsealed_file_is_not_read_where_its_reader_reads_it_whole(file: Path) -> None:
    file.parent.mkdir()
    file.write_bytes(b"text")
    check_file(file, whole=False)
    with pytest.raises(DamageError):
        check_file(file)


def test_files_are_checked_in_the_order_of_their_folders(tmp_path: Path) -> None:
    for name in ("b", "a", "c", ".hidden"):
        write_sealed_parquet(tmp_path / name / "rows.parquet", ONE)
    (tmp_path / "file").touch()
    assert checked_files(tmp_path, "rows.parquet", but="c") == [tmp_path / name / "rows.parquet" for name in "ab"]
    (tmp_path / "b" / "rows.parquet").write_bytes(b"")
    with pytest.raises(DamageError):
        checked_files(tmp_path, "rows.parquet", but="c")


def test_problems_name_the_files_in_order_and_say_what_to_do(file: Path) -> None:
    for name in ("b", "a", "sound"):
        write_sealed_parquet(file.with_name(f"{name}.parquet"), ONE)
    write_parquet(file.with_name("unsealed.parquet"), ONE)
    write_parquet(file.with_name(".hidden.parquet"), ONE)
    for name in ("b", "unsealed", ".hidden"):
        file.with_name(f"{name}.parquet").write_bytes(b"damage")
    file.with_name("a.parquet").unlink()
    found = problems(file.parent)
    assert [problem.path.stem for problem in found] == ["a", "b", "unsealed"]
    assert [problem.what.partition(";")[0] for problem in found] == ["missing", "damaged", "damaged"]
    assert all("backup" in problem.action and "seal.json" in problem.action for problem in found)


def test_a_sealed_parquet_file_is_compressed_and_has_page_checksums(file: Path) -> None:
    write_sealed_parquet(file, ONE)
    column = pq.ParquetFile(file).metadata.row_group(0).column(0)
    assert column.compression == "ZSTD"
    content = bytearray(file.read_bytes())
    # the last byte of its last page
    content[(column.dictionary_page_offset or column.data_page_offset) + column.total_compressed_size - 1] ^= 1
    file.write_bytes(content)
    with pytest.raises(OSError, match="CRC"):
        pq.read_table(file, page_checksum_verification=True)
