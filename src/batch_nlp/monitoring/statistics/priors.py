"""Class shares of a batch, estimated from its probabilities, and probabilities for other class shares."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

# The estimate stands when no share moves by more than this in a round. That is far below its sampling error, also where
# rounds bring little: at a hundredth of the remaining way a round, the estimate is within 1e-4
TOLERANCE = 1e-6
# Of 0.3 ms each for 100,000 messages and three classes; a model that tells classes apart needs 10 to 30
MAX_ROUNDS = 1000


def estimate_priors(probabilities: NDArray[np.float64], training_shares: NDArray[np.float64]) -> NDArray[np.float64]:
    """Estimate which share of the messages is of each class, where only these shares may have changed.

    Neither the predictions nor the mean of the probabilities tells: both lean towards the shares of the training.
    Expectation-maximisation finds the shares under which the messages are most likely, given that those of a class look
    as they did in training (label shift) and that the probabilities are calibrated. Source: M. Saerens, P. Latinne,
    C. Decaestecker, Neural Computation 14 (2002), 21-41.

    Parameters
    ----------
    probabilities : ndarray of float, shape (n, k)
        Class probabilities of each message under ``training_shares``; rows sum to 1. Zeros and ones are allowed.
    training_shares : ndarray of float, shape (k,)
        Shares of the classes in the rows that the model, and its calibration, was fitted on; they sum to 1.

    Returns
    -------
    ndarray of float, shape (k,)
        Estimated shares; they sum to 1. The training shares where there is no message: nothing says that they changed.
    """
    n, start = len(probabilities), np.asarray(training_shares, dtype=np.float64)
    if n == 0:
        return start.copy()
    # what lies wholly on classes that training did not have is of these classes, whatever the shares
    known = probabilities @ (start > 0) > 0
    settled, rows = probabilities[~known].sum(axis=0), probabilities[known]
    shares, totals = start, np.empty(len(rows))
    for _ in range(MAX_ROUNDS):
        weights = _ratio(shares, start)
        # the mean of the reweighted rows, without an array of their size in each round
        np.reciprocal(np.matmul(rows, weights, out=totals), out=totals)
        before, shares = shares, (weights * (totals @ rows) + settled) / n
        if np.abs(shares - before).max() < TOLERANCE:
            break
    return shares


def reweight(
    probabilities: NDArray[np.float64], training_shares: NDArray[np.float64], new_shares: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the class probabilities that hold where classes have other shares than in training.

    Parameters
    ----------
    probabilities : ndarray of float, shape (n, k)
        Class probabilities under ``training_shares``; rows sum to 1.
    training_shares, new_shares : ndarray of float, shape (k,)
        Shares of the classes then and now. A class without a share in training gets no probability.

    Returns
    -------
    ndarray of float64, shape (n, k)
        Rows sum to 1. By Bayes' rule each class is multiplied by its new share over its old one, and the row normalised
        (Saerens et al., 2002, section 2). A row that would be left with nothing stays as it is.
    """
    weighted = probabilities * _ratio(new_shares, training_shares)
    totals = weighted.sum(axis=1, keepdims=True)
    result = np.array(probabilities, dtype=np.float64)
    np.divide(weighted, totals, out=result, where=totals > 0)
    return result


def _ratio(new: NDArray[np.float64], old: NDArray[np.float64]) -> NDArray[np.float64]:
    new, old = np.asarray(new, dtype=np.float64), np.asarray(old, dtype=np.float64)
    return np.divide(new, old, out=np.zeros_like(old), where=old > 0)
