"""The condition of a dataset's messages: what meets it, and what cannot be one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from tests.naming import refusal

from batch_nlp.config import QuarantineConfig
from batch_nlp.dataset.where import Where
from batch_nlp.errors import DataError, ExitCode, SettingsError
from batch_nlp.storage.ledger import Ledger
from batch_nlp.storage.raw.batches import read_batches


@pytest.mark.parametrize(
    ("condition", "values", "kept"),
    [
        ("inbound = 'True'", ["True", "False", "true", None], [0]),
        # JSON's true is text too, as JSON writes it
        ("inbound = 'true'", [True, False, "true", "True", None], [0, 2]),
        ("lower(inbound) = 'true'", [True, False, "TRUE"], [0, 2]),
        ("inbound", ["true", "false", True, False, "1", "0", None], [0, 2, 4]),
        ("inbound IS NULL", [None, "", "a", 0], [0]),
        ("inbound IS NOT NULL", [None, "", "a", 0], [1, 2, 3]),
        ("TRY_CAST(inbound AS DOUBLE) > 3", ["4", 3, 3.5, "many", None, "$5", True], [0, 2]),
        ("inbound = '4'", ["4", 4, 4.0], [0, 1]),
        ("inbound LIKE '%\"a\": 1%'", [{"a": 1}, {"a": 2}, [1]], [0]),
        ("NOT inbound = 'a' OR inbound IS NULL", ["a", "b", None], [1, 2]),
        ("\"inbound\" IN ('a', 'it''s')", ["a", "it's", "b"], [0, 1]),
        ("messages.inbound = 'a'", ["a", "b"], [0]),
    ],
)
def test_a_condition_keeps_the_rows_that_meet_it(condition: str, values: list[Any], kept: list[int]) -> None:
    where = Where(condition)
    assert where.columns == ["inbound"]
    found = where.keeps([{"inbound": value, "other": 1} for value in values])
    assert [position for position, keep in enumerate(found) if keep] == kept


def test_a_column_that_a_row_lacks_is_null() -> None:
    assert Where("a = 'x' AND b IS NULL").columns == ["a", "b"]
    assert Where("a = 'x' AND b IS NULL").keeps([{"a": "x"}, {"a": "x", "b": 1}, {}]).tolist() == [True, False, False]


def test_of_no_rows_none_is_kept() -> None:
    assert Where("a = 'x'").keeps([]).tolist() == []


@pytest.mark.parametrize("text", ["'); DROP TABLE messages; --", "\x00", "\u202e", "x" * 100_000, "\U0001f600"])
def test_values_are_data_whatever_they_hold(text: str) -> None:
    """Guarantee 16."""
    assert Where("a IS NOT NULL").keeps([{"a": text}, {"a": "fine"}]).tolist() == [True, True]


@pytest.mark.parametrize(
    "condition",
    [
        "inbound = ",
        "inbound == 'a' 'b'",
        "",
        "1 = 1",
        "true",
        "a = 'x'; DROP TABLE messages",
        "a = 'x') OR (b = 'y'; SELECT 1",
        "no_such_function(a)",
        "CAST(a AS NOTHING) = 1",
        "a + 1",
        "a = (SELECT content FROM read_text('/etc/passwd') LIMIT 1)",
        "a IN (SELECT column0 FROM read_csv('/etc/passwd'))",
        "a IN (SELECT a FROM '/etc/passwd')",
        "a IN (SELECT a FROM read_parquet('https://example.org/a.parquet'))",
    ],
)
def test_what_is_no_condition_or_looks_elsewhere_is_refused_before_any_work(condition: str) -> None:
    """Guarantee 10."""
    with refusal(SettingsError, f"dataset.messages.where={condition}", "TRY_CAST") as refused:
        Where(condition)
    assert refused.value.exit_code is ExitCode.SETTINGS


def test_a_condition_that_fails_on_a_value_is_told_with_what_helps() -> None:
    where = Where("CAST(score AS INT) > 3")
    assert where.keeps([{"score": "4"}]).tolist() == [True]
    with refusal(DataError, "CAST(score AS INT) > 3", "many", "TRY_CAST"):
        where.keeps([{"score": "many"}])


def test_rows_that_are_left_out_are_counted_and_the_lines_of_the_others_stay(tmp_path: Path) -> None:
    """Guarantee 5."""
    file = tmp_path / "a.json"
    rows = [{"_source": {"n": number, "kept": number % 3 == 0}} for number in range(10)]
    file.write_text("".join(json.dumps(row) + "\n" for row in rows) + "broken\n")
    ledger, parts = Ledger(), []
    for batch in read_batches([file], (), ["n"], 4, None, "_source", Where("kept = 'true'").keeps):
        ledger.receive(batch)
        parts.append(batch.rows)
    found = pd.concat(parts)
    assert list(zip(found["n"], found["source_line"], strict=True)) == [(0, 1), (3, 4), (6, 7), (9, 10)]
    assert (ledger.read, ledger.left_out, ledger.quarantined) == (11, 6, 1)
    ledger.done = 4
    ledger.check_accounts()
    # what is no message does not count when the broken ones are weighed
    refused = tmp_path / "refused.parquet"
    ledger.check_share(QuarantineConfig(max_share=0.21, min_messages=5), refused)
    with pytest.raises(DataError):
        ledger.check_share(QuarantineConfig(max_share=0.19, min_messages=5), refused)
    assert refused.exists()
