"""The linear models on TF-IDF weights of n-grams."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
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

# Added to sums of TF-IDF weights, so that the ratio is finite for a word that occurs in one class only
_SMOOTHING = 0.1
# Regularisation strength of the ridge regression, and where LSQR stops: scores are then within 0.001 of their limit
_PENALTY, _TOLERANCE = 1.0, 1e-5
# Rows of a matrix copied at a time
_ROWS = 50_000


def stack(pieces: Iterable[csr_array], n_columns: int) -> csr_array:
    """Stack sparse matrices vertically; within `scratch.arrays_on_disk`, the result is kept in files.

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
    # of one type, because scipy copies the indices otherwise
    bounds = bounds.astype(np.int32) if bounds[-1] <= np.iinfo(np.int32).max else bounds
    return csr_array((values.finish(), indices.finish(), bounds), shape=(len(bounds) - 1, n_columns))


def take_rows(matrix: csr_array, rows: NDArray[np.int64]) -> csr_array:
    """Return some rows of a sparse matrix, stored as `stack` stores its result."""
    parts = (rows[start : start + _ROWS] for start in range(0, len(rows), _ROWS))
    return stack((csr_array(matrix[part]) for part in parts), matrix.shape[1])


class NgramModels(NamedTuple):
    """A fitted logistic regression, and ridge regressions on weights times naive-Bayes log-count ratios."""

    # Weights of the logistic regression, then of one ridge regression per class, then of one per cut, shape
    # (n_scores, n_terms); of two classes, only the second's
    coef: NDArray[np.float64]
    # Shape (n_scores,)
    intercept: NDArray[np.float64]


def fit_ngram_models(
    weights: csr_array,
    y: NDArray[Any],
    c: float,
    threads: int,
    sides: Sequence[NDArray[np.float64]] = (),
) -> NgramModels:
    """Fit the models; the result is bit-identical for any number of threads.

    Parameters
    ----------
    weights : csr_array of float64, shape (n, n_terms)
    y : ndarray, shape (n,)
        Classes.
    c : float
        Inverse regularisation strength of the logistic regression.
    threads : int
        Fits at a time; 0 uses all cores. The ridge regression takes one fit per class.
    sides : sequence of ndarray of float64, shape (n,)
        Side of each text at each cut of an order: 1 or -1, 0 for a text without a place in the order.
    """
    classes = np.unique(y)
    # of two classes, one has the scores of the other with the opposite sign
    apart = classes if len(classes) > 2 else classes[1:]
    sides = [*(np.where(y == name, 1.0, -1.0) for name in apart), *sides]
    sources = [_equal_or_opposite(side, sides) for side in sides]
    different = sorted({source for source, _ in sources})
    fits = [partial(_fit_logistic, weights, y, c)]
    fits += [partial(fit_naive_bayes_ridge, weights, sides[source]) for source in different]
    at_once = min(threads or os.cpu_count() or 1, len(fits))
    # BLAS threads only slow down the products of small dense vectors, tenfold on a busy machine
    with threadpool_limits(1, user_api="blas"):
        logistic, *ridges = in_threads(call, fits, at_once)
    of_sides = [(ridges[different.index(source)], sign) for source, sign in sources]
    fitted = [logistic, *(NgramModels(sign * ridge.coef, sign * ridge.intercept) for ridge, sign in of_sides)]
    # in the order of the terms, because scipy would copy the weights for each product
    coef = np.asfortranarray(np.vstack([model.coef for model in fitted]))
    return NgramModels(coef, np.hstack([model.intercept for model in fitted]))


def _equal_or_opposite(side: NDArray[np.float64], sides: Sequence[NDArray[np.float64]]) -> tuple[int, int]:
    """Return the position of the first equal or opposite side, whose ridge serves both, and the sign, 1 or -1."""
    # a cut between one class and all others is the opposite or the equal of the class
    return next(
        (position, sign)
        for position, other in enumerate(sides)
        for sign in (1, -1)
        if np.array_equal(side, sign * other)
    )


def _fit_logistic(weights: csr_array, y: NDArray[Any], c: float) -> NgramModels:
    model = LogisticRegression(C=c, class_weight="balanced", max_iter=300, tol=1e-3).fit(weights, y)
    return NgramModels(model.coef_, model.intercept_)


def fit_naive_bayes_ridge(weights: csr_array, target: NDArray[np.float64]) -> NgramModels:
    """Return the model of the targets 1 against those of -1; texts with 0 do not count.

    This is scikit-learn's `RidgeClassifier` with balanced classes, on the weights with each column multiplied by its
    ratio, solved by LSQR (Paige and Saunders, 1982). LSQR needs only products with the matrix, so nothing is copied.
    """
    inside = (target > 0).astype(np.float64) @ weights + _SMOOTHING
    outside = (target < 0).astype(np.float64) @ weights + _SMOOTHING
    ratio = np.log(inside / inside.sum()) - np.log(outside / outside.sum())
    placed, importance = target != 0, np.zeros(len(target))
    importance[placed] = compute_sample_weight("balanced", target[placed])
    root = np.sqrt(importance)
    # centred columns and targets, because the intercept is not penalised
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
