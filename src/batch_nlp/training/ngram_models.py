"""The two linear models on the TF-IDF weights of n-grams, which are made and read piece by piece."""

from __future__ import annotations

import os
from collections.abc import Iterable
from functools import partial
from operator import call
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.sparse.linalg import LinearOperator, lsqr
from sklearn.linear_model import LogisticRegression
from sklearn.utils.class_weight import compute_sample_weight
from threadpoolctl import threadpool_limits

from batch_nlp.storage.scratch import GrowingArray
from batch_nlp.threads import in_threads

# added to the sums of TF-IDF weights whose ratio is taken, so that a word of one class alone has a finite one
_SMOOTHING = 0.1
# Of the ridge regression: its regularisation strength, and where LSQR stops, scores being within 0.001 of their limit
_PENALTY, _TOLERANCE = 1.0, 1e-5
# Rows of a matrix that are copied at a time
_ROWS = 50_000


def stack(pieces: Iterable[csr_array], n_columns: int) -> csr_array:
    """Return sparse matrices one below the other; within `scratch.arrays_on_disk` the result lives in files.

    Parameters
    ----------
    pieces : iterable of csr_array of float64, shape (n_piece, n_columns)
    """
    values, indices, lengths = GrowingArray(np.float64), GrowingArray(np.int32), GrowingArray(np.int64)
    for piece in pieces:
        values.append(piece.data)
        indices.append(piece.indices)
        lengths.append(np.diff(piece.indptr))
    bounds = np.concatenate([[0], np.cumsum(lengths.finish())])
    # of one type, since scipy copies the indices otherwise
    bounds = bounds.astype(np.int32) if bounds[-1] <= np.iinfo(np.int32).max else bounds
    return csr_array((values.finish(), indices.finish(), bounds), shape=(len(bounds) - 1, n_columns))


def take_rows(matrix: csr_array, rows: NDArray[np.int64]) -> csr_array:
    """Return some rows of a sparse matrix, as `stack` does."""
    parts = (rows[start : start + _ROWS] for start in range(0, len(rows), _ROWS))
    return stack((csr_array(matrix[part]) for part in parts), matrix.shape[1])


class NgramModels(NamedTuple):
    """A fitted logistic regression, and a ridge regression on weights times naive-Bayes log-count ratios."""

    # Weights of the first model, then of the second; of two classes, for the second one alone, shape (n_scores,
    # n_terms)
    coef: NDArray[np.float64]
    # Shape (n_scores,)
    intercept: NDArray[np.float64]


def fit_ngram_models(weights: csr_array, y: NDArray[Any], c: float, threads: int) -> NgramModels:
    """Fit both models; they are the same, bit by bit, for any number of threads.

    Parameters
    ----------
    weights : csr_array of float64, shape (n, n_terms)
    y : ndarray, shape (n,)
        Classes.
    c : float
        Inverse regularisation strength of the logistic regression.
    threads : int
        Fits at a time; 0 takes all cores. The ridge regression is one fit a class.
    """
    classes = np.unique(y)
    # of two classes, the second one's scores are those of the first one with another sign
    apart = classes if len(classes) > 2 else classes[1:]
    fits = [partial(_fit_logistic, weights, y, c)]
    fits += [partial(_fit_naive_bayes_ridge, weights, y == name) for name in apart]
    at_once = min(threads or os.cpu_count() or 1, len(fits))
    # their products of small dense vectors only lose by threads: on a busy machine ten times the time
    with threadpool_limits(1, user_api="blas"):
        fitted = in_threads(call, fits, at_once)
    return NgramModels(np.vstack([model.coef for model in fitted]), np.hstack([model.intercept for model in fitted]))


def _fit_logistic(weights: csr_array, y: NDArray[Any], c: float) -> NgramModels:
    model = LogisticRegression(C=c, class_weight="balanced", max_iter=300, tol=1e-3).fit(weights, y)
    return NgramModels(model.coef_, model.intercept_)


def _fit_naive_bayes_ridge(weights: csr_array, is_class: NDArray[np.bool_]) -> NgramModels:
    """Return the model of one class against the others.

    It is scikit-learn's `RidgeClassifier` with balanced classes, on the weights with each column times its ratio, by
    LSQR (Paige and Saunders, 1982). That asks for products with the matrix alone, so none is copied to be scaled.
    """
    inside = is_class.astype(np.float64) @ weights + _SMOOTHING
    outside = (~is_class).astype(np.float64) @ weights + _SMOOTHING
    ratio = np.log(inside / inside.sum()) - np.log(outside / outside.sum())
    importance = compute_sample_weight("balanced", is_class)
    target, root = np.where(is_class, 1.0, -1.0), np.sqrt(importance)
    # the intercept is not penalised: columns and targets are taken as they differ from their means
    column_means = ratio * (importance @ weights) / importance.sum()
    target_mean = np.average(target, weights=importance)
    transposed = weights.T
    centred = LinearOperator(
        weights.shape,
        matvec=lambda coef: root * (weights @ (ratio * coef) - column_means @ coef),
        rmatvec=lambda rows: ratio * (transposed @ (root * rows)) - column_means * (root @ rows),
        dtype=weights.dtype,
    )
    coef = lsqr(centred, root * (target - target_mean), damp=_PENALTY**0.5, atol=_TOLERANCE, btol=_TOLERANCE)[0]
    return NgramModels((ratio * coef)[np.newaxis], np.array([target_mean - column_means @ coef]))
