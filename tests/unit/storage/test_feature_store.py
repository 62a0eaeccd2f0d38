from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tests.fields import FIELDS
from tests.naming import refusal

from batch_nlp.config import EngineConfig
from batch_nlp.errors import DataError
from batch_nlp.storage.feature_store import DataVersion, FeatureStore, features_frame
from batch_nlp.storage.label_table import LABELS_SCHEMA

V, W = "aaaaaaaaaaaa", "bbbbbbbbbbbb"
DAY = datetime(2024, 5, 1, tzinfo=UTC)


@pytest.fixture
def store(tmp_path: Path, engine: EngineConfig) -> FeatureStore:
    return FeatureStore(tmp_path / "04_feature" / "sample", engine)


def features(*ids: str, dims: int = 3) -> pa.Table:
    """Return features of messages; each was written a day after the one before in the alphabet."""
    rows = [
        {
            **dict.fromkeys(FIELDS.numbers, 1.5),
            "message_id": name,
            "written_at": DAY + timedelta(days=ord(name[0])),
            "text_hash": f"hash of {name}",
            "text": f"text of {name}",
            "category_group": None,
            "embedding": [float(ord(name[0]))] * dims,
        }
        for name in ids
    ]
    return pa.Table.from_pylist(rows, schema=FIELDS.schema)


def labels(days: int = 0, **targets: str) -> pa.Table:
    return label_rows(list(targets.items()), days)


def label_rows(pairs: list[tuple[str, str]], days: int = 0) -> pa.Table:
    rows: list[dict[str, Any]] = [
        {"message_id": name, "target": target, "arrived_at": DAY + timedelta(days=days), "source_file": "f.json"}
        for name, target in pairs
    ]
    return pa.Table.from_pylist(rows, schema=LABELS_SCHEMA)


def labelled(store: FeatureStore) -> dict[str, str]:
    frame = store.labelled(store.data_version(V))
    return dict(zip(frame["message_id"], frame["target"], strict=True))


def test_what_was_stored_comes_back_to_the_bit_oldest_message_first(store: FeatureStore) -> None:
    store.append_features(V, features("c", "a", "b"), "run")
    store.labels.append(labels(a="1", b="2", c="3"), "run")
    frame = store.labelled(store.data_version(V))
    assert frame["message_id"].tolist() == ["a", "b", "c"]
    assert frame["target"].tolist() == ["1", "2", "3"]
    assert frame["text"].tolist() == ["text of a", "text of b", "text of c"]
    assert frame["written_at"].tolist() == [DAY + timedelta(days=ord(name)) for name in "abc"]
    assert frame["tenure_days"].tolist() == [1.5] * 3
    assert [vector.dtype for vector in frame["embedding"]] == [np.float32] * 3
    np.testing.assert_array_equal(np.stack(frame["embedding"]), [[97] * 3, [98] * 3, [99] * 3])


def test_messages_of_one_moment_come_in_the_order_of_their_ids(store: FeatureStore) -> None:
    store.append_features(V, features("a2", "a1", "a3"), "run")
    store.labels.append(labels(a1="1", a2="1", a3="1"), "run")
    assert list(labelled(store)) == ["a1", "a2", "a3"]


def test_a_message_counts_once_both_its_features_and_its_label_are_there(store: FeatureStore) -> None:
    store.append_features(V, features("a", "b"), "scored")
    assert (store.count(V), store.count_labelled(V)) == (2, 0)
    with refusal(DataError, "labels"):
        store.labelled(store.data_version(V))
    store.labels.append(labels(b="5", stranger="1"), "labels arrive")
    assert store.count_labelled(V) == 1
    assert labelled(store) == {"b": "5"}
    store.labels.append(labels(a="2"), "later")
    assert labelled(store) == {"a": "2", "b": "5"}


def test_an_empty_store_says_what_to_run(store: FeatureStore) -> None:
    assert store.data_version(V) == DataVersion(V, -1, -1)
    assert (store.count(V), store.count_labelled(V), store.ids(V)) == (0, 0, None)
    assert store.features_of(V, ["a"]).empty
    with refusal(DataError, "pipeline=feature"):
        store.labelled(store.data_version(V))


