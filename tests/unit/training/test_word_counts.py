from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.sparse import csr_array

from batch_nlp.training.word_counts import frequent_terms, split_sentences, sum_by_text

# what ends a sentence, what only looks like it, and every kind of white space
LETTERS = st.sampled_from(list("ab.!?'$ \n\r\t\f\v\x1c\x85\xa0\u2028\u3000…é😀"))


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        ("Good food. Bad service! Why?\nNever again", ["Good food.", "Bad service!", "Why?", "Never again"]),
        ("no mark at all", ["no mark at all"]),
        ("One.\n\n  Two?!  ", ["One.", "Two?!"]),
        ("It cost 3.50 at joe's.com", ["It cost 3.50 at joe's.com"]),
        ("", [""]),
        (" \n ", [" \n "]),
    ],
)
def test_a_text_is_split_after_closing_marks_and_at_line_ends(text: str, sentences: list[str]) -> None:
    assert split_sentences([text])[0] == sentences


def test_each_text_starts_where_the_one_before_it_ends() -> None:
    sentences, starts = split_sentences(["A. B.", "", "C", "D! E? F"])
    assert sentences == ["A.", "B.", "", "C", "D!", "E?", "F"]
    assert starts.tolist() == [0, 2, 3, 4]
    assert split_sentences([])[0] == []
    assert split_sentences([])[1].tolist() == []


@given(st.lists(st.text(LETTERS) | st.text()))
def test_every_text_has_a_sentence_and_loses_nothing_but_white_space(texts: list[str]) -> None:
    sentences, starts = split_sentences(texts)
    assert len(starts) == len(texts)
    for text, start, end in zip(texts, starts, [*starts, len(sentences)][1:], strict=True):
        assert start < end
        assert "".join("".join(sentences[start:end]).split()) == "".join(text.split())
        # alone as in company
        assert split_sentences([text])[0] == sentences[start:end]


def test_counts_of_sentences_add_up_to_those_of_their_text() -> None:
    counts = csr_array(np.array([[1.0, 0, 2], [2, 1, 0], [0, 3, 0], [0, 0, 0]]))
    found = sum_by_text(counts, np.array([0, 2, 3]))
    assert found.toarray().tolist() == [[3, 1, 2], [0, 3, 0], [0, 0, 0]]
    assert sum_by_text(counts[:0], np.array([], dtype=np.int64)).shape == (0, 3)


def test_terms_of_enough_texts_are_kept_the_most_frequent_first() -> None:
    #                           texts: 2  1  3  2     occurrences: 2  9  3  5
    counts = csr_array(np.array([[1.0, 9, 1, 0], [1, 0, 1, 4], [0, 0, 1, 1]]))
    assert frequent_terms(counts, 1, 9).tolist() == [0, 1, 2, 3]
    assert frequent_terms(counts, 2, 9).tolist() == [0, 2, 3]
    assert frequent_terms(counts, 2, 2).tolist() == [2, 3]
    assert frequent_terms(counts, 4, 9).tolist() == []


def test_of_equally_frequent_terms_the_first_are_kept() -> None:
    assert frequent_terms(csr_array(np.ones((3, 5))), 1, 2).tolist() == [0, 1]
