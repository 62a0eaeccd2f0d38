"""The quick counter of known n-grams counts what scikit-learn's CountVectorizer counts, whatever the text."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from scipy.sparse import csr_array

from batch_nlp.chunks import Chunks, replace_surrogates
from batch_nlp.training.term_counter import TermCounter
from batch_nlp.training.word_counts import new_vectorizer, split_sentences

# what words, sentences and white space are made of, and anything else
_PIECES = st.sampled_from(
    [
        "good",
        "Bad",
        "don't",
        "ΟΔΟΣ",
        "İst",
        "ﬁne",
        "5",
        "!",
        "?",
        "$",
        "味道好",
        "ラーメン",
        "ที่",
        "한국",
        "किताब",
        "。",
        "！",
        "」",
        ".",
        "—",
        "'",
        " ",
        "  ",
        "\n",
        "\t",
        "\x1c",
        "\xa0",
        "\u2028",
    ]
)
TEXTS = st.lists(st.lists(_PIECES | st.text(max_size=3), max_size=12).map("".join), min_size=1, max_size=6)


def _expected(texts: list[str], terms: list[str], max_n: int) -> tuple[csr_array, np.ndarray]:
    sentences, starts = split_sentences([replace_surrogates(text) for text in texts])
    vectorizer = new_vectorizer(max_n).set_params(vocabulary={term: column for column, term in enumerate(terms)})
    return csr_array(vectorizer.transform(sentences)), starts


@given(texts=TEXTS, max_n=st.integers(1, 3), data=st.data())
@example(texts=["Good. Bad! ", "", " . ", "a \n\n b", "Hi.\tYou?No"], max_n=2, data=None)
def test_counts_are_those_of_scikit_learn_in_the_sentences_of_the_text(
    texts: list[str], max_n: int, data: st.DataObject | None
) -> None:
    vectorizer = new_vectorizer(max_n)
    try:
        vectorizer.fit(split_sentences([replace_surrogates(text) for text in texts])[0])
    except ValueError:  # no word at all
        terms = ["good", "good bad"]
    else:
        terms = list(vectorizer.get_feature_names_out())
    if data is not None:  # a vocabulary that lacks beginnings of what it has, in another order
        terms = data.draw(st.permutations(terms).map(lambda found: found[: max(1, len(found) * 2 // 3)]))
    counter = TermCounter(terms)
    for _ in range(2):  # the second time from memory
        counts, starts = counter.count(texts)
        expected, expected_starts = _expected(texts, terms, max(len(term.split()) for term in terms))
        assert starts.tolist() == expected_starts.tolist()
        assert counts.shape == expected.shape
        for part in ("indptr", "indices", "data"):
            np.testing.assert_array_equal(getattr(counts, part), getattr(expected, part))


def test_whole_texts_are_counted_across_sentences() -> None:
    counts, starts = TermCounter(["good", "good bad"], by_sentence=False).count(["Good. Bad! Good", ""])
    assert counts.toarray().tolist() == [[2, 1], [0, 0]]
    assert starts.tolist() == [0, 1]


def test_no_chunk_is_numbered_twice_but_for_very_long_ones() -> None:
    asked: list[str] = []

    def number(chunks: list[str]) -> list[list[int]]:
        asked.extend(chunks)
        return [[len(chunk)] for chunk in chunks]

    chunks = Chunks(number)
    long = "x" * 1000
    for _ in range(2):
        flat, ends = chunks(["to be or not to be", "", long])
        assert flat.tolist() == [2, 2, 2, 3, 2, 2, 0, 1000]
        assert ends.tolist() == [6, 7, 8]
    assert sorted(asked) == sorted(["to", "be", "or", "not", "", long, long])


@pytest.mark.parametrize("terms", [["a"], ["a b c"], ["b", "a b"]])
def test_an_empty_batch_has_no_counts(terms: list[str]) -> None:
    counts, starts = TermCounter(terms).count([])
    assert counts.shape == (0, len(terms))
    assert len(starts) == 0
