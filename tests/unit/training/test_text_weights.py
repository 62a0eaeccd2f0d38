from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from scipy.sparse import hstack
from sklearn.feature_extraction.text import TfidfVectorizer

from batch_nlp.chunks import replace_surrogates
from batch_nlp.training.char_counts import CharVocabulary, char_ngrams
from batch_nlp.training.text_weights import TextWeights
from batch_nlp.words import find_words

# every kind of white space, letters that grow in lower case, and marks
TEXTS = st.lists(st.text(st.sampled_from(list("abAİΣς!'$ \n\r\t\v\x1c\x85\xa0\u3000é😀"))) | st.text(), min_size=2)


def test_the_ngrams_of_a_word_have_the_spaces_around_it() -> None:
    assert char_ngrams("ab", 2, 3) == [" a", "ab", "b ", " ab", "ab "]
    assert char_ngrams("ab", 5, 6) == [" ab "]


@given(TEXTS)
def test_weights_equal_those_of_two_vectorizers(texts: list[str]) -> None:
    texts = [replace_surrogates(text) for text in texts] * 2
    texts += ["a word", "a word"]
    weights = TextWeights(max_n=2, min_chars=2, max_chars=4, min_df=2).fit(texts)
    words = TfidfVectorizer(tokenizer=find_words, token_pattern=None, ngram_range=(1, 2), sublinear_tf=True, min_df=2)
    chars = TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 4), sublinear_tf=True, min_df=2)
    expected = hstack([words.fit_transform(texts), chars.fit_transform(texts)]).toarray()
    assert weights.words_.split("\n") == words.get_feature_names_out().tolist()
    assert weights.chars_.split("\n") == chars.get_feature_names_out().tolist()
    np.testing.assert_allclose(weights.transform(texts).toarray(), expected, rtol=1e-6, atol=0)


@given(TEXTS)
def test_the_weights_of_a_text_do_not_depend_on_the_others(texts: list[str]) -> None:
    weights = TextWeights(min_df=1).fit([*texts, "a word"])
    together = weights.transform(texts).toarray()
    alone = np.vstack([weights.transform([text]).toarray() for text in texts])
    assert together.tobytes() == alone.tobytes()


def test_the_most_frequent_ngrams_are_kept_whatever_the_pieces() -> None:
    whole, in_pieces = CharVocabulary(2, 2), CharVocabulary(2, 2)
    texts = ["ab ab", "ab cd", "cd", "ef"]
    whole.add(texts)
    for text in texts:
        in_pieces.add([text])
    for vocabulary in (whole, in_pieces):
        terms, counts = vocabulary.frequent(1, 4)
        assert terms == [" a", " c", "ab", "b "]
        assert counts.tolist() == [2, 2, 2, 2]
    assert CharVocabulary(2, 2).frequent(1, 4)[0] == []


def test_texts_without_frequent_ngrams_have_no_columns() -> None:
    weights = TextWeights(min_df=2).fit(["one", "two"])
    assert weights.transform(["one two", ""]).shape == (2, weights.n_terms)
    assert weights.words_ == ""
    assert TextWeights(max_chars=0, min_df=1).fit(["one"]).n_terms == 1
