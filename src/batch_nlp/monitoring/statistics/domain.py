"""A classifier test of whether two samples of vectors come from one population."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.stats import mannwhitneyu
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

# Each half must have enough rows of both samples to learn from and to judge by
MIN_ROWS = 20

# Strong, because there are a few thousand rows of a few hundred dimensions, and differences are small
REGULARISATION = 0.01


def domain_auc(sample: NDArray[np.floating], other: NDArray[np.floating], seed: int) -> tuple[float, float]:
    """Return how well a classifier tells two samples apart on rows that it was not fitted on, and the p-value.

    Rows are split into two halves with equal shares of both samples. A logistic regression on standardised columns
    learns from one half which sample a row belongs to, and scores the other half; then the halves change places.
    All rows, shapes (n, d) and (m, d), are used; 2 x 2,000 rows of 256 dimensions take about 0.2 s.

    Returns
    -------
    auc : float
        Probability that a row of ``sample`` scores higher than one of ``other``, averaged over the two halves: about
        0.5 if nothing tells the samples apart, 1 if everything does.
    p_value : float
        Twice the smaller p-value of the two halves, by the one-sided Mann-Whitney test, which tests that area (D.
        Bamber, Journal of Mathematical Psychology 12 (1975), 387-415). The scores of a half come from one model that
        was not fitted on its rows, so they are independent and the test keeps its level. Scores pooled over folds are
        not: at a level of 5 %, their test rejected 8 to 12 % of simulated pairs of equal samples.
        If a sample has fewer than 20 rows, the result is 0.5 and 1.
    """
    if min(len(sample), len(other)) < MIN_ROWS:
        return 0.5, 1.0
    rows = np.concatenate([sample, other])
    is_sample = np.arange(len(rows)) < len(sample)
    areas, p_values = [], []
    for train, test in StratifiedKFold(2, shuffle=True, random_state=seed).split(rows, is_sample):
        model = make_pipeline(StandardScaler(), LogisticRegression(C=REGULARISATION, max_iter=200))
        scores = model.fit(rows[train], is_sample[train]).decision_function(rows[test])
        # the scores of float32 vectors are float32, in which ranks lose digits and small p-values become 0
        scores = scores.astype(np.float64)
        mine, others = scores[is_sample[test]], scores[~is_sample[test]]
        result = mannwhitneyu(mine, others, alternative="greater")
        areas.append(float(result.statistic) / (len(mine) * len(others)))
        p_values.append(float(result.pvalue))
    return sum(areas) / 2, min(1.0, 2 * min(p_values))
