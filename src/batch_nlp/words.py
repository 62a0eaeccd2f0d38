"""The words of texts in any script.

Chinese, Japanese, Thai, Lao, Khmer and Myanmar are written without spaces between words, and Korean joins endings to
words. Only a dictionary can tell where the words of such a text lie, but classification and search do well with
characters and pairs of them, as in Lucene's CJKBigramFilter with ``outputUnigrams``. So each character is a word here,
and word n-grams are character n-grams. For Han and Hiragana, Unicode Standard Annex 29 has the same word boundaries.
"""

from __future__ import annotations

import re
import unicodedata
from functools import cache
from itertools import groupby, pairwise

# Han and Hiragana; Hangul; Thai, Lao, Myanmar and Khmer with their marks. A run of Katakana, usually a foreign word, is
# one word, as in Annex 29
_ALONE = (
    "\u3005-\u3007\u3021-\u3029\u3041-\u3096\u309d-\u309f\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
    "\u1100-\u11ff\u3131-\u318e\ua960-\ua97c\uac00-\ud7fb"
    "\u0e01-\u0e3a\u0e40-\u0e4e\u0e81-\u0ece\u0edc-\u0edf\u1000-\u103f\u1050-\u108f\u1780-\u17d3\u17d7\u17dc"
)
# Marks that join the next letter to the one before: Myanmar's virama, Khmer's coeng
_STACKING = "\u1039\u17d2"
# Characters per word in `count_words`: about the mean of Chinese and Japanese
_CHARS_PER_WORD = 2
# Words with their apostrophes, and the marks that carry sentiment
_ASCII = re.compile(r"\w+(?:'\w+)?|[!?$]", re.ASCII)


@cache
def _combining() -> str:
    """Return the marks that belong to the letter before them, as ranges of a pattern."""
    # up to the variation selectors, which belong to emoji
    codes = [code for code in range(0x300, 0xFE00) if unicodedata.category(chr(code)).startswith("M")]
    runs = [list(run) for _, run in groupby(enumerate(codes), lambda item: item[1] - item[0])]
    return "".join(f"{chr(run[0][1])}-{chr(run[-1][1])}" for run in runs)


@cache
def _any_script() -> re.Pattern[str]:
    letter, marks = rf"[^\W{_ALONE}]", rf"[{_combining()}]"
    word = rf"{letter}+(?:{marks}+{letter}*)*"
    return re.compile(rf"[{_ALONE}](?:[{_STACKING}][{_ALONE}]|{marks})*|{word}(?:'{word})?|[!?$！？]")


@cache
def _alone() -> re.Pattern[str]:
    return re.compile(f"[{_ALONE}]")


@cache
def _between_alone() -> re.Pattern[str]:
    return re.compile(f"(?<=[{_ALONE}]) (?=[{_ALONE}])")


def word_pattern(text: str) -> re.Pattern[str]:
    """Return the pattern that finds the words and the marks ``!``, ``?`` and ``$`` in a text."""
    return _ASCII if text.isascii() else _any_script()


def find_words(text: str) -> list[str]:
    """Return the words of a text in order, and the marks ``!``, ``?`` and ``$``.

    Examples
    --------
    >>> find_words("Don't, it's 5 pm!")
    ["Don't", "it's", '5', 'pm', '!']
    >>> find_words("iPhone很好吃！ ラーメンの店")
    ['iPhone', '很', '好', '吃', '！', 'ラーメン', 'の', '店']
    """
    return (_ASCII if text.isascii() else _any_script()).findall(text)


def find_pairs(text: str) -> list[str]:
    """Return the pairs of adjacent characters of scripts without spaces, in order.

    Examples
    --------
    >>> find_pairs("iPhone很好吃！ 店")
    ['很好', '好吃']
    """
    if text.isascii():
        return []
    found = [match for match in _any_script().finditer(text) if _alone().match(match.group())]
    return [one.group() + two.group() for one, two in pairwise(found) if one.end() == two.start()]


def join_characters(term: str) -> str:
    """Return an n-gram as one reads it: without spaces between characters of scripts that have none.

    Examples
    --------
    >>> join_characters("很 好 吃 !")
    '很好吃 !'
    """
    return term if term.isascii() else _between_alone().sub("", term)


def count_words(text: str) -> int:
    """Return the number of words between spaces; two characters of a script without spaces count as one.

    Examples
    --------
    >>> count_words("Don't wait here"), count_words("我喜欢这家店")
    (3, 3)
    """
    chunks = text.split()
    if text.isascii():
        return len(chunks)
    return sum(max(1, len(_alone().findall(chunk)) // _CHARS_PER_WORD) for chunk in chunks)
