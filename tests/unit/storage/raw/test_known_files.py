from __future__ import annotations

import gzip
import json
import os
import shutil
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pytest
from tests.naming import assert_names, refusal

from batch_nlp.config import EngineConfig
from batch_nlp.errors import DataError
from batch_nlp.storage import delta_table
from batch_nlp.storage.feature_store import FeatureStore
from batch_nlp.storage.label_table import LABELS_SCHEMA
from batch_nlp.storage.raw import known_files
from batch_nlp.storage.raw.known_files import FILES, RawFile, RawFiles, content_digest, count_taken_in
from batch_nlp.storage.seal import write_sealed

V, W = "aaaaaaaaaaaa", "bbbbbbbbbbbb"
NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
TICK = timedelta(microseconds=1)


@pytest.fixture
def store(tmp_path: Path, engine: EngineConfig) -> FeatureStore:
    store = FeatureStore(tmp_path / "store", engine)
    delta_table.append(store.folder / f"features-{V}", pa.table({"message_id": ["a"]}), {})
    delta_table.append(store.folder / "labels", LABELS_SCHEMA.empty_table(), {})
    return store


@pytest.fixture
def raw(tmp_path: Path) -> list[Path]:
    files = [tmp_path / "raw" / name for name in ("review_9.json", "review_10.json")]
    files[0].parent.mkdir()
    for file in files:
        file.write_text(file.name)
    return files


def new(store: FeatureStore, files: list[Path], version: str = V, now: datetime = NOW) -> list[Path]:
    return [file.path for file in RawFiles(store, version, now).new(files)]


def take_in(store: FeatureStore, files: list[Path], version: str = V, now: datetime = NOW) -> None:
    known = RawFiles(store, version, now)
    known.add(known.new(files))


def test_a_file_is_new_until_it_was_taken_in_and_again_once_its_content_has_changed(
    store: FeatureStore, raw: list[Path]
) -> None:
    assert new(store, raw) == raw
    known = RawFiles(store, V, NOW)
    known.add(known.new(raw)[:1])
    assert new(store, raw) == raw[1:]
    take_in(store, raw)
    assert new(store, raw) == []
    raw[0].write_text("changed")
    assert new(store, raw) == raw[:1]


def touch(file: Path) -> Path:
    os.utime(file, (1, 1))
    return file


def copy(file: Path) -> Path:
    return Path(shutil.copy(file, file.with_name("copy.json")))


def rename(file: Path) -> Path:
    return file.rename(file.with_name("another_name.json"))


def pack(file: Path) -> Path:
    packed = file.with_name(f"{file.name}.gz")
    packed.write_bytes(gzip.compress(file.read_bytes()))
    file.unlink()
    return packed


def back_and_forth(file: Path) -> Path:
    """Change a file and change it back."""
    content = file.read_bytes()
    file.write_text("changed")
    file.write_bytes(content)
    return touch(file)


@pytest.mark.parametrize("change", [touch, copy, rename, pack, back_and_forth])
def test_the_same_content_is_no_news_however_it_comes(
    store: FeatureStore, raw: list[Path], change: Callable[[Path], Path]
) -> None:
    """Guarantee 23."""
    take_in(store, raw)
    file = change(raw[0])
    files = [file, *(path for path in raw if path.exists() and path != file)]
    assert new(store, files) == []
    # under another version it is read once, with the time at which its content was first seen
    again = RawFiles(store, W, NOW + timedelta(days=1)).new(files)
    assert [(found.digest, found.first_seen) for found in again] == [
        (content_digest(file), NOW),
        (content_digest(raw[1]), NOW + TICK),
    ]


def test_files_come_in_the_order_in_which_they_were_first_seen_then_by_the_numbers_in_their_names(
    store: FeatureStore, raw: list[Path]
) -> None:
    found = RawFiles(store, V, NOW).new(raw[::-1])
    assert [(file.path, file.first_seen) for file in found] == [(raw[0], NOW), (raw[1], NOW + TICK)]
    earlier = raw[0].with_name("a_correction.json")
    earlier.write_text("correction")
    # whatever the clock says
    found = RawFiles(store, V, NOW - timedelta(days=1)).new([earlier, *raw])
    assert [file.path for file in found] == [*raw, earlier]
    assert [file.first_seen for file in found] == [NOW, NOW + TICK, NOW + 2 * TICK]


def test_of_two_files_with_one_content_the_first_is_taken(store: FeatureStore, raw: list[Path]) -> None:
    raw[1].write_bytes(raw[0].read_bytes())
    assert new(store, raw) == raw[:1]
    take_in(store, raw)
    assert new(store, raw) == []


def test_a_file_keeps_its_place_if_the_run_that_found_it_is_killed(store: FeatureStore, raw: list[Path]) -> None:
    RawFiles(store, V, NOW).new(raw[1:])
    found = RawFiles(store, V, NOW + timedelta(hours=1)).new(raw)
    assert [(file.path, file.first_seen) for file in found] == [(raw[1], NOW), (raw[0], NOW + timedelta(hours=1))]


