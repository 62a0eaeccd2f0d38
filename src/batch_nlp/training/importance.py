"""Groups of a classifier's columns, and their permutation importance."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.utils import get_tags

from batch_nlp.fields import Fields
from batch_nlp.metrics.confusion import ClassCounts, confusion_matrix
from batch_nlp.training.tuned_classifier import TunedClassifier

NGRAMS, SENTENCES, TABULAR = "ngrams", "sentences", "tabular"
_PREFIXES = {"ngram_score_": NGRAMS, "sentence_": SENTENCES}
# Rows and repeats; fewer for a classifier that reads texts, which takes seconds per repeat
_ROWS, _REPEATS = 2000, 4
_ROWS_OF_TEXT, _REPEATS_OF_TEXT = 200, 2


def column_groups(columns: Iterable[str], fields: Fields, *, coarse: bool = False) -> dict[str, list[str]]:
    """Return the columns of each group, in the order of the columns.

    Parameters
    ----------
    columns : iterable of str
        The classifier's input.
    fields : Fields
        The fields that the columns were made from.
    coarse : bool
        Whether all numbers and categories form one group, ``tabular``.

    Returns
    -------
    dict of list of str
        Under a field's name: a number with its indicator of missing values, all columns of a category, or all
        dimensions of a vector. Beside them ``ngrams`` and ``sentences``, the scores of n-grams and of sentences.
    """
    tabular = {*fields.numbers, *fields.categories} if coarse else set()
    groups: dict[str, list[str]] = {}
    for column in map(str, columns):
        group = column.partition("=")[0]
        if group not in fields.names:
            group = next((name for prefix, name in _PREFIXES.items() if group.startswith(prefix)), group)
        groups.setdefault(TABULAR if group in tabular else group, []).append(column)
    return groups


def permutation_importance(
    classifier: TunedClassifier, encoded: pd.DataFrame, truth: NDArray[np.int64], fields: Fields, seed: int
) -> dict[str, Any]:
    """Return how far macro F1 falls when the values of a group are shuffled among messages (Breiman, 2001).

    What two groups have in common counts for neither, since the classifier can read it from the other.

    Parameters
    ----------
    classifier : TunedClassifier
        Fitted; its predictions follow calibration and decision weights.
    encoded : DataFrame, shape (n, n_features)
        The classifier's input for held-out messages.
    truth : ndarray of int, shape (n,)
        Classes of the held-out messages.

    Returns
    -------
    dict
        The number of ``rows`` and ``repeats``, the macro F1 of these rows as ``baseline``, and ``groups``, the largest
        drop first: ``name``, number of ``columns``, mean ``drop``, and ``least`` and ``greatest`` drop of the repeats.
    """
    trial, groups = _Trial.of(classifier, encoded, truth, seed), list[dict[str, Any]]()
    for name, columns in column_groups(encoded.columns, fields, coarse=trial.reads_text).items():
        drops = trial.drops(columns)
        groups.append(
            {
                "name": name,
                "columns": len(columns),
                "drop": float(np.mean(drops)),
                "least": float(min(drops)),
                "greatest": float(max(drops)),
            }
        )
    groups.sort(key=lambda group: -group["drop"])
    return {
        "rows": len(trial.labels),
        "repeats": len(trial.orders),
        "baseline": trial.baseline,
        "groups": groups,
    }


def fall_of_f1(
    classifier: TunedClassifier,
    encoded: pd.DataFrame,
    truth: NDArray[np.int64],
    fields: Fields,
    names: Collection[str],
    seed: int,
) -> float:
    """Return how far macro F1 falls on average when some fields are shuffled together, as `permutation_importance`."""
    groups = column_groups(encoded.columns, fields)
    columns = [column for name in names for column in groups.get(name, ())]
    return float(np.mean(_Trial.of(classifier, encoded, truth, seed).drops(columns)))


@dataclass(frozen=True)
class _Trial:
    """A sample of messages, and the orders in which columns are shuffled."""

    classifier: TunedClassifier
    sample: pd.DataFrame
    labels: NDArray[np.int64]
    orders: list[NDArray[np.int64]]
    reads_text: bool
    # macro F1 without shuffling
    baseline: float

    @classmethod
    def of(cls, classifier: TunedClassifier, encoded: pd.DataFrame, truth: NDArray[np.int64], seed: int) -> _Trial:
        reads_text = bool(get_tags(classifier.estimator_).input_tags.string)
        most, repeats = (_ROWS_OF_TEXT, _REPEATS_OF_TEXT) if reads_text else (_ROWS, _REPEATS)
        random = np.random.default_rng(seed)
        chosen = np.sort(random.permutation(len(encoded))[:most])
        sample, labels = encoded.iloc[chosen], truth[chosen]
        orders = [random.permutation(len(chosen)) for _ in range(repeats)]
        baseline = _macro_f1(classifier, classifier.predict(sample), labels)
        return cls(classifier, sample, labels, orders, reads_text, baseline)

    def drops(self, columns: list[str]) -> list[float]:
        """Return how far macro F1 falls in each repeat."""
        shuffled = pd.concat([_shuffled(self.sample, columns, order) for order in self.orders], ignore_index=True)
        # all repeats in one call: for a few hundred rows, the call itself takes longest
        answers = self.classifier.predict(shuffled).reshape(len(self.orders), -1)
        return [self.baseline - _macro_f1(self.classifier, answer, self.labels) for answer in answers]


def _shuffled(sample: pd.DataFrame, columns: list[str], order: NDArray[np.int64]) -> pd.DataFrame:
    changed = sample.copy()
    changed[columns] = sample[columns].to_numpy()[order]
    return changed


def _macro_f1(classifier: TunedClassifier, predicted: NDArray[Any], truth: NDArray[np.int64]) -> float:
    confusion = confusion_matrix(truth, predicted.astype(np.int64), len(classifier.classes_))
    return float(ClassCounts.of(confusion).mean_f1("f1_macro"))
