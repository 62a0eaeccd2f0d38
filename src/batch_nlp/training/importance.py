"""Groups of a classifier's columns, and their permutation importance."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.utils import get_tags

from batch_nlp.fields import Fields
from batch_nlp.training.candidate import Candidate
from batch_nlp.training.validation import Validation

NGRAMS, SENTENCES, TABULAR = "ngrams", "sentences", "tabular"
_PREFIXES = {"ngram_score_": NGRAMS, "sentence_": SENTENCES}
# Rows and repeats; fewer for a classifier that reads texts, which takes seconds per repeat
_ROWS, _REPEATS = 2000, 4
_ROWS_OF_TEXT, _REPEATS_OF_TEXT = 200, 2


def column_groups(columns: Iterable[str], fields: Fields, *, coarse: bool = False) -> dict[str, list[str]]:
    """Return the columns of each group, in the order of the columns.

    Under a field's name are a number with its indicator of missing values, all columns of a category, or all
    dimensions of a vector. Beside them are ``ngrams`` and ``sentences``, the scores of n-grams and of sentences. With
    `coarse`, all numbers and categories form one group, ``tabular``.
    """
    tabular = {*fields.numbers, *fields.categories} if coarse else set()
    groups: dict[str, list[str]] = {}
    for column in map(str, columns):
        group = column.partition("=")[0]
        if group not in fields.names:
            group = next((name for prefix, name in _PREFIXES.items() if group.startswith(prefix)), group)
        groups.setdefault(TABULAR if group in tabular else group, []).append(column)
    return groups


def permutation_importance(candidate: Candidate, seed: int) -> dict[str, Any]:
    """Return how far macro F1 falls when the values of a group are shuffled among held-out messages (Breiman, 2001).

    What two groups have in common counts for neither, since the classifier can read it from the other.

    Returns
    -------
    dict
        The number of ``rows`` and ``repeats``, the macro F1 of these rows as ``baseline``, and ``groups``, the largest
        drop first: ``name``, number of ``columns``, mean ``drop``, and ``least`` and ``greatest`` drop of the repeats.
    """
    shuffling, groups = Shuffling(candidate, seed), list[dict[str, Any]]()
    by_name = column_groups(candidate.encoded.columns, candidate.fields, coarse=shuffling.reads_text)
    for name, columns in by_name.items():
        drops = shuffling.drops(columns)
        found = {"drop": float(np.mean(drops)), "least": min(drops), "greatest": max(drops)}
        groups.append({"name": name, "columns": len(columns), **found})
    groups.sort(key=lambda group: -group["drop"])
    return {
        "rows": len(shuffling.labels),
        "repeats": len(shuffling.orders),
        "baseline": shuffling.baseline,
        "groups": groups,
    }


class Shuffling:
    """A sample of a candidate's held-out messages, and the orders in which columns are shuffled among them."""

    def __init__(self, candidate: Candidate, seed: int) -> None:
        self._classifier, self._classes = candidate.classifier, candidate.outcomes
        self.reads_text = bool(get_tags(self._classifier.estimator_).input_tags.string)
        most, repeats = (_ROWS_OF_TEXT, _REPEATS_OF_TEXT) if self.reads_text else (_ROWS, _REPEATS)
        random = np.random.default_rng(seed)
        chosen = np.sort(random.permutation(len(candidate.encoded))[:most])
        self._sample, self.labels = candidate.encoded.iloc[chosen], candidate.truth[chosen]
        self.orders = [random.permutation(len(chosen)) for _ in range(repeats)]
        self.baseline = self._macro_f1(self._classifier.predict(self._sample))

    def drops(self, columns: list[str]) -> list[float]:
        """Return how far macro F1 falls in each repeat if the columns are shuffled together."""
        values, repeats = self._sample[columns].to_numpy(), len(self.orders)
        # all repeats in one call: for a few hundred rows, the call itself takes longest
        shuffled = pd.concat([self._sample] * repeats, ignore_index=True)
        shuffled[columns] = np.concatenate([values[order] for order in self.orders])
        answers = self._classifier.predict(shuffled).reshape(repeats, -1)
        return [self.baseline - self._macro_f1(answer) for answer in answers]

    def _macro_f1(self, predicted: NDArray[Any]) -> float:
        return Validation.of(self.labels, predicted.astype(np.int64), self._classes).metric("f1_macro")
