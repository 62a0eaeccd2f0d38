from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq
import pytest

from batch_nlp.errors import AccountingError, DataError, ExitCode
from batch_nlp.storage.ledger import VALUE_CHARS, Ledger, keeping_account
from batch_nlp.storage.raw import BrokenRow, RawBatch

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
    ledger.receive(
        RawBatch(Path("in/review.json"), rows, [BrokenRow(9, "broken JSON: unexpected end", '{"text": "cu')])
    )
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
    with pytest.raises(AccountingError, match=f"4 messages came in and {done + 3} are accounted for") as failure:
        ledger.check_accounts()
    assert failure.value.exit_code is ExitCode.BUG


def test_quarantine_says_where_why_and_what_and_keeps_the_whole_row(tmp_path: Path) -> None:
    path = tmp_path / "quarantine" / "run.parquet"
    with_quarantine().write_quarantine(path)
    broken, seven, long = pq.read_table(path).to_pylist()
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
    ledger.receive(RawBatch(Path("review.json"), ROWS, []))
    ledger.write_quarantine(tmp_path / "q.parquet")
    assert not list(tmp_path.iterdir())


def test_broken_input_stops_a_run_over_its_limit_and_not_at_it() -> None:
    ledger = with_quarantine()  # 3 of 4
    ledger.check_share(0.75, 4, Path("q.parquet"))
    with pytest.raises(DataError, match=r"3 of 4 messages \(75%\).*quarantine.max_share=74%.*q.parquet"):
        ledger.check_share(0.74, 4, Path("q.parquet"))


def test_a_few_messages_are_not_judged() -> None:
    with_quarantine().check_share(0.0, 5, Path("q.parquet"))


@pytest.mark.parametrize("rows", [1, 12_345])
def test_many_rows_wait_on_disk_and_become_one_file(tmp_path: Path, rows: int, warnings: list[str]) -> None:
    batch = pd.DataFrame({"text": [None] * 1000, "source_file": "review.json", "source_line": range(1, 1001)})
    with keeping_account(tmp_path / "quarantine") as ledger:
        for start in range(0, rows, 1000):
            part = batch[: min(1000, rows - start)]
            ledger.receive(RawBatch(Path("review.json"), part, []))
            ledger.quarantine(part, "validate", "text is missing", "text", part["text"])
            # however many there are, those in memory are few
            assert len(ledger._quarantine._waiting) < 5000
        ledger.write_quarantine(tmp_path / "quarantine" / "run.parquet")
    assert [path.name for path in (tmp_path / "quarantine").iterdir()] == ["run.parquet"]
    assert pq.read_table(tmp_path / "quarantine" / "run.parquet").num_rows == rows
    assert f"{rows:,}  text is missing  text    review.json:1" in warnings[0]


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
    ledger.receive(RawBatch(Path("f"), rows, [], source))
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
    with pytest.raises(AccountingError, match="Step clean_text: 1 messages came in, 0 went on and 0 are accounted for"):
        ledger.check_accounts({"validate": (3, 1), "clean_text": (1, 0)})
