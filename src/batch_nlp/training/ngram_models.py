"""The two linear models on the TF-IDF weights of n-grams, fitted on all rows and on folds, several at a time."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array
from sklearn.linear_model import LogisticRegression, RidgeClassifier
from threadpoolctl import threadpool_limits

from batch_nlp.parallel import in_threads
from batch_nlp.storage.scratch import on_disk
from batch_nlp.training.text_matrix import scale_columns, take_rows

# added to the sums of TF-IDF weights whose ratio is taken, so that a word of one class alone has a finite one
_SMOOTHING = 0.1
# Fits at a time, at most, where the weights live in files: each has a copy of its rows
_ON_DISK = 2


class NgramModels(NamedTuple):
    """A fitted logistic regression, and a ridge regression on weights times naive-Bayes log-count ratios.

    Parameters
    ----------
    coef : ndarray of float64, shape (n_scores, n_terms)
        Weights of the first model, then of the second; of two classes, for the second one alone.
    intercept : ndarray of float64, shape (n_scores,)
    """

    coef: NDArray[np.float64]
    intercept: NDArray[np.float64]


def fit_ngram_models(
    weights: csr_array, y: NDArray[Any], parts: Sequence[NDArray[np.int64] | None], c: float, threads: int
) -> list[NgramModels]:
    """Fit the models on some rows, for each part. They are the same, bit by bit, for any number of threads.

    Parameters
    ----------
    weights : csr_array of float64, shape (n, n_terms)
    y : ndarray, shape (n,)
        Classes.
    parts : sequence of ndarray of int64, or None
        Rows to fit on; None is all of them.
    c : float
        Inverse regularisation strength of the logistic regression.
    threads : int
        Fits at a time; 0 takes all cores.
    """

    def fit(rows: NDArray[np.int64] | None) -> NgramModels:
        return _fit(weights, y, c) if rows is None else _fit(take_rows(weights, rows), y[rows], c)

    threads = min(threads or os.cpu_count() or 1, len(parts))
    # their products of small dense vectors only lose by threads: on a busy machine ten times the time
    with threadpool_limits(1, user_api="blas"):
        return in_threads(fit, parts, min(threads, _ON_DISK) if on_disk() else threads)


def _fit(weights: csr_array, y: NDArray[Any], c: float) -> NgramModels:
    model = LogisticRegression(C=c, class_weight="balanced", max_iter=300, tol=1e-3).fit(weights, y)
    others = [_fit_naive_bayes_ridge(weights, y == name) for name in np.unique(y)[-len(model.coef_) :]]
    return NgramModels(
        np.vstack([model.coef_, *(coef for coef, _ in others)]),
        np.append(model.intercept_, [intercept for _, intercept in others]),
    )


def _fit_naive_bayes_ridge(weights: csr_array, is_class: NDArray[np.bool_]) -> tuple[NDArray[np.float64], float]:
    """Return the weights, shape (n_terms,), and the intercept of one class against the others."""
    inside = is_class.astype(np.float64) @ weights + _SMOOTHING
    outside = (~is_class).astype(np.float64) @ weights + _SMOOTHING
    ratio = np.log(inside / inside.sum()) - np.log(outside / outside.sum())
    model = RidgeClassifier(alpha=1.0, class_weight="balanced", solver="sparse_cg", copy_X=False)
    model.fit(scale_columns(weights, ratio), is_class)
    return ratio * np.ravel(model.coef_), float(np.ravel(model.intercept_)[0])
