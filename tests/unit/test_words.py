from __future__ import annotations

import pytest

from batch_nlp.words import count_words, find_pairs, find_words, join_characters


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Don't pay $5!", ["Don't", "pay", "$", "5", "!"]),
        ("naïve café", ["naïve", "café"]),
        # Chinese, Japanese, Korean
        ("味道很好！", ["味", "道", "很", "好", "！"]),
        ("東京のラーメン屋", ["東", "京", "の", "ラーメン", "屋"]),
        ("ｶﾌｪ", ["ｶﾌｪ"]),
        ("맛 있어요", ["맛", "있", "어", "요"]),
        ("𠮷野家", ["𠮷", "野", "家"]),
        # letters with their vowel signs, tone marks and stacked consonants: Thai, Lao, Khmer, Myanmar
        ("ที่นี่ดี", ["ที่", "นี่", "ดี"]),
        ("ດີຫຼາຍ", ["ດີ", "ຫຼ", "າ", "ຍ"]),
        ("ខ្មែរ", ["ខ្មែ", "រ"]),
        ("မန္တလေး", ["မ", "န္တ", "လေး"]),
        # scripts with spaces whose words contain marks
        ("किताब अच्छी है!", ["किताब", "अच्छी", "है", "!"]),
        ("தமிழ் மொழி", ["தமிழ்", "மொழி"]),
        ("i̇stanbul'da", ["i̇stanbul'da"]),
        # scripts side by side
        ("iPhone手机5个", ["iPhone", "手", "机", "5", "个"]),
        ("๕ บาท", ["๕", "บ", "า", "ท"]),
        ("1️⃣ ❤️", ["1"]),
    ],
)
def test_words_are_found_in_any_script(text: str, words: list[str]) -> None:
    assert find_words(text) == words


def test_pairs_are_of_adjacent_characters_of_scripts_without_spaces() -> None:
    assert find_pairs("很好吃。店 iPhone很") == ["很好", "好吃"]
    assert find_pairs("no pairs") == []


def test_terms_of_such_characters_are_shown_without_spaces() -> None:
    assert join_characters("很 好 吃") == "很好吃"
    assert join_characters("iphone 很 好") == "iphone 很好"
    assert join_characters("not good") == "not good"


@pytest.mark.parametrize(
    ("text", "number"),
    [("one two  three", 3), ("café !", 2), ("", 0), ("我喜欢这家店的味道", 4), ("맛 있어요", 2), ("好", 1)],
)
def test_two_characters_count_as_a_word(text: str, number: int) -> None:
    assert count_words(text) == number