def test_the_latest_label_counts(store: FeatureStore) -> None:
    store.append_features(V, features("a", "b"), "run")
    assert store.labels.append(labels(0, a="1", b="1"), "first").added == 2
    assert store.labels.append(labels(1, a="5"), "changed").added == 1
    assert labelled(store) == {"a": "5", "b": "1"}
    assert store.labels.append(labels(2, a="1"), "changed back").added == 1
    assert labelled(store) == {"a": "1", "b": "1"}
    assert store.count_labelled(V) == 2


def test_of_several_labels_in_one_delivery_the_last_counts(store: FeatureStore) -> None:
    store.append_features(V, features("a"), "run")
    assert store.labels.append(label_rows([("a", "4"), ("a", "2"), ("a", "3")]), "run").added == 1
    assert labelled(store) == {"a": "3"}


def test_labels_that_are_known_are_not_added_and_change_no_version(store: FeatureStore) -> None:
    store.labels.append(labels(0, a="1", b="2"), "run")
    before = store.data_version(V)
    assert store.labels.append(labels(1, a="1", b="2"), "again").added == 0
    assert store.data_version(V) == before
    assert store.labels.append(labels(1), "nothing").added == 0
    assert store.labels.append(labels(1, a="2"), "new").added == 1
    assert store.data_version(V) != before


def test_a_data_version_is_read_as_it_was_whatever_came_after(store: FeatureStore) -> None:
    store.append_features(V, features("a"), "run")
    store.labels.append(labels(0, a="1", b="1"), "run")
    then = store.data_version(V)
    store.append_features(V, features("b"), "run")
    store.labels.append(labels(1, a="5"), "run")
    assert labelled(store) == {"a": "5", "b": "1"}
    frame = store.labelled(then)
    assert frame[["message_id", "target"]].to_numpy().tolist() == [["a", "1"]]


def test_feature_versions_are_kept_apart_and_share_the_labels(store: FeatureStore) -> None:
    store.append_features(V, features("a"), "run")
    store.append_features(W, features("a", "b", dims=5), "run")
    store.labels.append(labels(a="1", b="2"), "run")
    assert (store.count(V), store.count(W)) == (1, 2)
    assert (store.count_labelled(V), store.count_labelled(W)) == (1, 2)
    assert [len(vector) for vector in store.labelled(store.data_version(W))["embedding"]] == [5, 5]
    assert store.data_version(V).labels == store.data_version(W).labels


def test_missing_gives_the_messages_that_are_not_stored_in_their_order(store: FeatureStore) -> None:
    new = features("d", "b", "c", "a")
    assert store.missing(V, new).equals(new)
    store.append_features(V, features("b", "a"), "run")
    assert store.missing(V, new)["message_id"].to_pylist() == ["d", "c"]
    assert store.missing(V, features("a")).num_rows == 0
    assert store.missing(W, new).num_rows == 4


def test_features_of_some_messages_leave_unknown_ones_out(store: FeatureStore) -> None:
    store.append_features(V, features("a", "b", "c"), "run")
    found = store.features_of(V, ["c", "a", "stranger"])
    assert sorted(found["message_id"]) == ["a", "c"]
    assert store.features_of(V, ["stranger"]).empty


def test_ids_come_with_the_hash_of_their_text(store: FeatureStore) -> None:
    store.append_features(V, features("a", "b"), "run 1")
    store.append_features(V, features("c"), "run 2")
    reader = store.ids(V)
    assert reader is not None
    table = reader.read_all().sort_by("message_id")
    assert table.to_pydict() == {"message_id": ["a", "b", "c"], "text_hash": ["hash of a", "hash of b", "hash of c"]}


@pytest.mark.parametrize("name", ["'; DROP TABLE labels; --", 'quo"te', "é\u05d0😀", "back\\slash", "%s {} ?"])
def test_any_id_finds_its_label(store: FeatureStore, name: str) -> None:
    table = features("a").set_column(0, FIELDS.schema.field("message_id"), pa.array([name]))
    store.append_features(V, table, "run")
    store.labels.append(label_rows([(name, "4")]), "run")
    assert labelled(store) == {name: "4"}
    assert store.missing(V, table).num_rows == 0


