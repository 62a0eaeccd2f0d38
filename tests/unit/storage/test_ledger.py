from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from tests.naming import assert_names, refusal

from batch_nlp.config import QuarantineConfig
from batch_nlp.errors import AccountingError, DataError, ExitCode
from batch_nlp.storage.atomic import sweep
from batch_nlp.storage.ledger import VALUE_CHARS, Ledger, keeping_account
from batch_nlp.storage.raw.batches import RawBatch
from batch_nlp.storage.raw.lines import BrokenRow

ROWS = pd.DataFrame(
    {
        "message_id": ["a", None, "c"],
        "text": ["fine", 7, "x" * 1000],
        "source_file": "review.json",
        "source_line": [1, 2, 3],
    }
)


def with_quarantine(rows: pd.DataFrame = ROWS) -> Ledger:
    ledger = Ledger()
    ledger.receive(RawBatch(rows, [("review.json", BrokenRow(9, "broken JSON: unexpected end", '{"text": "cu'))]))
    ledger.quarantine(rows[1:], "validate", "text is bad", "text", rows["text"][1:])
    return ledger


def test_accounts_hold_when_every_message_went_somewhere() -> None:
    ledger = with_quarantine()
    ledger.done += 1
    ledger.check_accounts()
    assert ledger.summary() == {"read": 4, "done": 1, "known": 0, "duplicates": 0, "quarantined": 3}


@pytest.mark.parametrize("account", ["done", "known", "duplicates"])
def test_each_account_counts(account: str) -> None:
    ledger = with_quarantine()
    setattr(ledger, account, 1)
    ledger.check_accounts()


@pytest.mark.parametrize("done", [0, 2])
def test_a_lost_or_doubled_message_is_a_bug_and_said_so(done: int) -> None:
    ledger = with_quarantine()
    ledger.done = done
    with refusal(AccountingError, 4, done + 3) as failure:
        ledger.check_accounts()
    assert failure.value.exit_code is ExitCode.BUG


def test_quarantine_says_where_why_and_what_and_keeps_the_whole_row(tmp_path: Path) -> None:
    path = tmp_path / "quarantine" / "run.parquet"
    with_quarantine().write_quarantine(path)
    broken, seven, long = pq.read_table(path, page_checksum_verification=True).to_pylist()
    assert broken == {
        "message_id": None,
        "step": "extract",
        "reason": "broken JSON: unexpected end",
        "column": None,
        "value": '{"text": "cu',
        "source_file": "review.json",
        "source_line": 9,
        "row": '{"text": "cu',
    }
    assert (seven["message_id"], seven["step"], seven["reason"]) == (None, "validate", "text is bad")
    assert (seven["column"], seven["value"]) == ("text", "7")
    assert (seven["source_file"], seven["source_line"]) == ("review.json", 2)
    assert long["message_id"] == "c"
    assert len(long["value"]) == VALUE_CHARS
    assert "x" * 1000 in long["row"]


def test_values_that_json_cannot_hold_are_kept_as_text(tmp_path: Path) -> None:
    deep: list[object] = []
    for _ in range(5000):
        deep = [deep]
    strange = pd.DataFrame(
        {
            "message_id": pd.Series([["a"], "b", "c"], dtype=object),
            "text": pd.Series([deep, 10**30, pd.NaT], dtype=object),
            "source_file": "f",
            "source_line": [1, 2, 3],
        }
    )
    ledger = Ledger()
    ledger.quarantine(strange, "extract", "cannot be read", "text", strange["text"])
    ledger.write_quarantine(tmp_path / "q.parquet")
    nested, huge, nothing = pq.read_table(tmp_path / "q.parquet").to_pylist()
    # how deep is too deep depends on the Python
    assert "nested too deep" in nested["row"] or "[[[[" in nested["row"]
    assert str(10**30) in huge["row"]
    assert nothing["value"] == "NaT"


def test_without_quarantined_rows_no_file_is_written(tmp_path: Path) -> None:
    ledger = Ledger()
    ledger.receive(RawBatch(ROWS, []))
    ledger.write_quarantine(tmp_path / "q.parquet")
    assert not list(tmp_path.iterdir())


def test_broken_input_stops_a_run_over_its_limit_and_not_at_it(tmp_path: Path) -> None:
    ledger = with_quarantine()  # 3 of 4
    refused = tmp_path / "q.parquet"
    ledger.check_share(QuarantineConfig(max_share=0.75, min_messages=4), refused)
    assert not refused.exists()
    with refusal(DataError, 3, 4, "75%", "74%", "quarantine.max_share", "q.parquet"):
        ledger.check_share(QuarantineConfig(max_share=0.74, min_messages=4), refused)
    assert pq.read_metadata(refused).num_rows == 3


