"""Misclassified messages and doubtful labels, one by one; their texts stay in the data folder."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from batch_nlp.metrics.confusion import confusion_matrix
from batch_nlp.reports.pages import render
from batch_nlp.storage.atomic import replacing_folder, write_text
from batch_nlp.storage.layers import Layers
from batch_nlp.storage.parquet import write_parquet
from batch_nlp.storage.reference import of_predicted
from batch_nlp.training.candidate import Candidate
from batch_nlp.training.class_words import ClassWords, ngram_scores
from batch_nlp.words import count_words

# A prediction above this probability counts as confident
CONFIDENT = 0.9
MISTAKES = 50
# Rows on a page; the parquet file has all of them
_ON_PAGE = 100
_CHARACTERS, _WORDS = 500, 5


def find_label_errors(probabilities: NDArray[np.float64], given: NDArray[np.int64]) -> tuple[pd.DataFrame, float]:
    """Find messages with a doubtful class by confident learning (Northcutt, Jiang and Chuang, 2021).

    The confident class of a message is the most probable of those whose probability reaches their mean over the
    messages with that given class. The counts by given and confident class, scaled to the number of messages per given
    class, estimate the joint distribution of given and true class.

    Parameters
    ----------
    probabilities : ndarray of float64, shape (n, k)
        Of messages that the model was not trained on.
    given : ndarray of int, shape (n,)
        Given classes.

    Returns
    -------
    suspects : DataFrame
        By position of the message, greatest margin first: the ``suggested``, confident class, and the ``margin`` of its
        probability over that of the given class.
    share : float
        Estimated share of messages with a wrong given class.
    """
    n, k = probabilities.shape
    own = [probabilities[given == index, index] for index in range(k)]
    thresholds = np.array([values.mean() if len(values) else np.inf for values in own])
    reached = np.where(probabilities >= thresholds, probabilities, -1.0)
    confident, best = reached.max(axis=1) >= 0, reached.argmax(axis=1)
    joint = confusion_matrix(given[confident], best[confident], k)
    of_class = joint.sum(axis=1, keepdims=True)
    # a class without confident messages counts as right
    shares = np.where(of_class > 0, joint / np.maximum(of_class, 1), np.eye(k))
    right = (np.diag(shares) * np.bincount(given, minlength=k)).sum() / n
    suspects = np.flatnonzero(confident & (best != given))
    suggested = best[suspects]
    margins = probabilities[suspects, suggested] - probabilities[suspects, given[suspects]]
    found = pd.DataFrame({"suggested": suggested, "margin": margins}, index=suspects)
    return found.sort_values("margin", ascending=False, kind="stable"), float(1 - right)


class ErrorAnalysis:
    """The mistakes of a candidate on its hold-out, and the doubtful labels there."""

    def __init__(self, candidate: Candidate) -> None:
        self._candidate = candidate

    @cached_property
    def confidence(self) -> NDArray[np.float64]:
        """Probability of the predicted class of each held-out message, shape (n_hold_out,)."""
        return of_predicted(self._candidate.probabilities, self._candidate.predicted)

    @cached_property
    def label_errors(self) -> tuple[pd.DataFrame, float]:
        """The result of confident learning on the hold-out."""
        return find_label_errors(self._candidate.probabilities, self._candidate.truth)

    @property
    def _wrong(self) -> NDArray[np.bool_]:
        """Which held-out messages get a wrong class, shape (n_hold_out,)."""
        candidate = self._candidate
        return np.asarray((candidate.predicted != candidate.truth) & (candidate.predicted < len(candidate.classes)))

    def facts(self) -> dict[str, Any]:
        """Return the counts for the card, without messages."""
        wrong, sure = self._wrong, self.confidence > CONFIDENT
        suspected, share = self.label_errors
        return {
            "mistakes": int(wrong.sum()),
            "confident": CONFIDENT,
            "confident_predictions": int(sure.sum()),
            "confident_mistakes": int((wrong & sure).sum()),
            "doubtful_mistakes": int(wrong[suspected.index].sum()),
            "suspected_labels": len(suspected),
            "label_error_share": share,
        }

    def mistakes(self) -> pd.DataFrame:
        """Return up to `MISTAKES` mistakes, the most confident first, with the ``confidence`` and the two classes.

        The ``words`` speak most for the ``predicted`` class against the ``true`` one.
        """
        candidate = self._candidate
        wrong = np.flatnonzero(self._wrong)
        worst = wrong[np.argsort(-self.confidence[wrong], kind="stable")][:MISTAKES]
        true, predicted = candidate.truth[worst], candidate.predicted[worst]
        return self._table(worst, {"true": true, "predicted": predicted}, {"confidence": self.confidence[worst]})

    def suspected_labels(self) -> pd.DataFrame:
        """Return the messages with a doubtful class, the most doubtful first.

        The ``margin`` is between the probabilities of the ``suggested`` and the ``given`` class.
        """
        found, _ = self.label_errors
        suspects = found.index.to_numpy()
        classes = {"given": self._candidate.truth[suspects], "suggested": found["suggested"].to_numpy()}
        return self._table(suspects, classes, {"margin": found["margin"].to_numpy()})

    def _table(
        self, chosen: NDArray[np.int64], classes: dict[str, NDArray[np.int64]], figures: dict[str, NDArray[np.float64]]
    ) -> pd.DataFrame:
        """Return messages with two classes, and the words that speak for the second against the first."""
        names = np.array(self._candidate.classes, dtype=object)
        rows = self._candidate.rows.iloc[chosen]
        right, other = classes.values()
        scores = ngram_scores(self._candidate.pipeline)
        texts = rows["text"].to_list()
        categories = rows[self._candidate.fields.categories].to_numpy()
        words = ClassWords(scores).between(texts, other, right, _WORDS) if scores and texts else [[] for _ in texts]
        return pd.DataFrame(
            {
                "message_id": rows["message_id"].to_list(),
                **{name: names[indices] for name, indices in classes.items()},
                **figures,
                "words": [" · ".join(found) for found in words],
                "word_count": [count_words(text) for text in texts],
                "categories": [" · ".join(value for value in row if isinstance(value, str)) for row in categories],
                "text": [text if len(text) <= _CHARACTERS else text[:_CHARACTERS] + "…" for text in texts],
            }
        )


def write_error_report(analysis: ErrorAnalysis, layers: Layers, run: str) -> Path:
    """Write mistakes and doubtful labels as parquet and HTML, all or nothing, and return their folder.

    The folder is that of the run in ``08_reporting/training``, not that of the model: the report contains messages.
    """
    folder = layers.reporting / "training" / run
    counts = analysis.facts()
    titles = {"mistakes": "Most confident mistakes", "label_errors": "Doubtful classes"}
    headlines = {
        "mistakes": f"{counts['mistakes']:,} held-out messages are misclassified, {counts['confident_mistakes']:,} of "
        f"them with a confidence above {CONFIDENT}.",
        "label_errors": f"The given class of {counts['suspected_labels']:,} held-out messages is doubtful; about "
        f"{counts['label_error_share']:.1%} of all given classes are wrong.",
    }
    facts = {
        "home": "../../index.html",
        "run": run,
        "characters": _CHARACTERS,
        "predictions": f"07_model_output/{layers.dataset}/{run}.parquet",
        "features": f"04_feature/{layers.dataset}",
    }
    with replacing_folder(folder) as temporary:
        for name, table in (("mistakes", analysis.mistakes()), ("label_errors", analysis.suspected_labels())):
            write_parquet(temporary / f"{name}.parquet", pa.Table.from_pandas(table, preserve_index=False))
            page = {"title": titles[name], "headline": headlines[name], "file": f"{name}.parquet"}
            rows = table.head(_ON_PAGE).to_dict("records")
            write_text(temporary / f"{name}.html", render(f"{name}.html", **facts, **page, rows=rows))
    return folder