def test_messages_without_a_time_come_first_and_each_label_says_where_it_is_from(store: FeatureStore) -> None:
    table = features("a", "b", "c")
    times = pa.array([DAY, None, None], table.schema.field("written_at").type)
    place = table.schema.get_field_index("written_at")
    store.append_features(V, table.set_column(place, table.schema.field(place), times), "run")
    rows = labels(a="1", b="2", c="3").to_pylist()
    rows[2]["source"] = "clusters"
    store.labels.append(pa.Table.from_pylist(rows, schema=LABELS_SCHEMA), "run")
    frame = store.labelled(store.data_version(V))
    assert frame["message_id"].tolist() == ["b", "c", "a"]
    assert frame["label_source"].tolist() == ["given", "clusters", "given"]


def test_the_fingerprint_of_labels_follows_from_the_labels_of_the_messages_alone(
    tmp_path: Path, engine: EngineConfig, store: FeatureStore
) -> None:
    assert store.label_fingerprint(V) == ""
    store.append_features(V, features("a", "b"), "run")
    assert store.label_fingerprint(V) == ""
    store.labels.append(labels(0, a="1", b="2"), "run")
    first = store.label_fingerprint(V)
    store.append_features(W, features("b", "a", dims=5), "run")
    store.labels.append(labels(1, a="1", stranger="4"), "again")
    assert store.label_fingerprint(V) == store.label_fingerprint(W) == first != ""
    store.labels.append(labels(2, a="5"), "corrected")
    corrected = store.label_fingerprint(V)
    assert corrected != first
    # made anew, by another number of commits
    other = FeatureStore(tmp_path / "other", engine)
    other.append_features(V, features("a"), "run")
    other.append_features(V, features("b"), "run")
    other.labels.append(labels(0, b="2", a="5"), "run")
    assert other.label_fingerprint(V) == corrected


def predictions(path: Path, **predicted: str) -> Path:
    pq.write_table(pa.table({"message_id": list(predicted), "predicted_label": list(predicted.values())}), path)
    return path


def test_labels_of_predictions_are_counted_file_by_file_by_their_latest_target(
    store: FeatureStore, tmp_path: Path
) -> None:
    one = predictions(tmp_path / "one.parquet", a="good", b="bad", c="bad")
    two = predictions(tmp_path / "two.parquet", a="bad", d="good")
    assert store.labels.confusion([one, two]) == []
    store.labels.append(labels(a="5", b="1"), "run")
    store.labels.append(labels(days=1, b="5"), "run")
    assert store.labels.confusion([one, two]) == [
        (str(one), "bad", "5", 1),
        (str(one), "good", "5", 1),
        (str(two), "bad", "5", 1),
    ]
    assert store.labels.confusion([]) == []


def test_messages_of_some_batches_that_have_a_label_are_counted_once(store: FeatureStore, tmp_path: Path) -> None:
    file = tmp_path / "messages.parquet"
    pq.write_table(pa.table({"batch": ["1", "2", "2", "3", "3"], "message_id": ["a", "b", "c", "b", "d"]}), file)
    assert store.labels.count_in([file], "1", "3") == 0
    store.labels.append(labels(a="5", b="1"), "run")
    store.labels.append(labels(days=1, b="5"), "run")
    assert [store.labels.count_in([file], first, "3") for first in ("1", "2", "4")] == [2, 1, 0]
    assert store.labels.count_in([file], "1", "1") == 1
    assert store.labels.count_in([], "1", "3") == 0


def test_a_failed_write_is_not_visible(store: FeatureStore) -> None:
    store.append_features(V, features("a"), "run")
    with pytest.raises(Exception, match=r"(?i)schema|cast|type|field"):
        store.append_features(V, pa.table({"message_id": [1], "more": ["x"]}), "run")
    assert store.count(V) == 1


def test_every_list_of_float32_becomes_vectors_that_are_not_copied() -> None:
    lists = {"a": pa.array([[1, 2], [3, 4]], pa.list_(pa.float32())), "b": pa.array([[5], [6]], pa.list_(pa.float32()))}
    table = pa.table({**lists, "probabilities": pa.array([[0.5], [1.0]], pa.list_(pa.float64()))})
    found = features_frame(table)
    assert np.shares_memory(found["a"][1], table["a"].chunk(0).flatten().to_numpy())
    assert [vector.tolist() for vector in found["a"]] == [[1, 2], [3, 4]]
    assert [vector.tolist() for vector in found["b"]] == [[5], [6]]
    assert {vector.dtype for name in ("a", "b") for vector in found[name]} == {np.dtype(np.float32)}
    assert found["probabilities"][1].tolist() == [1.0]
    assert features_frame(pa.table({"n": [1]}))["n"].tolist() == [1]
