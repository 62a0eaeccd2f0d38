"""The two linear models on the TF-IDF weights of n-grams."""

from __future__ import annotations

import os
from functools import partial
from operator import call
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array
from sklearn.linear_model import LogisticRegression, RidgeClassifier
from threadpoolctl import threadpool_limits

from batch_nlp.parallel import in_threads
from batch_nlp.storage.scratch import on_disk
from batch_nlp.training.text_matrix import scale_columns

# added to the sums of TF-IDF weights whose ratio is taken, so that a word of one class alone has a finite one
_SMOOTHING = 0.1
# Fits at a time, at most, where the weights live in files: a ridge regression makes two copies of its rows
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
        Fits at a time; 0 takes all cores. The ridge regression is one fit a class. Of weights that live in files, two
        at most.
    """
    classes = np.unique(y)
    # of two classes, the second one's scores are those of the first one with another sign
    apart = classes if len(classes) > 2 else classes[1:]
    fits = [partial(_fit_logistic, weights, y, c)]
    fits += [partial(_fit_naive_bayes_ridge, weights, y == name) for name in apart]
    at_once = min(threads or os.cpu_count() or 1, len(fits), _ON_DISK if on_disk() else len(fits))
    # their products of small dense vectors only lose by threads: on a busy machine ten times the time
    with threadpool_limits(1, user_api="blas"):
        fitted = in_threads(call, fits, at_once)
    return NgramModels(np.vstack([model.coef for model in fitted]), np.hstack([model.intercept for model in fitted]))


def _fit_logistic(weights: csr_array, y: NDArray[Any], c: float) -> NgramModels:
    model = LogisticRegression(C=c, class_weight="balanced", max_iter=300, tol=1e-3).fit(weights, y)
    return NgramModels(model.coef_, model.intercept_)


def _fit_naive_bayes_ridge(weights: csr_array, is_class: NDArray[np.bool_]) -> NgramModels:
    """Return the model of one class against the others."""
    inside = is_class.astype(np.float64) @ weights + _SMOOTHING
    outside = (~is_class).astype(np.float64) @ weights + _SMOOTHING
    ratio = np.log(inside / inside.sum()) - np.log(outside / outside.sum())
    model = RidgeClassifier(alpha=1.0, class_weight="balanced", solver="sparse_cg", copy_X=False)
    model.fit(scale_columns(weights, ratio), is_class)
    return NgramModels(ratio * model.coef_, model.intercept_)
