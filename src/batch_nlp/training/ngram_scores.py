"""N-gram scores: scores of linear models on word n-grams."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar, Self

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import csr_array
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.feature_extraction.text import TfidfTransformer
from sklearn.model_selection import StratifiedKFold
from sklearn.utils.validation import check_is_fitted

from batch_nlp.errors import DataError
from batch_nlp.training.cuts import find_cuts, sides_of
from batch_nlp.training.ngram_models import NgramModels, fit_ngram_models, fit_out_of_fold, stack
from batch_nlp.training.sentence_statistics import STATISTICS, sentence_statistics
from batch_nlp.training.term_counter import TermCounter
from batch_nlp.training.word_counts import Vocabulary, sum_by_text

# Texts processed at a time
_TEXTS = 10_000
# Most distinct n-grams held in memory while counting
_TERMS = 3_000_000
# Attributes that are rebuilt from the terms when needed
_REBUILT = ("_counter", "_tfidf")


class NgramScores(TransformerMixin, BaseEstimator):
    """Score texts by two balanced linear models on TF-IDF weights of word n-grams.

    One is a logistic regression, the other a ridge regression on the weights times naive-Bayes log-count ratios (Wang
    and Manning, 2012); they err on different messages. The first one also scores each sentence of a text: the spread of
    these scores distinguishes a lukewarm text from one that praises and blames. The scores of the training rows are
    out-of-fold, so that a classifier trained on them learns how far to trust them on new messages.

    Labels with an order, such as ratings from 1 to 5, say more than classes that join several of them. Where the places
    of the labels are given, ridge regressions also score whether the label of a text, and of a sentence, lies above
    each cut between two places.

    Parameters
    ----------
    max_n : int
        Longest n-gram in words; n-grams do not cross the end of a sentence.
    min_df : int
        Fewest messages in which an n-gram must occur.
    max_features : int
        Most n-grams to keep, by frequency.
    c : float
        Inverse regularisation strength of the logistic regression.
    folds : int
        Folds of the out-of-fold scores.
    sentences : bool
        Whether to add the statistics of the sentences' scores.
    random_state : int
        Seed of the folds.
    threads : int
        Linear models fitted at a time; 0 uses all cores. The models are bit-identical for any number.

    Attributes
    ----------
    terms_ : str
        The n-grams, one per line, in the order of the columns: those of most messages first. A single string, because
        a dict of 100,000 entries takes seconds to write and read.
    idf_ : ndarray of float64, shape (n_terms,)
        Inverse document frequencies.
    coef_ : ndarray of float64, shape (n_scores, n_terms)
        Weights: the logistic regression's for each class, then the ridge regressions' for each class and each cut. Of
        two classes, only the second one has weights.
    intercept_ : ndarray of float64, shape (n_scores,)
    classes_ : ndarray, shape (n_classes,)
    all_spaced_ : bool
        Whether the words of all scripts are split at spaces, as in models of an earlier release.
    cuts_ : tuple of float
        The highest place below each cut; empty without an order.
    """

    # asks `fit_pipeline` for the places of the labels
    __metadata_request__fit_transform: ClassVar[dict[str, bool]] = {"places": True}
    # a model of an earlier release has no cuts, and splits all scripts at spaces
    cuts_: tuple[float, ...] = ()
    all_spaced_ = True

    def __init__(
        self,
        max_n: int = 3,
        min_df: int = 3,
        max_features: int = 200000,
        c: float = 4.0,
        folds: int = 5,
        sentences: bool = True,
        random_state: int = 0,
        threads: int = 0,
    ) -> None:
        self.max_n = max_n
        self.min_df = min_df
        self.max_features = max_features
        self.c = c
        self.folds = folds
        self.sentences = sentences
        self.random_state = random_state
        self.threads = threads

    @staticmethod
    def _texts(X: Any) -> list[str]:
        return list(X.iloc[:, 0] if isinstance(X, pd.DataFrame) else X)

    def fit(self, X: pd.DataFrame, y: ArrayLike, places: NDArray[np.float64] | None = None) -> Self:
        """Learn n-grams and weights from texts, shape (n, 1), their classes and the places of their labels, (n,)."""
        self._fit(X, np.asarray(y), places)
        return self

    def _fit(
        self, X: pd.DataFrame, y: NDArray[Any], places: NDArray[np.float64] | None
    ) -> tuple[csr_array, list[NDArray[np.float64]]]:
        """Learn n-grams and weights, and return the TF-IDF weights of the texts, and their sides of the cuts."""
        vocabulary = Vocabulary(self.max_n, by_sentence=self.sentences, most=max(_TERMS, 4 * self.max_features))
        for texts in self._pieces(X):
            vocabulary.add(texts)
        terms, occurs_in = vocabulary.frequent(self.min_df, self.max_features)
        del vocabulary
        if not terms:
            raise DataError(
                f"No word occurs in training.ngrams.min_df={self.min_df} of the {len(y):,} texts to train on. "
                "Add messages, or remove ngrams from training.inputs."
            )
        # the most frequent first, so that the coefficients needed most often stay in the processor's cache
        order = np.argsort(-occurs_in, kind="stable")
        self.terms_, self.all_spaced_ = "\n".join(terms[term] for term in order), False
        self.idf_ = np.log((1 + len(y)) / (1.0 + occurs_in[order])) + 1
        self.__dict__.pop("_counter", None)
        weights = stack((self.weigh_terms(texts)[0] for texts in self._pieces(X)), len(terms))
        self.cuts_ = () if places is None else find_cuts(places)
        sides = [] if places is None else [sides_of(places, cut) for cut in self.cuts_]
        self.coef_, self.intercept_ = fit_ngram_models(weights, y, self.c, self.threads, sides)
        self.classes_ = np.unique(y)
        return weights, sides

    def _pieces(self, X: pd.DataFrame) -> Iterator[list[str]]:
        for start in range(0, len(X), _TEXTS):
            yield self._texts(X[start : start + _TEXTS])

    def fit_transform(
        self, X: pd.DataFrame, y: ArrayLike, places: NDArray[np.float64] | None = None, **fit_params: Any
    ) -> NDArray[np.float64]:
        """Learn n-grams and weights, and return the out-of-fold scores of the same texts, shape (n, n_columns)."""
        labels = np.asarray(y)
        weights, sides = self._fit(X, labels, places)
        folds = StratifiedKFold(self.folds, shuffle=True, random_state=self.random_state)
        models, fold_of = fit_out_of_fold(weights, labels, self.c, self.threads, sides, folds)
        del weights
        scores, start = [], 0
        # n-grams are counted again, which is fast; keeping those of sentences would double the memory
        for texts in self._pieces(X):
            scores.append(self._score_by_fold(texts, fold_of[start : start + len(texts)], models))
            start += len(texts)
        return np.vstack(scores)

    def _score_by_fold(
        self, texts: list[str], folds: NDArray[np.int64], models: list[NgramModels]
    ) -> NDArray[np.float64]:
        """Return the scores of texts, each from the model of its fold, shape (n_texts, n_columns)."""
        of_texts, of_sentences, starts = self.weigh_terms(texts)
        of_owner = np.repeat(folds, np.diff(starts, append=of_sentences.shape[0]))
        text_scores = np.empty((len(texts), len(self.coef_)))
        sentence_scores = np.empty((len(of_owner), len(self.coef_)))
        for fold, model in enumerate(models):
            text_scores[folds == fold] = _score(of_texts[folds == fold], *model)
            sentence_scores[of_owner == fold] = _score(of_sentences[of_owner == fold], *model)
        return self._columns(text_scores, sentence_scores, starts)

    def transform(self, X: pd.DataFrame) -> NDArray[np.float64]:
        """Return the scores of new texts.

        Returns
        -------
        ndarray of float64, shape (n, n_columns)
            Scores of the models, similar to log-odds, one column per class (of two classes, only the second one) and
            per cut; then, with ``sentences``, the statistics of the sentences' scores.
        """
        of_texts, of_sentences, starts = self.weigh_terms(self._texts(X))
        models = self.coef_, self.intercept_
        return self._columns(_score(of_texts, *models), _score(of_sentences, *models), starts)

    @property
    def _n_classes(self) -> int:
        """Number of scores of the logistic regression."""
        return (len(self.coef_) - len(self.cuts_)) // 2

    def weigh_terms(self, texts: list[str]) -> tuple[csr_array, csr_array, NDArray[np.int64]]:
        """Return the TF-IDF weights of texts and of their sentences, and where the sentences of each text start.

        A score is the product of these weights with `coef_`, plus `intercept_`.

        Returns
        -------
        of_texts : csr_array of float64, shape (n_texts, n_terms)
        of_sentences : csr_array of float64, shape (n_sentences, n_terms)
        starts : ndarray of int64, shape (n_texts,)
        """
        check_is_fitted(self)
        if self.__dict__.get("_counter") is None:
            terms = self.terms_.split("\n")
            self._counter = TermCounter(terms, by_sentence=self.sentences, all_spaced=self.all_spaced_)
            self._tfidf = TfidfTransformer(sublinear_tf=True)
            self._tfidf.idf_ = self.idf_
        if not texts:
            empty = csr_array((0, len(self.idf_)))
            return empty, empty, np.empty(0, dtype=np.int64)
        counts, starts = self._counter.count(texts)
        of_texts = csr_array(self._tfidf.transform(sum_by_text(counts, starts)))
        return of_texts, csr_array(self._tfidf.transform(counts)), starts

    def _columns(
        self, text_scores: NDArray[np.float64], sentence_scores: NDArray[np.float64], starts: NDArray[np.int64]
    ) -> NDArray[np.float64]:
        if not self.sentences:
            return text_scores
        k = self._n_classes
        # the ridge regressions of the classes say little about sentences
        return np.hstack(
            [text_scores, sentence_statistics(np.delete(sentence_scores, slice(k, 2 * k), axis=1), starts)]
        )

    def get_feature_names_out(self, input_features: object = None) -> NDArray[np.object_]:
        """Return the names of the columns."""
        check_is_fitted(self)
        classes = self.classes_[-self._n_classes :]
        cuts = [f"above_{cut:g}" for cut in self.cuts_]
        names = [f"ngram_score_{name}" for name in (*classes, *(f"nb_{name}" for name in classes), *cuts)]
        if self.sentences:
            names += [f"sentence_{statistic}_{name}" for statistic in STATISTICS for name in (*classes, *cuts)]
            names.append("sentence_count")
        return np.array(names, dtype=object)

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in self.__dict__.items() if name not in _REBUILT}


def _score(weights: csr_array, coef: NDArray[np.float64], intercept: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(weights @ coef.T + intercept)
