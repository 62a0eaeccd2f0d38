from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from batch_nlp.config import EngineConfig
from batch_nlp.storage import delta_table, label_table
from batch_nlp.storage.label_table import LABELS_SCHEMA, Appended, LabelTable

DAY = datetime(2024, 5, 1, tzinfo=UTC)


@pytest.fixture
def table(tmp_path: Path, engine: EngineConfig) -> LabelTable:
    return LabelTable(tmp_path / "labels", engine)


def row(message_id: str, target: str, days: int = 0, source: str | None = "given", **more: Any) -> dict[str, Any]:
    """Return a label of a file that was first seen some days after the first."""
    file = f"day_{days}.csv"
    return {
        "message_id": message_id,
        "target": target,
        "arrived_at": DAY + timedelta(days=days),
        "source_file": file,
        "source": source,
        "confidence": None,
        "source_hash": f"hash of {file}",
        **more,
    }


def append(table: LabelTable, *rows: dict[str, Any]) -> Appended:
    return table.append(pa.Table.from_pylist(list(rows), schema=LABELS_SCHEMA), "run")


def stored(table: LabelTable) -> list[dict[str, Any]]:
    found = delta_table.open_table(table.folder)
    assert found is not None
    rows: list[dict[str, Any]] = found.to_pyarrow_dataset().to_table().to_pylist()
    return rows


@pytest.mark.parametrize(
    ("older", "newer", "counts"),
    [
        ("person", "given", "older"),
        ("person", "zero_shot", "older"),
        ("given", "rules", "older"),
        ("given", "person", "newer"),
        ("clusters", "given", "newer"),
        ("rules", "person", "newer"),
        # machines have one rank
        ("rules", "clusters", "newer"),
        ("clusters", "rules", "newer"),
        ("zero_shot", "rules", "newer"),
        ("given", "given", "newer"),
        ("person", "person", "newer"),
        # of an earlier release
        (None, "rules", "older"),
        ("given", None, "newer"),
    ],
)
def test_the_rank_of_its_source_decides_which_label_counts_and_then_the_time(
    table: LabelTable, older: str | None, newer: str | None, counts: str
) -> None:
    assert append(table, row("a", "older", 0, older)).added == 1
    assert append(table, row("a", "newer", 1, newer)).added == 1
    assert table.of(["a"]) == {"a": counts}


def test_in_one_delivery_the_sources_are_ranked_too(table: LabelTable) -> None:
    rows = [row("a", "1", source="rules"), row("a", "2", source="person"), row("a", "3", source="given")]
    assert append(table, *rows) == Appended(3, 0)
    assert table.of(["a"]) == {"a": "2"}


def test_source_confidence_and_file_are_kept(table: LabelTable) -> None:
    append(table, row("a", "1", source="zero_shot", confidence=0.75, source_hash=None), row("b", "1"))
    assert stored(table) == [row("a", "1", source="zero_shot", confidence=0.75, source_hash=None), row("b", "1")]
    assert table.arrivals() == {"hash of day_0.csv": DAY}


def test_an_older_file_undoes_no_correction(table: LabelTable) -> None:
    """Guarantee 23."""
    append(table, row("a", "5", 0))
    append(table, row("a", "1", 1))
    before = stored(table)
    assert append(table, row("a", "5", 0)).added == 0
    assert append(table, row("a", "1", 1)).added == 0
    # all again at once, the correction first
    assert append(table, row("a", "1", 1), row("a", "5", 0)) == Appended(0, 0)
    assert stored(table) == before
    assert table.of(["a"]) == {"a": "1"}


def test_a_file_that_was_seen_before_the_label_that_is_stored_brings_none(table: LabelTable) -> None:
    append(table, row("a", "5", 3))
    assert append(table, row("a", "1", 2), row("b", "1", 2)).added == 1
    assert table.of(["a", "b"]) == {"a": "5", "b": "1"}


def test_the_same_label_again_is_not_stored(table: LabelTable) -> None:
    append(table, row("a", "5", 0, "rules"), row("b", "5", 0))
    assert append(table, row("a", "5", 1, "clusters"), row("b", "5", 1)).added == 0
    # but a person's word on it is: it will count before a later given one
    assert append(table, row("b", "5", 1, "person")).added == 1
    assert append(table, row("b", "4", 2)).added == 1
    assert table.of(["a", "b"]) == {"a": "5", "b": "5"}


