from __future__ import annotations

import json
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from tests.naming import refusal
from tests.settings import default

from batch_nlp.config import DatasetConfig, MessagesConfig, SideTableConfig
from batch_nlp.errors import DataError
from batch_nlp.inference.batch_records import Batch, BatchRecords, BatchState, batch_files
from batch_nlp.inference.inbox import inbox_files

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
DATASET = default(
    DatasetConfig,
    name="yelp",
    messages=default(MessagesConfig, files="*review*"),
    side_tables=[
        SideTableConfig("user", "*user*", "user_id"),
        SideTableConfig("business", "*business*", "business_id"),
    ],
)


@pytest.fixture
def inbox(tmp_path: Path) -> Path:
    (tmp_path / "inbox").mkdir()
    return tmp_path / "inbox"


@pytest.fixture
def records(tmp_path: Path) -> BatchRecords:
    return BatchRecords(tmp_path / "batches")


def claim(records: BatchRecords, inbox: Path, minutes: int = 0) -> Batch | None:
    files = records.new_files(inbox, DATASET).files
    return records.claim(files, "yelp", NOW + timedelta(minutes=minutes)) if files else None


def finish(records: BatchRecords, batch: Batch | None) -> None:
    assert batch is not None
    records.finish(batch)


def test_a_claim_takes_all_new_files_and_is_on_disk_before_any_work(inbox: Path, records: BatchRecords) -> None:
    for name in ("review_1.json", "review_2.jsonl"):
        (inbox / name).write_text(json.dumps({"text": name}))
    batch = claim(records, inbox)
    assert batch is not None
    assert list(batch.files) == ["review_1.json", "review_2.jsonl"]
    assert batch.name.startswith("20260102T030405Z-")
    assert (batch.state, batch.predicted_at) == (BatchState.CLAIMED, NOW.isoformat())
    assert records.all() == [batch]
    with batch_files(batch, inbox) as files:
        assert files == [inbox / "review_1.json", inbox / "review_2.jsonl"]


def test_an_unfinished_batch_is_found_again_as_it_was(inbox: Path, records: BatchRecords) -> None:
    (inbox / "review.json").write_text('{"text": "x"}')
    batch = claim(records, inbox)
    assert batch is not None
    assert records.unfinished("yelp") == batch
    batch.state, batch.counts, batch.accounts, batch.model_version = BatchState.SCORED, [1, 2, 3], {"in": 6}, "v0002"
    records.write(batch)
    assert records.unfinished("yelp") == batch
    assert records.unfinished("sample") is None, "a batch is finished by the model of its own dataset"
    finish(records, batch)
    assert records.unfinished("yelp") is None


def test_a_batch_of_another_dataset_is_left_to_its_own_runs(inbox: Path, records: BatchRecords) -> None:
    (inbox / "review.json").write_text('{"text": "x"}')
    claim(records, inbox)
    assert records.unfinished("other") is None
    assert records.new_files(inbox, DATASET).files == {}


@pytest.mark.parametrize("state", [BatchState.CLAIMED, BatchState.SCORED, BatchState.JUDGED])
def test_a_batch_is_unfinished_until_nothing_is_left_to_do(
    inbox: Path, records: BatchRecords, state: BatchState
) -> None:
    (inbox / "review.json").write_text('{"text": "x"}')
    batch = claim(records, inbox)
    assert batch is not None
    batch.state = state
    records.write(batch)
    assert records.unfinished(batch.dataset) == batch
    assert "state" not in batch.facts()


def test_an_empty_or_missing_inbox_makes_no_batch(inbox: Path, records: BatchRecords, tmp_path: Path) -> None:
    """Guarantee 7."""
    assert claim(records, inbox) is None
    assert claim(records, tmp_path / "nowhere") is None
    assert records.all() == []


def test_a_file_is_scored_once_whatever_it_is_called(inbox: Path, records: BatchRecords) -> None:
    (inbox / "review_1.json").write_text('{"text": "same"}')
    finish(records, claim(records, inbox))
    assert claim(records, inbox, 1) is None
    (inbox / "review_1.json").rename(inbox / "review_renamed.json")
    (inbox / "review_copy.json").write_text('{"text": "same"}')
    assert claim(records, inbox, 2) is None
    (inbox / "review_new.json").write_text('{"text": "other"}')
    batch = claim(records, inbox, 3)
    assert batch is not None
    assert list(batch.files) == ["review_new.json"]


