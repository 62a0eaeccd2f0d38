"""What the words of a message say: class scores of a linear model on word n-grams."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import csr_array
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold
from sklearn.utils.validation import check_is_fitted
from threadpoolctl import threadpool_limits

from batch_nlp.errors import DataError

# words with their apostrophes, and the marks that carry sentiment
_WORD_OR_MARK = r"(?u)\b\w+(?:'\w+)?\b|[!?$]"


class NgramScores(TransformerMixin, BaseEstimator):
    """Score texts by a balanced logistic regression on TF-IDF weights of word n-grams.

    The scores of the rows that it is fitted on come out-of-fold, from models that have not seen their labels, so that
    a classifier trained on them learns how far to trust them on new messages.

    Parameters
    ----------
    max_n : int
        Longest n-gram in words.
    min_df : int
        Messages in which an n-gram must occur.
    max_features : int
        N-grams kept at most, the most frequent ones.
    c : float
        Inverse regularisation strength.
    folds : int
        Folds of the out-of-fold scores.
    random_state : int
        Seed of the folds.

    Attributes
    ----------
    terms_ : str
        The n-grams, one a line, in the order of the columns. One string, since a dict of 100,000 entries takes
        seconds to write and read.
    idf_ : ndarray of float64, shape (n_terms,)
        Inverse document frequencies.
    coef_ : ndarray of float64, shape (n_scores, n_terms)
        Weight of each n-gram for each class; of two classes, for the second one alone.
    intercept_ : ndarray of float64, shape (n_scores,)
    classes_ : ndarray, shape (n_classes,)
    """

    def __init__(
        self,
        max_n: int = 2,
        min_df: int = 3,
        max_features: int = 150000,
        c: float = 4.0,
        folds: int = 5,
        random_state: int = 0,
    ) -> None:
        self.max_n = max_n
        self.min_df = min_df
        self.max_features = max_features
        self.c = c
        self.folds = folds
        self.random_state = random_state

    def _new_vectorizer(self, **settings: Any) -> TfidfVectorizer:
        return TfidfVectorizer(ngram_range=(1, self.max_n), token_pattern=_WORD_OR_MARK, sublinear_tf=True, **settings)

    @staticmethod
    def _texts(X: Any) -> Any:
        return X.iloc[:, 0] if isinstance(X, pd.DataFrame) else X

    def _fit_weights(self, weights: csr_array, y: NDArray[Any]) -> LogisticRegression:
        # its products of small dense vectors only lose by threads: on a busy machine ten times the time
        with threadpool_limits(1, user_api="blas"):
            return LogisticRegression(C=self.c, class_weight="balanced", max_iter=300, tol=1e-3).fit(weights, y)

    def fit(self, X: pd.DataFrame, y: ArrayLike) -> Self:
        """Learn n-grams and weights.

        Parameters
        ----------
        X : DataFrame, shape (n, 1)
            Texts.
        y : array-like of int, shape (n,)
            Classes.
        """
        self._fit(X, np.asarray(y))
        return self

    def _fit(self, X: pd.DataFrame, y: NDArray[Any]) -> csr_array:
        vectorizer = self._new_vectorizer(min_df=self.min_df, max_features=self.max_features)
        try:
            weights = vectorizer.fit_transform(self._texts(X))
        except ValueError as error:
            raise DataError(
                f"No word occurs in training.ngrams.min_df={self.min_df} of the {len(y):,} texts to train on "
                f"({error}). Bring more messages, or set training.ngrams.enabled=false."
            ) from error
        model = self._fit_weights(weights, y)
        self.terms_ = "\n".join(vectorizer.get_feature_names_out())
        self.idf_ = vectorizer.idf_
        self.coef_, self.intercept_, self.classes_ = model.coef_, model.intercept_, model.classes_
        self._vectorizer = vectorizer
        return csr_array(weights)

    def fit_transform(self, X: pd.DataFrame, y: ArrayLike, **fit_params: Any) -> NDArray[np.float64]:
        """Learn n-grams and weights, and return the out-of-fold scores of the same texts.

        Returns
        -------
        ndarray of float64, shape (n, n_scores)
        """
        labels = np.asarray(y)
        weights = self._fit(X, labels)
        scores = np.empty((len(labels), len(self.coef_)))
        folds = StratifiedKFold(self.folds, shuffle=True, random_state=self.random_state)
        for train, held_out in folds.split(labels, labels):
            model = self._fit_weights(weights[train], labels[train])
            scores[held_out] = model.decision_function(weights[held_out]).reshape(len(held_out), -1)
        return scores

    def transform(self, X: pd.DataFrame) -> NDArray[np.float64]:
        """Return the scores of new texts.

        Returns
        -------
        ndarray of float64, shape (n, n_scores)
            Log-odds-like scores, one column a class; of two classes, the second one's alone.
        """
        check_is_fitted(self)
        if self.__dict__.get("_vectorizer") is None:
            terms = self.terms_.split("\n")
            self._vectorizer = self._new_vectorizer(vocabulary={term: column for column, term in enumerate(terms)})
            self._vectorizer.idf_ = self.idf_
        scores = self._vectorizer.transform(self._texts(X)) @ self.coef_.T + self.intercept_
        return np.asarray(scores)

    def get_feature_names_out(self, input_features: object = None) -> NDArray[np.object_]:
        """Return the names of the scores."""
        check_is_fitted(self)
        return np.array([f"ngram_score_{name}" for name in self.classes_[-len(self.coef_) :]], dtype=object)

    def __getstate__(self) -> dict[str, Any]:
        state: dict[str, Any] = self.__dict__.copy()
        state.pop("_vectorizer", None)  # made again from the terms when it is needed
        return state