def test_of_two_files_that_disagree_the_later_counts_and_a_warning_says_so(
    table: LabelTable, warnings: list[str]
) -> None:
    ids = [f"m{number}" for number in range(7)]
    nine = [row(name, "5", 9) for name in ids]
    ten = [row(name, "1", 10) for name in ids]
    # the order in which they are read says nothing
    assert append(table, *ten, *nine, row("other", "2", 9), row("other", "2", 10)) == Appended(8, 7)
    assert table.of(ids) == dict.fromkeys(ids, "1")
    assert len(warnings) == 1
    assert warnings[0].startswith("7 message(s)")
    assert warnings[0].endswith(": m0, m1, m2, m3, m4")
    # reading both again is no news
    assert append(table, *ten, *nine) == Appended(0, 0)
    assert len(warnings) == 1


def test_files_that_disagree_are_told_once_even_if_the_later_one_says_what_is_stored(
    table: LabelTable, warnings: list[str]
) -> None:
    append(table, row("a", "1", 0))
    assert append(table, row("a", "5", 1), row("a", "1", 2)) == Appended(1, 1)
    assert append(table, row("a", "5", 1), row("a", "1", 2)) == Appended(0, 0)
    assert len(warnings) == 1
    # nor does the one between them count when it is read without the later one
    assert append(table, row("a", "5", 1)) == Appended(0, 0)
    assert table.of(["a"]) == {"a": "1"}


def test_several_labels_in_one_file_are_told_and_sources_of_two_ranks_are_no_conflict(
    table: LabelTable, warnings: list[str]
) -> None:
    assert append(table, row("a", "1"), row("a", "2"), row("a", "3", 1, "person")) == Appended(2, 1)
    assert table.of(["a"]) == {"a": "3"}
    assert [kept["target"] for kept in stored(table)] == ["2", "3"]
    assert len(warnings) == 1
    assert append(table, row("b", "1"), row("b", "3", 1, "person")) == Appended(2, 0)
    assert len(warnings) == 1


def test_labels_come_batch_by_batch_and_are_committed_a_few_at_a_time(
    table: LabelTable, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(label_table, "_LABELS_A_COMMIT", 2048)
    rows = pa.Table.from_pylist([row(f"m{number:05d}", str(number % 5)) for number in range(5000)], LABELS_SCHEMA)
    reader = pa.RecordBatchReader.from_batches(LABELS_SCHEMA, rows.to_batches(max_chunksize=300))
    assert table.append(reader, "run") == Appended(5000, 0)
    found = delta_table.open_table(table.folder)
    assert found is not None
    assert found.version() == 2
    assert found.to_pyarrow_dataset().to_table().sort_by("message_id").equals(rows)


def earlier_release(table: LabelTable, **targets: str) -> None:
    """Write labels as releases did that knew no sources."""
    rows = [{"message_id": name, "target": target} for name, target in targets.items()]
    for entry in rows:
        entry |= {"arrived_at": DAY, "source_file": "review_1.json"}  # type: ignore[dict-item]
    delta_table.append(table.folder, pa.Table.from_pylist(rows, pa.schema(list(LABELS_SCHEMA)[:4])), {})


def test_labels_of_an_earlier_release_count_as_given_and_more_can_be_added(table: LabelTable) -> None:
    earlier_release(table, a="5", b="4", c="3")
    assert table.of(["a", "b"]) == {"a": "5", "b": "4"}
    assert table.arrivals() == {}
    # nothing new: the table stays as it is
    assert append(table, row("a", "5", 1)).added == 0
    assert [len(entry) for entry in stored(table)] == [4, 4, 4]
    assert append(table, row("a", "1", 1), row("b", "2", 1, "rules"), row("c", "1", -1)).added == 2
    assert table.of(["a", "b", "c"]) == {"a": "1", "b": "4", "c": "3"}
    kept = {(entry["message_id"], entry["target"], entry["source"]) for entry in stored(table)}
    assert kept == {("a", "5", None), ("b", "4", None), ("c", "3", None), ("a", "1", "given"), ("b", "2", "rules")}
    assert append(table, row("b", "5", 2)).added == 1
    assert table.of(["b"]) == {"b": "5"}
    assert delta_table.problems(table.folder) == []
    assert not delta_table.seal(table.folder)