def test_a_few_messages_are_not_judged() -> None:
    with_quarantine().check_share(QuarantineConfig(max_share=0.0, min_messages=5), Path("q.parquet"))


@pytest.mark.parametrize("rows", [1, 12_345])
def test_many_rows_wait_on_disk_and_become_one_file(tmp_path: Path, rows: int, warnings: list[str]) -> None:
    batch = pd.DataFrame({"text": [None] * 1000, "source_file": "review.json", "source_line": range(1, 1001)})
    with keeping_account(tmp_path / "quarantine") as ledger:
        for start in range(0, rows, 1000):
            part = batch[: min(1000, rows - start)]
            ledger.receive(RawBatch(part, []))
            ledger.quarantine(part, "validate", "text is missing", "text", part["text"])
            # however many there are, those in memory are few
            assert len(ledger._quarantine._waiting) < 5000
        ledger.write_quarantine(tmp_path / "quarantine" / "run.parquet")
    assert [path.name for path in (tmp_path / "quarantine").iterdir()] == ["run.parquet"]
    assert pq.read_table(tmp_path / "quarantine" / "run.parquet").num_rows == rows
    assert_names(warnings[0], rows, "review.json:1")


def test_a_run_that_fails_leaves_no_quarantine(tmp_path: Path) -> None:
    rows = pd.concat([ROWS] * 3000, ignore_index=True)
    with keeping_account(tmp_path / "quarantine") as ledger:
        ledger.quarantine(rows, "validate", "text is bad", "text", rows["text"])
        assert list((tmp_path / "quarantine").glob(".*.tmp"))
    assert list((tmp_path / "quarantine").iterdir()) == []


def test_the_row_is_kept_as_the_source_has_it(tmp_path: Path) -> None:
    source = [{"id": 2**70, "body": None, "cool": [1]}, {"id": "b", "body": "x", "when": pd.Timestamp("2020-01-02")}]
    rows = pd.DataFrame({"message_id": ["a", "b"], "source_file": "f", "source_line": [1, 2]})
    ledger = Ledger()
    ledger.receive(RawBatch(rows, [], source))
    ledger.quarantine(rows, "validate", "text is missing", "text", rows["message_id"])
    ledger.write_quarantine(tmp_path / "q.parquet")
    kept = [json.loads(row) for row in pq.read_table(tmp_path / "q.parquet")["row"].to_pylist()]
    assert kept == [
        {"id": str(2**70), "body": None, "cool": [1]},
        {"id": "b", "body": "x", "when": "2020-01-02 00:00:00"},
    ]


def test_a_step_whose_account_does_not_add_up_is_named() -> None:
    ledger = with_quarantine()
    ledger.done += 1
    ledger.check_accounts({"extract": (3, 3), "validate": (3, 1), "clean_text": (1, 1)})
    with refusal(AccountingError, "clean_text", 1, 0):
        ledger.check_accounts({"validate": (3, 1), "clean_text": (1, 0)})


def test_every_batch_of_a_run_counts_with_its_broken_lines() -> None:
    ledger = Ledger()
    for name in ("one.json", "two.json"):
        broken = [(name, BrokenRow(line, "broken JSON: a comma", "{,")) for line in (7, 8)]
        ledger.receive(RawBatch(ROWS, broken))
        ledger.quarantine(ROWS[1:], "extract", "text is bad", "text", ROWS["text"][1:])
    ledger.done = 2
    assert ledger.summary() == {"read": 10, "done": 2, "known": 0, "duplicates": 0, "quarantined": 8}
    # lines that were no rows have not reached the step
    ledger.check_accounts({"extract": (6, 2)})


def test_messages_that_were_known_or_came_twice_left_at_the_step_that_finds_them() -> None:
    ledger = with_quarantine(pd.concat([ROWS] * 3, ignore_index=True))  # 9 rows and a broken line
    ledger.quarantine(ROWS[:1], "remove_duplicates", "id is taken", "message_id", ROWS["message_id"][:1])
    ledger.read += 5
    ledger.known, ledger.duplicates, ledger.done = 3, 2, 0
    steps = {"validate": (14, 6), "remove_duplicates": (6, 0)}
    ledger.check_accounts(steps)
    account = {"read": 15, "done": 0, "known": 3, "duplicates": 2, "quarantined": 10}
    with refusal(AccountingError, "remove_duplicates", 7, 6, account):
        ledger.check_accounts({**steps, "remove_duplicates": (7, 0)})


