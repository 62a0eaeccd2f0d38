from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow.parquet as pq
import pytest
from tests.left_out import reasons
from tests.naming import assert_names

from batch_nlp.steps.validate import Validate
from batch_nlp.storage.ledger import Ledger


def messages(*rows: dict[str, Any]) -> pd.DataFrame:
    """Return extracted messages; what is not given is sound."""
    sound = {"text": "fine", "written_at": "2020-01-01T00:00:00Z", "target": "5"}
    filled = [{"message_id": f"m{number}", **sound, **row} for number, row in enumerate(rows)]
    frame = pd.DataFrame({name: pd.Series([row[name] for row in filled], dtype=object) for name in filled[0]})
    return frame.assign(
        written_at=pd.to_datetime(frame["written_at"], utc=True).dt.as_unit("us"),
        source_file="review.json",
        source_line=range(1, len(rows) + 1),
    )


def run(frame: pd.DataFrame, ledger: Ledger, timed: bool = True) -> pd.DataFrame:
    return Validate(["1", "2", "3", "4", "5"], timed, ledger).transform(frame)


def test_sound_messages_pass_as_they_are() -> None:
    ledger = Ledger()
    frame = messages({}, {"target": None}, {"text": "😀"}, {"message_id": "é" * 256})
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
        ({"target": "6"}, "target is not one of 1, 2, 3, 4, 5", "6"),
        ({"target": ""}, "target is not one of 1, 2, 3, 4, 5", ""),
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
    assert reasons(ledger) == {("validate", reason): 1}
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


def test_a_source_without_times_has_messages_without_a_time() -> None:
    frame = messages({"written_at": None}, {}, {"written_at": "1989-12-31T23:59:59Z"})
    assert run(frame, Ledger(), timed=False).index.tolist() == [0, 1]
    assert run(frame, Ledger()).index.tolist() == [1]


@pytest.mark.parametrize(("target", "passes"), [("any", True), ("x" * 256, True), ("x" * 257, False), ("", False)])
def test_where_labels_are_not_listed_any_short_text_is_one(target: str, passes: bool) -> None:
    ledger = Ledger()
    assert len(Validate(None, True, ledger).transform(messages({"target": target}))) == passes
    assert list(reasons(ledger).values()) == ([] if passes else [1])
    for step, reason in reasons(ledger):
        assert step == "validate"
        assert_names(reason, "label", 256)


def test_of_many_targets_five_are_named() -> None:
    ledger = Ledger()
    Validate([f"c{number:03}" for number in range(150)], True, ledger).transform(messages({"target": "d"}))
    [((step, reason), number)] = reasons(ledger).items()
    assert (step, number) == ("validate", 1)
    assert_names(reason, "target", "c000, c001, c002, c003, c004, ...", 150)


def test_where_nobody_keeps_account_they_are_left_out_all_the_same() -> None:
    assert Validate(["5"]).transform(messages({"text": ""}, {}, {"target": "6"})).index.tolist() == [1]


def test_an_empty_batch_passes() -> None:
    assert run(messages({}).iloc[:0], Ledger()).empty


def test_the_input_is_not_changed() -> None:
    frame = messages({}, {"text": None}, {"text": ""})
    before = frame.copy(deep=True)
    run(frame, Ledger())
    pd.testing.assert_frame_equal(frame, before)
