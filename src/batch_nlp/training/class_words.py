"""Which words indicate which class, by the weights of the n-gram scores."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array
from sklearn.pipeline import Pipeline

from batch_nlp.training.ngram_scores import NgramScores
from batch_nlp.words import join_characters


def ngram_scores(pipeline: Pipeline) -> NgramScores | None:
    """Return the n-gram scores of a fitted training pipeline or of its classifier; None if neither has any."""
    encoding, classifier = pipeline.named_steps["encoding"], pipeline.steps[-1][1]
    for found in (encoding.named_transformers_.get("ngrams"), getattr(classifier.estimator_, "scores_", None)):
        if isinstance(found, NgramScores):
            return found
    return None


class ClassWords:
    """How much n-grams add to the scores of the classes, by the logistic regression on n-grams.

    Parameters
    ----------
    scores : NgramScores
        Fitted.
    """

    def __init__(self, scores: NgramScores) -> None:
        self._scores = scores
        self.terms = np.array([join_characters(term) for term in scores.terms_.split("\n")], dtype=object)
        k = len(scores.classes_)
        # for two classes, logistic regression keeps the second one's weights; half of them in each direction is equal
        coef = scores.coef_[: k if k > 2 else 1]
        self.weights: NDArray[np.float64] = coef if k > 2 else np.vstack([-coef, coef]) / 2

    def of_classes(self, texts: list[str], number: int) -> list[list[dict[str, Any]]]:
        """Return the n-grams that matter most for each class on some messages.

        An n-gram's weight for the class, minus the mean of its weights for the other classes, is multiplied by the
        standard deviation of its TF-IDF weight among the messages: this is how far the n-gram moves the class's score
        from message to message. The weight alone would favour words that hardly ever occur; the mean instead of the
        deviation would favour words in every message.

        Parameters
        ----------
        texts : list of str
            Messages from which the deviations are computed.
        number : int
            Most n-grams per class.

        Returns
        -------
        list of list of dict
            For each class, largest first: the ``term``, how far it ``moves`` the score, and the ``share`` of messages
            with it.
        """
        found, _, _ = self._scores.weigh_terms(texts)
        mean = np.asarray(found.sum(axis=0)).ravel() / len(texts)
        square = np.asarray(found.multiply(found).sum(axis=0)).ravel() / len(texts)
        deviation = np.sqrt(np.maximum(square - mean**2, 0))
        share = np.bincount(found.indices, minlength=found.shape[1]) / len(texts)
        k = len(self.weights)
        # each class minus the mean of the others
        lead = (self.weights - self.weights.mean(axis=0)) * k / (k - 1)
        return [
            [
                {"term": str(self.terms[column]), "moves": float(moves[column]), "share": float(share[column])}
                for column in np.argsort(-moves, kind="stable")[:number]
                if moves[column] > 0
            ]
            for moves in lead * deviation
        ]

    def between(
        self, texts: list[str], chosen: NDArray[np.int64], other: NDArray[np.int64], number: int
    ) -> list[list[str]]:
        """Return the n-grams of each message that favour one class most over another, strongest first.

        Parameters
        ----------
        chosen, other : ndarray of int, shape (n,)
            The two classes of each message.
        number : int
            Most n-grams per message.
        """
        found: csr_array = self._scores.weigh_terms(texts)[0]
        result = []
        for row, (one, against) in enumerate(zip(chosen, other, strict=True)):
            columns = found.indices[found.indptr[row] : found.indptr[row + 1]]
            values = found.data[found.indptr[row] : found.indptr[row + 1]]
            adds = values * (self.weights[one] - self.weights[against])[columns]
            best = [position for position in np.lexsort((columns, -adds))[:number] if adds[position] > 0]
            result.append([str(self.terms[columns[position]]) for position in best])
        return result
