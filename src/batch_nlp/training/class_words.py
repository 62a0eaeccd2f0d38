"""Which words speak for which class, by the weights of the n-gram scores."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array
from sklearn.pipeline import Pipeline

from batch_nlp.training.ngram_scores import NgramScores


def ngram_scores(pipeline: Pipeline) -> NgramScores | None:
    """Return the n-gram scores of a fitted training pipeline or of its classifier, None where neither has any."""
    encoding, classifier = pipeline.named_steps["encoding"], pipeline.steps[-1][1]
    for found in (encoding.named_transformers_.get("ngrams"), getattr(classifier.estimator_, "scores_", None)):
        if isinstance(found, NgramScores):
            return found
    return None


class ClassWords:
    """What n-grams add to the scores of the classes, by the logistic regression on them.

    Parameters
    ----------
    scores : NgramScores
        Fitted.
    """

    def __init__(self, scores: NgramScores) -> None:
        self._scores = scores
        self.terms = np.array(scores.terms_.split("\n"), dtype=object)
        k = len(scores.classes_)
        # the logistic regression's; of two classes it keeps the second one's alone: half of them each way is the same
        coef = scores.coef_[: k if k > 2 else 1]
        self.weights: NDArray[np.float64] = coef if k > 2 else np.vstack([-coef, coef]) / 2

    def of_classes(self, texts: list[str], number: int) -> list[list[dict[str, Any]]]:
        """Return the n-grams that do most for each class on some messages.

        An n-gram's weight for the class, less the mean of those for the other classes, is multiplied by the standard
        deviation of its TF-IDF weight among the messages: that is how far it moves the class's score from one message
        to another. The weight alone ranks words first that hardly ever occur, and with the mean in place of the
        deviation words that stand in every message.

        Parameters
        ----------
        texts : list of str
            Messages to take the deviations from.
        number : int
            N-grams a class, at most.

        Returns
        -------
        list of list of dict
            For each class, greatest first: ``term``, by how much it ``moves`` the score, and the ``share`` of messages
            with it.
        """
        found, _, _ = self._scores.weigh_terms(texts)
        mean = np.asarray(found.sum(axis=0)).ravel() / len(texts)
        square = np.asarray(found.multiply(found).sum(axis=0)).ravel() / len(texts)
        deviation = np.sqrt(np.maximum(square - mean**2, 0))
        share = np.bincount(found.indices, minlength=found.shape[1]) / len(texts)
        k = len(self.weights)
        # a class less the mean of the others
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
        """Return the n-grams of each message that speak most for one class against another, strongest first.

        Parameters
        ----------
        chosen, other : ndarray of int, shape (n,)
            The two classes of each message.
        number : int
            N-grams a message, at most.
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
