"""Guarantee 16: hostile text is only text."""

from __future__ import annotations

import gzip
import json
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from batch_nlp.errors import DataError
from batch_nlp.storage.raw.batches import RawBatch

Score = Callable[[Iterable[RawBatch]], Any]
Read = Callable[[Path, int], Iterable[RawBatch]]

CORPUS = {
    "lone surrogates": "bad \ud83d and \udc00 worse",
    "swapped surrogates": "\ude00\ud83d",
    "nul": "nul\x00in the middle",
    "control": "".join(map(chr, range(32))) + "\x7f\x80\x9f",
    "emoji": "😡🤮👩‍👩‍👧‍👦🏳️‍🌈🇩🇪" * 20,
    "right to left": "\u202e\u05e9\u05dc\u05d5\u05dd \u0645\u0631\u062d\u0628\u0627\u202c",
    "combining": "z" + "\u0301" * 500,
    "empty": "",
    "blank": " \t\n\u00a0",
    "zero width": "\u200b\u200c\u200d\ufeff",
    "non-characters": "\ufffe\uffff\U0010ffff",
    "private use": "\ue000\U000f0000",
    "one megabyte": "terrible " * 120_000,
    "one word of a megabyte": "x" * 1_000_000,
    "only marks": "!" * 100_000,
    "html bomb": "&lt;" * 50_000 + "<script>alert(1)</script>",
    "sql": "'; DROP TABLE known; --",
    "format": "%s %n {0} {} \\x00 ${jndi:ldap://x}",
    "csv formula": '=HYPERLINK("http://x")',
    "tokens": "[CLS] [SEP] [MASK] [PAD] [UNK] ##ing",
    "line ends": "a\u2028b\u2029c\x85d\x0be\x0cf",
    "json": '{"review_id": "other", "text": "x"}',
}
ANY_CHARACTER = st.text(st.characters(exclude_categories=()), max_size=300)
SLOW = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow]


def score_lines(score: Score, read: Read, texts: list[str], ending: str = ".json") -> Any:
    rows = [{"review_id": f"m{number}", "text": text, "date": "2020-01-01"} for number, text in enumerate(texts)]
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / f"review{ending}"
        file.write_bytes("\n".join(map(json.dumps, rows)).encode())
        outcome = score(read(file, 5000))
        outcome.ledger.write_quarantine(Path(folder) / "q.parquet")
        if outcome.ledger.quarantined:
            assert pq.read_table(Path(folder) / "q.parquet").num_rows == outcome.ledger.quarantined
    return outcome


def assert_predicted_or_quarantined(outcome: Any, messages: int) -> None:
    outcome.ledger.check_accounts()
    assert len(outcome.predictions) + outcome.ledger.quarantined == messages
    assert np.isfinite(outcome.predictions.filter(like="probability_").to_numpy()).all()
    for vector in outcome.features["embedding"]:
        assert np.isfinite(vector).all()


def test_the_whole_corpus_is_predicted_but_for_what_is_empty(score: Score, read: Read) -> None:
    """Guarantee 16."""
    outcome = score_lines(score, read, list(CORPUS.values()))
    assert_predicted_or_quarantined(outcome, len(CORPUS))
    names = list(CORPUS)
    predicted = {names[int(name[1:])] for name in outcome.predictions["message_id"]}
    assert set(CORPUS) - predicted == {"empty", "blank"}
    assert outcome.features["text"].str.len().max() <= 20000


@settings(max_examples=10, suppress_health_check=SLOW)
@given(texts=st.lists(ANY_CHARACTER, min_size=1, max_size=10))
def test_any_string_that_json_can_write_is_predicted_or_quarantined(score: Score, read: Read, texts: list[str]) -> None:
    """Guarantee 16."""
    assert_predicted_or_quarantined(score_lines(score, read, texts), len(texts))


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | ANY_CHARACTER,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(ANY_CHARACTER, inner, max_size=4),
    max_leaves=8,
)


@settings(max_examples=12, suppress_health_check=SLOW)
@given(values=st.lists(st.tuples(*[JSON_VALUES] * 5), min_size=1, max_size=6))
def test_any_json_value_in_any_column_is_predicted_or_quarantined(
    score: Score, read: Read, values: list[tuple[Any, ...]]
) -> None:
    """Guarantee 16."""
    names = ("review_id", "text", "date", "user_id", "business_id")
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "review.json"
        file.write_text("\n".join(json.dumps(dict(zip(names, row, strict=True))) for row in values))
        outcome = score(read(file, 3))
        outcome.ledger.write_quarantine(Path(folder) / "q.parquet")
    outcome.ledger.check_accounts()
    assert outcome.ledger.read == len(values)


@pytest.mark.parametrize("depth", [200, 300, 900, 2000])
def test_deeply_nested_values_are_quarantined(score: Score, read: Read, tmp_path: Path, depth: int) -> None:
    """Guarantee 16."""
    file = tmp_path / "review.json"
    nested = "[" * depth + '"\\ud800"' + "]" * depth
    sound = '{"review_id": "a", "text": "fine", "date": "2020-01-01"}'
    file.write_text(f'{{"review_id": "b", "text": {nested}, "date": "2020-01-01"}}\n{sound}\n')
    outcome = score(read(file, 10))
    outcome.ledger.write_quarantine(tmp_path / "q.parquet")
    assert outcome.predictions["message_id"].tolist() == ["a"]
    assert outcome.ledger.quarantined == 1


@settings(max_examples=60, suppress_health_check=SLOW)
@given(content=st.binary(max_size=200), ending=st.sampled_from([".json", ".csv", ".json.gz", ".csv.gz", ".parquet"]))
@example(content=b'review_id,text,date\na,"x,2020', ending=".csv")
@example(content=b"\xef\xbb\xbf", ending=".csv")
@example(content=b"\r\r\n\n", ending=".csv")
def test_any_bytes_are_read_or_refused_by_name(read: Read, content: bytes, ending: str) -> None:
    """Guarantee 16."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / f"review{ending}"
        file.write_bytes(gzip.compress(content) if ending.endswith("gz") and len(content) % 2 else content)
        try:
            list(read(file, 10))
        except DataError as error:
            assert str(file) in str(error)  # noqa: PT017 both outcomes are right, and only these two
