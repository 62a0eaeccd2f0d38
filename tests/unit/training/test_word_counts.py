from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.sparse import csr_array

from batch_nlp.training.word_counts import Vocabulary, new_vectorizer, split_sentences, sum_by_text

# what ends a sentence, what only looks like it, and every kind of white space
LETTERS = st.sampled_from(list("ab味。！」.!?'$ \n\r\t\f\v\x1c\x85\xa0\u2028\u3000…é😀"))


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        ("Good food. Bad service! Why?\nNever again", ["Good food.", "Bad service!", "Why?", "Never again"]),
        ("no mark at all", ["no mark at all"]),
        ("One.\n\n  Two?!  ", ["One.", "Two?!"]),
        ("It cost 3.50 at joe's.com", ["It cost 3.50 at joe's.com"]),
        ("味道好。服务差！「不好。」再来？ 好", ["味道好。", "服务差！", "「不好。」", "再来？", " 好"]),
        ("真的！！好", ["真的！！", "好"]),
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


def vocabulary(texts: list[str], **settings: Any) -> Vocabulary:
    found = Vocabulary(**{"max_n": 1, "by_sentence": True, "most": 1000, **settings})
    for text in texts:
        found.add([text])
    return found


def test_terms_of_enough_texts_are_kept_the_most_frequent_first() -> None:
    # texts: a 2, b 1, c 3, d 2; occurrences: a 2, b 9, c 3, d 5
    found = vocabulary(["xa " + "xb " * 9 + "xc", "xa xc xd xd xd xd", "xc xd"])
    assert found.frequent(1, 9)[0] == ["xa", "xb", "xc", "xd"]
    assert found.frequent(2, 9)[0] == ["xa", "xc", "xd"]
    terms, texts = found.frequent(2, 2)
    assert terms == ["xc", "xd"]
    assert texts.tolist() == [3, 2]
    assert found.frequent(4, 9)[0] == []


def test_of_equally_frequent_terms_the_first_are_kept() -> None:
    assert vocabulary(["e d c b a"]).frequent(1, 2)[0] == ["a", "b"]


def test_a_term_ends_with_its_sentence_if_it_is_to() -> None:
    texts = ["Not good. Bad food"]
    assert vocabulary(texts, max_n=2).frequent(1, 9)[0] == ["bad", "bad food", "food", "good", "not", "not good"]
    assert "good bad" in vocabulary(texts, max_n=2, by_sentence=False).frequent(1, 9)[0]


def test_frequent_terms_are_counted_exactly_though_rare_ones_do_not_fit() -> None:
    texts = [f"always often{number % 2} once{number} rare{number % 50}" for number in range(1000)]
    found = vocabulary(texts, most=200)
    terms, counts = found.frequent(100, 9)
    assert terms == ["always", "often0", "often1"]
    assert counts.tolist() == [1000, 500, 500]
    assert len(found.frequent(1, 10_000)[0]) <= 200


@given(st.lists(st.lists(st.sampled_from("abcdef"), max_size=6), min_size=1, max_size=12))
def test_counts_are_those_of_scikit_learn(words: list[list[str]]) -> None:
    texts = [" ".join(of_text) for of_text in words]
    found = vocabulary(texts, max_n=2).frequent(1, 1000)
    if not found[0]:
        return
    counter = new_vectorizer(2)
    counts = counter.fit_transform(texts)
    assert found[0] == counter.get_feature_names_out().tolist()
    assert found[1].tolist() == np.asarray((counts > 0).sum(axis=0)).ravel().tolist()
