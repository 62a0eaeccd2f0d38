from __future__ import annotations

import json
import shutil
from pathlib import Path

import pyarrow as pa
import pytest

from batch_nlp.config import EngineConfig
from batch_nlp.errors import DataError
from batch_nlp.feature.sources import Sources
from batch_nlp.storage import seals
from batch_nlp.storage.feature_store import FeatureStore
from batch_nlp.storage.sealed_json import write_sealed

V = "aaaaaaaaaaaa"


@pytest.fixture
def store(tmp_path: Path, engine: EngineConfig) -> FeatureStore:
    store = FeatureStore(tmp_path / "store", engine)
    for table in (f"features-{V}", "labels"):
        seals.append(store.folder / table, pa.table({"message_id": ["a"]}), {})
    return store


@pytest.fixture
def raw(tmp_path: Path) -> list[Path]:
    files = [tmp_path / name for name in ("review_1.json", "review_2.json")]
    for file in files:
        file.write_text(file.name)
    return files


def test_a_file_is_new_until_it_was_taken_in_and_again_once_it_has_changed(
    store: FeatureStore, raw: list[Path]
) -> None:
    assert Sources(store, V).new(raw) == raw
    Sources(store, V).add(raw[:1])
    assert Sources(store, V).new(raw) == raw[1:]
    Sources(store, V).add(raw[1:])
    assert Sources(store, V).new(raw) == []
    raw[0].write_text("changed")
    assert Sources(store, V).new(raw) == raw[:1]


@pytest.mark.parametrize("table", [f"features-{V}", "labels"])
def test_all_files_are_new_again_once_a_table_was_removed(
    store: FeatureStore, raw: list[Path], table: str, warnings: list[str]
) -> None:
    """What the message on a damaged table advises to do works."""
    Sources(store, V).add(raw)
    shutil.rmtree(store.folder / table)
    assert Sources(store, V).new(raw) == raw
    assert "all of 01_raw is taken in again" in warnings[0]


def test_a_list_of_an_earlier_release_counts_and_is_sealed_with_the_next_file(
    store: FeatureStore, raw: list[Path]
) -> None:
    path = store.folder / f"sources-{V}.json"
    Sources(store, V).add(raw[:1])
    path.write_text(json.dumps({"files": json.loads(path.read_text())["files"]}))
    assert Sources(store, V).new(raw) == raw[1:]
    Sources(store, V).add(raw[1:])
    assert store.problems() == []
    path.write_text(path.read_text().replace("review_1", "review_7"))
    with pytest.raises(DataError, match=rf"{path.name}: damaged .*Remove it"):
        Sources(store, V)
    assert [problem.partition(":")[0] for problem in store.problems()] == [str(path)]


def test_a_list_of_something_else_is_refused_with_what_to_do(store: FeatureStore) -> None:
    path = store.folder / f"sources-{V}.json"
    write_sealed(path, {"files": "review_1.json"})
    with pytest.raises(DataError, match=rf"{path.name}: damaged \(not a list of files\)\. .*Remove it"):
        Sources(store, V)
