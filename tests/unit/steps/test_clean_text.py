from __future__ import annotations

import time
import unicodedata

import pandas as pd
import pytest

from batch_nlp.steps.clean_text import CleanText


def clean(*texts: str, max_chars: int = 20000) -> list[str]:
    frame = pd.DataFrame({"text": pd.Series(texts, dtype=object)})
    cleaned: list[str] = CleanText(max_chars).transform(frame)["text"].tolist()
    return cleaned


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Great FOOD!! :-) 😀", "Great FOOD!! :-) 😀"),
        ("Fish &amp; Chips &lt;3 &#39;ok&#39; &eacute;", "Fish & Chips <3 'ok' é"),
        ("  two\t\tlines\r\n\r\nof\x0btext ", "two lines of text"),
        ("no\u00a0break\u2028line\u3000wide", "no break line wide"),
        ("cafe\u0301", "café"),
        ("nul\x00bell\x07esc\x1b[0m\x7f\x85end", "nul bell esc [0m end"),
        ("&#0;&#xD800;&#x110000;", "\ufffd\ufffd\ufffd"),
        ("\u05e9\u05dc\u05d5\u05dd \u202eabc", "\u05e9\u05dc\u05d5\u05dd \u202eabc"),
        ("👩‍👩‍👧 👍🏽", "👩‍👩‍👧 👍🏽"),
        ("&nbsp; \x00", ""),
        ("", ""),
    ],
)
def test_text_is_cleaned(text: str, expected: str) -> None:
    assert clean(text) == [expected]


def test_composed_and_decomposed_letters_give_one_text() -> None:
    assert len(set(clean("Müller's crêpe", "Mu\u0308ller's cre\u0302pe"))) == 1


def test_a_long_text_is_cut_at_characters_not_bytes() -> None:
    assert clean("😀éab", max_chars=3) == ["😀éa"]
    assert clean("&amp;" * 10, max_chars=2) == ["&&"]


def test_a_huge_text_takes_no_longer_than_a_long_one() -> None:
    """Guarantee 16. It is 200 times as long: were it not cut first, it would take as many times as long."""

    def seconds(text: str) -> float:
        start = time.process_time()
        assert [len(cleaned) for cleaned in clean(text)] == [20_000]
        return time.process_time() - start

    long, huge = "a&amp;b " * 10_000, "a&amp;b " * 2_000_000
    assert min(seconds(huge) for _ in range(3)) < 20 * min(seconds(long) for _ in range(3))


def test_other_columns_the_index_and_the_input_stay() -> None:
    frame = pd.DataFrame({"text": pd.Series([" a ", "b"], [7, 3], dtype=object), "n": pd.Series([1, 2], [7, 3])})
    before = frame.copy(deep=True)
    out = CleanText().transform(frame)
    pd.testing.assert_frame_equal(frame, before)
    pd.testing.assert_frame_equal(out, before.assign(text=pd.Series(["a", "b"], [7, 3], object)))


def test_every_control_character_and_white_space_becomes_a_space() -> None:
    characters = [chr(code) for code in range(0x10000) if not 0xD800 <= code < 0xE000]
    spaces = {
        character
        for character, cleaned in zip(characters, clean(*(f"a{character}b" for character in characters)), strict=True)
        if cleaned == "a b"
    }
    assert spaces == {
        character for character in characters if unicodedata.category(character) in {"Cc", "Zs", "Zl", "Zp"}
    }
