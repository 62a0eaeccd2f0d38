from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tests.fields import FIELDS
from tests.unit.monitoring.batches import Messages, make_reference

from batch_nlp.fields import Field, FieldRole, Fields
from batch_nlp.storage.reference import Reference, reference_schema
from batch_nlp.storage.vocabulary import MIN_MESSAGES, UNKNOWN, Vocabulary, detect_languages, words_of


def test_the_sample_holds_what_later_batches_are_compared_with_and_no_text(tmp_path: Path) -> None:
    reference = make_reference(tmp_path, 300, size=120)
    names = set(reference.sample.columns)
    assert names == {
        "message_id", "label", "predicted_class", "probabilities", "embedding", "unknown_words", "language",
        *FIELDS.numbers, *FIELDS.categories,
    }  # fmt: skip
    assert len(reference.sample) == 120
    assert reference.counts.sum() == 300
    for file in tmp_path.iterdir():
        assert b"the food was" not in file.read_bytes()
        assert "text" not in pq.read_schema(file).names


def test_fields_of_any_name_are_kept_by_their_roles() -> None:
    fields = Fields([Field("body", FieldRole.TEXT), Field("shop", FieldRole.CATEGORY), Field("v", FieldRole.VECTOR)])
    assert reference_schema(fields).names == [
        "message_id", "label", "predicted_class", "probabilities", "shop", "v", "unknown_words", "language",
    ]  # fmt: skip
    assert reference_schema(fields).field("label").type == pa.int16()


def test_the_same_hold_out_in_another_order_gives_the_same_sample(tmp_path: Path) -> None:
    one, other = (make_reference(tmp_path / name, 200, size=50) for name in ("a", "b"))
    assert (tmp_path / "a" / "reference.parquet").read_bytes() == (tmp_path / "b" / "reference.parquet").read_bytes()
    assert one.sample["message_id"].tolist() == other.sample["message_id"].tolist()


def test_a_model_without_the_files_keeps_no_reference(tmp_path: Path) -> None:
    assert Reference.read(tmp_path, {"files": {"model.skops": "0"}, "reference": {"predicted_shares": {}}}) is None


def test_words_that_few_messages_hold_are_not_kept() -> None:
    texts = ["Great food", "great FOOD here", "great, great!", "Alice"]
    vocabulary = Vocabulary.count(texts, ["food", "alice came", "new new", "new", "new"])
    assert vocabulary.training == {"food": 2, "great": 3, "new": 0}
    assert vocabulary.hold_out == {"food": 1, "great": 0, "new": 3}
    assert vocabulary.known == {"great"}
    assert vocabulary.unknown_share(words_of("Great new great food!")) == pytest.approx(2 / 3)
    assert vocabulary.unknown_share(words_of("12 :-) !!")) == 0.0
    assert Vocabulary.from_table(vocabulary.to_table()) == vocabulary
    assert MIN_MESSAGES == 3


@pytest.mark.parametrize("text", ["", "!!! 12", "Ok", "\ud800 \x00"])
def test_a_text_too_short_to_tell_has_no_language(text: str) -> None:
    assert detect_languages([text]) == [UNKNOWN]


def test_hostile_texts_have_words_and_a_language_or_none() -> None:
    """Guarantee 16."""
    texts = ["\ud800" * 30, "a" * 1_000_000, "שלום לכולם, האוכל היה טוב מאוד", "😀" * 50, "it's\x00 'quoted' don''t"]
    assert all(isinstance(language, str) for language in detect_languages(texts))
    assert words_of(texts[-1]) == {"it's", "quoted", "don", "t"}


def test_languages_are_told_for_the_first_messages_alone(tmp_path: Path) -> None:
    languages = make_reference(tmp_path, 520, messages=Messages()).sample["language"]
    assert languages[:500].notna().all()
    assert languages[500:].isna().all()