def test_two_files_of_one_content_are_one(inbox: Path, records: BatchRecords) -> None:
    for name in ("review_a.json", "review_b.json"):
        (inbox / name).write_text('{"text": "same"}')
    batch = claim(records, inbox)
    assert batch is not None
    assert list(batch.files) == ["review_a.json"]


def test_a_file_that_got_new_content_under_its_old_name_is_new(inbox: Path, records: BatchRecords) -> None:
    (inbox / "review.json").write_text('{"text": "monday"}')
    finish(records, claim(records, inbox))
    (inbox / "review.json").write_text('{"text": "tuesday"}')
    assert claim(records, inbox, 1) is not None


@pytest.mark.parametrize("how", ["changed", "gone", "grown meanwhile"])
def test_a_claimed_file_that_changed_is_refused_by_name(inbox: Path, records: BatchRecords, how: str) -> None:
    file = inbox / "review.json"
    file.write_text('{"text": "x"}')
    batch = claim(records, inbox)
    assert batch is not None
    if how != "grown meanwhile":
        file.write_text('{"text": "y"}') if how == "changed" else file.unlink()
    with refusal(DataError, batch.name, 1, "review.json"), batch_files(batch, inbox) as files:
        files[0].write_text('{"text": "x"}\n{"text": "y"}\n')


@pytest.mark.parametrize("how", ["touched", "moved away"])
def test_a_claimed_file_that_was_read_as_it_was_is_taken(inbox: Path, records: BatchRecords, how: str) -> None:
    file = inbox / "review.json"
    file.write_text('{"text": "x"}')
    batch = claim(records, inbox)
    assert batch is not None
    with batch_files(batch, inbox) as files:
        os.utime(files[0], (0, 0)) if how == "touched" else files[0].rename(inbox.parent / "done.json")


def test_side_tables_and_unknown_files_in_the_inbox_are_no_messages(inbox: Path) -> None:
    for name in (
        "review.json", "messages_of_today.csv", "yelp_user.json", "business_new.csv.gz", "user_review.json",
        "notes.txt", ".review.json", "review.json.tmp",
    ):  # fmt: skip
        (inbox / name).touch()
    found = [file.name for file in inbox_files(inbox, DATASET)]
    assert found == ["messages_of_today.csv", "review.json", "user_review.json"]


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"{}", b'{"name": "x"}', b"\xff\xfe"])
def test_a_damaged_record_is_refused_by_name(records: BatchRecords, tmp_path: Path, content: bytes) -> None:
    (tmp_path / "batches").mkdir()
    (tmp_path / "batches" / "20260102T030405Z-abc.json").write_bytes(content)
    with refusal(DataError, "20260102T030405Z-abc.json"):
        records.all()


def test_a_record_of_an_unknown_state_or_field_is_refused(records: BatchRecords, tmp_path: Path) -> None:
    records.write(Batch("b", "yelp", NOW.isoformat(), {"f": "h"}))
    path = tmp_path / "batches" / "b.json"
    sound = json.loads(path.read_text())
    del sound["sha256"]  # as an earlier release wrote it
    path.write_text(json.dumps(sound))
    assert [batch.name for batch in records.all()] == ["b"]
    for change in ({"state": "half"}, {"extra": 1}):
        path.write_text(json.dumps({**sound, **change}))
        with refusal(DataError, "b.json"):
            records.unfinished("yelp")


def test_a_record_that_says_something_else_than_was_written_is_refused(records: BatchRecords, tmp_path: Path) -> None:
    """Guarantee 2."""
    records.write(Batch("a", "yelp", NOW.isoformat(), {"f": "h"}))
    records.write(Batch("b", "yelp", NOW.isoformat(), {"f": "h"}, counts=[1, 2]))
    assert [batch.name for batch in records.read()[0]] == ["a", "b"]
    path = tmp_path / "batches" / "b.json"
    path.write_text(path.read_text().replace("2\n", "3\n"))
    with refusal(DataError, "b.json"):
        records.all()
    batches, damaged = records.read()
    assert ([batch.name for batch in batches], [problem.path for problem in damaged]) == (["a"], [path])
