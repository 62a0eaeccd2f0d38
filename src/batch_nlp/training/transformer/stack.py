"""What the transformer says and what the words say, weighed on messages that neither of them learned from."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import softmax
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold, cross_val_predict
from threadpoolctl import threadpool_limits

Matrix = NDArray[np.float64]

_FOLDS = 5


def fit_stack(features: Matrix, labels: NDArray[np.int64], seed: int) -> tuple[Matrix, Matrix, Matrix]:
    """Fit a balanced multinomial logistic regression.

    Parameters
    ----------
    features : ndarray of float64, shape (n, m)
        Scores of the messages.
    labels : ndarray of int64, shape (n,)
        Classes 0 ... k-1, each at least twice.

    Returns
    -------
    coef : ndarray of float64, shape (k, m)
    intercept : ndarray of float64, shape (k,)
    probabilities : ndarray of float64, shape (n, k)
        Of the same messages, each from a fit that has not seen it.
    """
    folds = StratifiedKFold(min(_FOLDS, int(np.bincount(labels).min())), shuffle=True, random_state=seed)
    model = LogisticRegression(class_weight="balanced", max_iter=1000)
    # products of small matrices only lose by threads
    with threadpool_limits(1, user_api="blas"):
        probabilities = cross_val_predict(model, features, labels, cv=folds, method="predict_proba")
        model.fit(features, labels)
    if len(model.coef_) == 1:  # of two classes, scikit-learn keeps the second one's scores alone
        return np.vstack([0 * model.coef_, model.coef_]), np.append(0.0, model.intercept_), probabilities
    return model.coef_, model.intercept_, probabilities


def apply_stack(features: Matrix, coef: Matrix, intercept: Matrix) -> Matrix:
    """Return the probabilities of a fitted stack, shape (n, k)."""
    return np.asarray(softmax(features @ coef.T + intercept, axis=1))