def test_a_run_says_what_is_in_quarantine_and_where(tmp_path: Path, warnings: list[str]) -> None:
    ledger = Ledger()
    many = pd.DataFrame({"source_file": "long.json", "source_line": range(1, 1201), "text": ""})
    ledger.receive(RawBatch(many, [("\x1b[31mred.json", BrokenRow(9, "broken JSON: a comma: here", "{,"))]))
    ledger.receive(RawBatch(many[:0], [("later.json", BrokenRow(1, "broken JSON: no end", "{"))]))
    ledger.quarantine(many, "validate", "text is not: a text", "text", many["text"])
    path = tmp_path / "q.parquet"
    ledger.write_quarantine(path)
    told, _, *reasons = warnings[0].splitlines()
    assert_names(told, 1202, path)
    assert [re.split("  +", line.strip()) for line in reasons] == [
        ["1,200", "text is not: a text", "text", "long.json:1"],
        ["2", "broken JSON", "-", r"\x1b[31mred.json:9"],
    ]


def test_one_message_is_told_as_one(tmp_path: Path, warnings: list[str]) -> None:
    ledger = Ledger()
    ledger.receive(RawBatch(pd.DataFrame(), [("review.json", BrokenRow(1, "broken JSON", "{"))]))
    ledger.write_quarantine(tmp_path / "q.parquet")
    assert_names(warnings[0], 1, "message", "q.parquet")


@pytest.mark.parametrize(("reasons", "last"), [(12, "reason 11"), (14, 2)])
def test_of_many_reasons_a_run_names_twelve(tmp_path: Path, warnings: list[str], reasons: int, last: object) -> None:
    ledger = Ledger()
    ledger.receive(RawBatch(pd.concat([ROWS[:1]] * reasons), []))
    for number in range(reasons):
        ledger.quarantine(ROWS[:1], "validate", f"reason {number:02d}", "text", ROWS["text"][:1])
    ledger.write_quarantine(tmp_path / "q.parquet")
    lines = warnings[0].splitlines()
    assert len(lines) == 2 + 12 + (reasons > 12)
    assert_names(lines[-1], last)


def test_numbers_and_what_is_nested_stay_what_they_are_in_a_kept_row(tmp_path: Path) -> None:
    vector, nested = np.array([1, 2]), {"seen": pd.Timestamp("2020-01-02"), "times": 3}
    row = pd.DataFrame(
        {"message_id": "a", "vector": [vector], "nested": [nested], "source_file": "f", "source_line": 1}
    )
    ledger = Ledger()
    ledger.quarantine(row, "validate", "text is missing", "text", row["message_id"])
    ledger.write_quarantine(tmp_path / "q.parquet")
    kept = json.loads(pq.read_table(tmp_path / "q.parquet")["row"][0].as_py())
    assert kept["vector"] == [1, 2]
    assert kept["nested"] == {"seen": "2020-01-02 00:00:00", "times": 3}


def test_a_row_without_its_value_is_not_lost_in_silence() -> None:
    with pytest.raises(ValueError):
        Ledger().quarantine(ROWS, "validate", "text is bad", "text", ROWS["text"][1:])


@pytest.mark.parametrize("folder", ["made before", "not/there/yet"])
@pytest.mark.parametrize("rows", [500, 6000])  # fewer, and more, than wait in memory
def test_a_damaged_quarantine_is_noticed(tmp_path: Path, folder: str, rows: int) -> None:
    (tmp_path / "made before").mkdir()
    batch = pd.DataFrame({"text": [""] * rows, "source_file": "review.json", "source_line": range(1, rows + 1)})
    path = tmp_path / folder / "run.parquet"
    with keeping_account(path.parent) as ledger:
        ledger.quarantine(batch, "validate", "text is empty", "text", batch["text"])
        ledger.write_quarantine(path)
    assert pq.read_table(path, page_checksum_verification=True).num_rows == rows
    damaged = bytearray(path.read_bytes())
    column = pq.read_metadata(path).row_group(0).column(7)  # the rows as they came
    damaged[column.dictionary_page_offset + 100] ^= 1
    path.write_bytes(damaged)
    with pytest.raises(OSError, match=r"CRC|checksum"):
        pq.read_table(path, page_checksum_verification=True)


def test_a_quarantine_can_be_given_up_twice_and_after_it_was_swept(tmp_path: Path) -> None:
    rows = pd.concat([ROWS] * 3000, ignore_index=True)
    ledger = Ledger(tmp_path)
    ledger.quarantine(rows, "validate", "text is bad", "text", rows["text"])
    assert [path.name.startswith(".quarantine.parquet.") for path in sweep(tmp_path)] == [True]
    ledger.discard_quarantine()
    ledger.discard_quarantine()
    assert list(tmp_path.iterdir()) == []
