from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow.parquet as pq
import pytest

from batch_nlp.config import FiltersConfig
from batch_nlp.steps.validate import Validate
from batch_nlp.storage.ledger import Ledger


def messages(*rows: dict[str, Any]) -> pd.DataFrame:
    """Return extracted messages; what is not given is sound."""
    sound = {"text": "fine", "written_at": "2020-01-01T00:00:00Z", "target": "5", "user_review_count": 3.0}
    filled = [{"message_id": f"m{number}", **sound, **row} for number, row in enumerate(rows)]
    frame = pd.DataFrame({name: pd.Series([row[name] for row in filled], dtype=object) for name in filled[0]})
    return frame.assign(
        written_at=pd.to_datetime(frame["written_at"], utc=True).dt.as_unit("us"),
        user_review_count=frame["user_review_count"].astype(float),
        source_file="review.json",
        source_line=range(1, len(rows) + 1),
    )


def run(frame: pd.DataFrame, ledger: Ledger, **filters: bool) -> pd.DataFrame:
    return Validate(["1", "2", "3", "4", "5"], FiltersConfig(**filters), ledger).transform(frame)


def test_sound_messages_pass_as_they_are() -> None:
    ledger = Ledger()
    frame = messages({}, {"target": None}, {"text": "😀"}, {"message_id": "é" * 256}, {"user_review_count": None})
    pd.testing.assert_frame_equal(run(frame, ledger), frame)
    assert ledger.quarantined == 0


@pytest.mark.parametrize(
    ("fault", "reason", "value"),
    [
        ({"message_id": None}, "message_id is missing", "None"),
        ({"message_id": ""}, "id is empty or longer than 256 characters", ""),
        ({"message_id": "x" * 257}, "id is empty or longer than 256 characters", "x" * 200),
        ({"message_id": "a\nb"}, "id has control characters", "a\nb"),
        ({"message_id": "ab\n"}, "id has control characters", "ab\n"),
        ({"message_id": "a\x00"}, "id has control characters", "a\x00"),
        ({"text": None}, "text is missing", "None"),
        ({"written_at": None}, "written_at is missing", "NaT"),
        ({"written_at": "1989-12-31T23:59:59Z"}, "date is not between 1990 and 2100", "1989-12-31 23:59:59+00:00"),
        ({"written_at": "2100-01-01T00:00:01Z"}, "date is not between 1990 and 2100", "2100-01-01 00:00:01+00:00"),
        ({"target": "6"}, "target is none of 1, 2, 3, 4, 5", "6"),
        ({"target": ""}, "target is none of 1, 2, 3, 4, 5", ""),
        ({"text": ""}, "filter: empty text", ""),
        ({"text": " \n\t"}, "filter: empty text", " \n\t"),
    ],
)
def test_a_fault_is_quarantined_with_its_reason_and_value(
    tmp_path: Path, fault: dict[str, Any], reason: str, value: str
) -> None:
    ledger = Ledger()
    out = run(messages({}, fault, {}), ledger)
    assert out.index.tolist() == [0, 2]
    assert ledger.reasons == {("validate", reason): 1}
    ledger.write_quarantine(tmp_path / "q.parquet")
    row = pq.read_table(tmp_path / "q.parquet").to_pylist()[0]
    assert (row["column"], row["value"], row["source_line"]) == (next(iter(fault)), value, 2)


def test_a_message_with_several_faults_is_quarantined_once_and_every_faulty_one_is_found() -> None:
    ledger = Ledger()
    out = run(
        messages({"text": None, "target": "9"}, {}, {"message_id": None, "written_at": None}, {"text": " "}), ledger
    )
    assert out.index.tolist() == [1]
    assert ledger.quarantined == 3


def test_filters_are_settings() -> None:
    frame = messages({"text": " "}, {"user_review_count": 0.0}, {"user_review_count": None})
    assert run(frame, Ledger(), non_empty_text=False).index.tolist() == [0, 1, 2]
    ledger = Ledger()
    assert run(frame, ledger, non_empty_text=False, users_with_reviews=True).index.tolist() == [0, 2]
    assert ledger.reasons == {("validate", "filter: user without reviews"): 1}


def test_an_empty_batch_passes() -> None:
    assert run(messages({}).iloc[:0], Ledger()).empty


def test_the_input_is_not_changed() -> None:
    frame = messages({}, {"text": None}, {"text": ""})
    before = frame.copy(deep=True)
    run(frame, Ledger())
    pd.testing.assert_frame_equal(frame, before)
