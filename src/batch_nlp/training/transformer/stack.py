"""A logistic regression that combines the transformer with n-gram scores, on messages that neither was fitted on."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold, cross_val_predict
from threadpoolctl import threadpool_limits

Matrix = NDArray[np.float64]

_FOLDS = 5


def fit_stack(features: Matrix, labels: NDArray[np.int64], seed: int) -> tuple[Matrix, Matrix, Matrix]:
    """Fit a balanced multinomial logistic regression to features, shape (n, m), and labels, each of them twice or more.

    Returns
    -------
    coef : ndarray, shape (k, m)
    intercept : ndarray, shape (k,)
    probabilities : ndarray, shape (n, k)
        Out-of-fold probabilities of the same messages.
    """
    folds = StratifiedKFold(min(_FOLDS, int(np.bincount(labels).min())), shuffle=True, random_state=seed)
    model = LogisticRegression(class_weight="balanced", max_iter=1000)
    # threads only slow down products of small matrices
    with threadpool_limits(1, user_api="blas"):
        probabilities = cross_val_predict(model, features, labels, cv=folds, method="predict_proba")
        model.fit(features, labels)
    if len(model.coef_) == 1:  # for two classes, scikit-learn keeps only the second one's scores
        return np.vstack([0 * model.coef_, model.coef_]), np.append(0.0, model.intercept_), probabilities
    return model.coef_, model.intercept_, probabilities
