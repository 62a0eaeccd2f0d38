"""The contribution of each group of columns to a classifier's margins for one message.

Exact and additive for XGBoost's trees (TreeSHAP: Lundberg et al., From local explanations to global understanding with
explainable AI for trees, 2020) and for linear models; for other classifiers, the change if a group is left out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from batch_nlp.fields import TEXT
from batch_nlp.training.calibration import class_scores

TREE_SHAP = "TreeSHAP (exact)"
LINEAR = "coefficient times value (exact)"
OCCLUSION = "left out one at a time (not additive)"
# Method, contributions (k, m), base (k,) and margins (k,)
_Exact = tuple[str, NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]


@dataclass(frozen=True)
class Contributions:
    """The contributions of groups of columns to the margins of one message."""

    # Name of the method
    method: str
    # Names of the groups, shape (g,)
    groups: list[str]
    # Contribution of each group to the margin of each class, shape (k, g)
    values: NDArray[np.float64]
    # Margins without any information about the message, shape (k,)
    base: NDArray[np.float64]
    # Margins of the message, shape (k,): scores before calibration, as log-odds if the classifier has probabilities
    margins: NDArray[np.float64]

    @property
    def rest(self) -> NDArray[np.float64]:
        """What no group explains alone, shape (k,): 0 up to rounding for exact methods."""
        return np.asarray(self.margins - self.base - self.values.sum(axis=1))


def contributions(estimator: Any, row: pd.DataFrame, groups: Mapping[str, list[str]]) -> Contributions:
    """Return the contribution of each group of columns to the margins of a message.

    Parameters
    ----------
    estimator : classifier
        Fitted on columns with mean 0.
    row : DataFrame, shape (1, m)
    groups : mapping of str to list of str
        Columns of each group, which together are all columns.
    """
    exact: _Exact | None = None
    if hasattr(estimator, "get_booster"):
        exact = _tree_shap(estimator, row)
    elif hasattr(estimator, "coef_") and hasattr(estimator, "decision_function"):
        exact = _linear(estimator, row)
    if exact is None:
        return _leave_out(estimator, row, groups)
    method, by_column, base, margins = exact
    position = {str(name): number for number, name in enumerate(row.columns)}
    sums = [by_column[:, [position[name] for name in names]].sum(axis=1) for names in groups.values()]
    return Contributions(method, list(groups), np.stack(sums, axis=1), base, margins)


def _tree_shap(estimator: Any, row: pd.DataFrame) -> _Exact:
    from xgboost import DMatrix

    booster, data = estimator.get_booster(), DMatrix(row)
    # the last column is the base value
    found = np.asarray(booster.predict(data, pred_contribs=True), dtype=np.float64).reshape(-1, row.shape[1] + 1)
    margins = np.asarray(booster.predict(data, output_margin=True), dtype=np.float64).reshape(-1)
    values, base = found[:, :-1], found[:, -1]
    return TREE_SHAP, _of_both(values), _of_both(base), _of_both(margins)


def _linear(estimator: Any, row: pd.DataFrame) -> _Exact | None:
    coef = np.atleast_2d(np.asarray(estimator.coef_, dtype=np.float64))
    if coef.shape[1] != row.shape[1]:
        return None
    margins = np.asarray(estimator.decision_function(row), dtype=np.float64).reshape(-1)
    base = np.broadcast_to(np.asarray(estimator.intercept_, dtype=np.float64), (len(coef),))
    values = coef * row.to_numpy(dtype=np.float64)
    # coefficients do not always multiply the input, as in support vector machines for pairs of classes
    if margins.shape != base.shape or not np.allclose(base + values.sum(axis=1), margins, rtol=1e-6, atol=1e-8):
        return None
    return LINEAR, _of_both(values), _of_both(np.array(base)), _of_both(margins)


def _of_both(of_classes: NDArray[np.float64]) -> NDArray[np.float64]:
    """Add the margin of the first of two classes, which is the negative of the second."""
    return np.concatenate([-of_classes, of_classes]) if len(of_classes) == 1 else of_classes


def _leave_out(estimator: Any, row: pd.DataFrame, groups: Mapping[str, list[str]]) -> Contributions:
    """Compare the scores with those of rows with one group at its mean; the mean of a text is the empty text."""
    rows = pd.concat([row] * (len(groups) + 2), ignore_index=True)
    everything = [name for names in groups.values() for name in names]
    for number, names in enumerate([*groups.values(), everything], start=1):
        for name in names:
            rows.loc[number, name] = "" if name == TEXT else 0.0
    scores = class_scores(estimator, rows)
    values = (scores[0] - scores[1:-1]).T
    return Contributions(OCCLUSION, list(groups), values, scores[-1], scores[0])
