"""Guarantee 5: every message is accounted for, whatever comes in."""

from __future__ import annotations

import json
import math
import tempfile
from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from batch_nlp.storage.raw.batches import RawBatch
from batch_nlp.storage.registry import Model

Score = Callable[[Iterable[RawBatch]], Any]
Read = Callable[[Path, int], Iterable[RawBatch]]

IDS = st.sampled_from(["a", "b", "c", "d", "A", " a", "é", "x" * 257, "", "tab\t", None, 7, "7", True, [], {"id": 1}])
TEXTS = st.sampled_from(["fine", "bad!", "fine ", "", "  ", None, 5, ["fine"], "fine\ud800", "\x00", math.nan])
DATES = st.sampled_from(["2020-01-01 10:00:00", "2020-01-01", "soon", "", None, 5, "1900-01-01", "2020-13-01", []])
KEYS = st.sampled_from([None, "u", 5, [], "\ud800"])
SOUND = {"user_id": None, "business_id": None, "date": "2020-01-01 10:00:00", "text": "fine"}
ANY_ROW = st.fixed_dictionaries({"review_id": IDS, "text": TEXTS, "date": DATES, "user_id": KEYS, "business_id": KEYS})
SOUND_ROW = st.fixed_dictionaries({"review_id": IDS}, optional={"text": TEXTS}).map(lambda row: {**SOUND, **row})
LINES = st.lists(
    st.one_of(SOUND_ROW.map(json.dumps), ANY_ROW.map(json.dumps), st.sampled_from(['{"review_id": "cu', "[]", "7"])),
    max_size=25,
)
SLOW = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow]


def run(score: Score, read: Read, lines: list[str], batch_rows: int) -> Any:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "review.json"
        # the first line makes sure that no column is missing altogether, which is another matter
        columns = json.dumps({**SOUND, "review_id": "first"})
        file.write_text("\n".join([columns, *lines]))
        return score(read(file, batch_rows))


# each batch costs the same, however small: batches of one message are the matter of another test
@settings(max_examples=12, suppress_health_check=SLOW)
@given(lines=LINES, batch_rows=st.integers(5, 30))
def test_in_is_predicted_and_quarantined_and_duplicates(
    score: Score, read: Read, champion: Model, lines: list[str], batch_rows: int
) -> None:
    """Guarantee 5."""
    outcome = run(score, read, lines, batch_rows)
    ledger, predictions = outcome.ledger, outcome.predictions
    ledger.check_accounts()
    assert ledger.read == 1 + len(lines)
    assert ledger.read == len(predictions) + ledger.quarantined + ledger.duplicates
    assert predictions["message_id"].is_unique
    assert predictions["message_id"].notna().all()
    probabilities = predictions.filter(like="probability_").to_numpy()
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, rtol=0, atol=1e-12)
    assert predictions["predicted_class"].tolist() == champion.decide(probabilities).tolist()
    # a copy that breaks its contract takes nothing from one that keeps it
    sound = [row for row in map(_parse, lines) if isinstance(row, dict) and _is_sound(row)]
    assert {row["review_id"] for row in sound} <= set(predictions["message_id"])
    # a prediction belongs to a text that came in under its id
    pairs = {(str(row["review_id"]), _text_of(row["text"])) for row in map(_parse, lines) if isinstance(row, dict)}
    texts: dict[str, set[str]] = {}
    for message_id, text in pairs | {("first", "fine")}:
        texts.setdefault(message_id, set()).add(text.replace("\ud800", "\ufffd").replace("\x00", "").strip())
    for message_id, text in zip(outcome.features["message_id"], outcome.features["text"], strict=True):
        assert text in texts[message_id]


def _text_of(value: Any) -> str:
    return " ".join(value) if isinstance(value, list) else str(value)


def _is_sound(row: dict[str, Any]) -> bool:
    """Return whether a row certainly keeps the contract."""
    return row == {**SOUND, "review_id": row["review_id"]} and row["review_id"] in ("a", "b", "c", "d", "A", " a", "é")


def _parse(line: str) -> Any:
    try:
        return json.loads(line)
    except ValueError:
        return None


@settings(max_examples=8, suppress_health_check=SLOW)
@given(
    copies=st.dictionaries(st.sampled_from("abcdefgh"), st.integers(1, 4), min_size=1),
    data=st.data(),
)
def test_copies_are_counted_as_duplicates_in_any_order_and_chunk_size(
    score: Score, read: Read, copies: dict[str, int], data: st.DataObject
) -> None:
    """Guarantee 5."""
    lines = [json.dumps({**SOUND, "review_id": name, "text": f"text {name}"}) for name in Counter(copies).elements()]
    outcome = run(score, read, data.draw(st.permutations(lines)), data.draw(st.integers(5, 40)))
    assert sorted(outcome.predictions["message_id"]) == sorted([*copies, "first"])
    assert outcome.ledger.duplicates == sum(copies.values()) - len(copies)
    assert outcome.ledger.quarantined == 0