def test_a_file_that_did_not_change_is_not_read_again(
    store: FeatureStore, raw: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    take_in(store, raw)
    touch(raw[0])
    assert new(store, raw) == []
    written = (store.folder / FILES).stat().st_mtime_ns
    monkeypatch.setattr(known_files, "content_digest", lambda path: pytest.fail(f"{path} is read"))
    assert new(store, raw) == []
    assert (store.folder / FILES).stat().st_mtime_ns == written


@pytest.mark.parametrize("table", [f"features-{V}", "labels"])
def test_all_files_are_new_again_once_a_table_was_removed(
    store: FeatureStore, raw: list[Path], table: str, warnings: list[str]
) -> None:
    """What the message on a damaged table advises to do works."""
    take_in(store, raw)
    shutil.rmtree(store.folder / table)
    assert new(store, raw) == raw
    assert_names(warnings[0], "01_raw")
    # a run that was killed after its first commits has not taken them in
    delta_table.append(store.folder / table, pa.table({"message_id": ["a"]}), {})
    found = RawFiles(store, V, NOW + timedelta(days=1)).new(raw)
    assert [(file.path, file.first_seen) for file in found] == [(raw[0], NOW), (raw[1], NOW + TICK)]


def test_a_damaged_list_is_refused_and_can_be_removed(store: FeatureStore, raw: list[Path]) -> None:
    take_in(store, raw)
    path = store.folder / FILES
    assert store.problems() == []
    labels = [
        {"message_id": "a", "target": "5", "arrived_at": NOW, "source": "given", "source_hash": content_digest(file)}
        for file in raw[:1]
    ]
    store.labels.append(pa.Table.from_pylist(labels, LABELS_SCHEMA), "run")
    path.write_text(path.read_text().replace("review_9", "review_7"))
    with refusal(DataError, path.name):
        RawFiles(store, V, NOW)
    assert [problem.path for problem in store.problems()] == [path]
    path.unlink()
    # when the file was seen that labels came from, the labels know
    found = RawFiles(store, V, NOW + timedelta(days=1)).new(raw)
    assert [(file.path, file.first_seen) for file in found] == [(raw[0], NOW), (raw[1], NOW + timedelta(days=1))]


def test_lists_of_an_earlier_release_count_and_are_replaced(store: FeatureStore, raw: list[Path]) -> None:
    more = raw[0].with_name("a_correction.json")
    more.write_text("correction")
    identities = [f"{file.name}:{file.stat().st_size}:{file.stat().st_mtime_ns}" for file in (*raw, more)]
    (store.folder / f"sources-{V}.json").write_text(json.dumps({"files": [*identities, "gone.json:1:1"]}))
    write_sealed(store.folder / f"sources-{W}.json", {"files": identities[1:2], "tables": [-1, 0]})
    assert store.problems() == []
    added = raw[0].with_name("added.json")
    added.write_text("added")
    assert new(store, [added, *raw, more]) == [added]
    assert [path.name for path in store.folder.glob("*.json")] == [FILES]
    # in the order of the list, before all that comes and all labels that there are
    found = RawFiles(store, W, NOW).new([added, *raw, more])
    assert [file.path for file in found] == [raw[0], more, added]
    assert [file.first_seen.year for file in found] == [1970, 1970, 2026]


@pytest.mark.parametrize("damage", [lambda packed: packed[:-3], lambda packed: packed[:20] + b"\0" + packed[21:]])
def test_a_damaged_file_is_set_aside_by_name_and_new_once_it_is_whole(
    store: FeatureStore, raw: list[Path], tmp_path: Path, damage: Callable[[bytes], bytes]
) -> None:
    file, whole = tmp_path / "broken.json.gz", gzip.compress(bytes(range(256)) * 10)
    file.write_bytes(damage(whole))
    known = RawFiles(store, V, NOW)
    assert [found.path for found in known.new([file, *raw])] == raw
    assert [found.name for found in known.set_aside] == ["broken.json.gz"]
    assert_names(known.set_aside[0].problem, "broken.json.gz")
    known.add(known.new(raw))
    file.write_bytes(whole)
    assert [found.path for found in RawFiles(store, V, NOW).new([file, *raw])] == [file]


def test_what_was_taken_in_is_counted_and_how_much_of_it_is_gone(store: FeatureStore, raw: list[Path]) -> None:
    assert count_taken_in(store.folder) == (0, 0)
    RawFiles(store, V, NOW).new(raw)
    assert count_taken_in(store.folder) == (0, 0)
    take_in(store, raw)
    assert count_taken_in(store.folder) == (2, 0)
    raw[0].unlink()
    raw[1].write_text("changed")
    assert count_taken_in(store.folder) == (2, 2)


def test_files_are_read_again_when_labels_were_sought_in_a_column_that_is_not_there(
    tmp_path: Path, engine: EngineConfig
) -> None:
    store, file = FeatureStore(tmp_path / "store", engine), tmp_path / "messages.csv"
    file.write_text("text,team\na,b\n")
    reading: dict[str, str | None] = {"where": None, "rows": None}

    def new(column: str) -> list[RawFile]:
        files = RawFiles(store, "v", datetime(2026, 1, 1, tzinfo=UTC))
        files.check_reading([[column]], reading)
        found = files.new([file])
        files.add(found)
        return found

    assert [len(new(column)) for column in ("tema", "tema", "team", "team")] == [1, 0, 1, 0]
