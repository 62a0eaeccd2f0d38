"""The decision on one message, and the reasons for it."""

from __future__ import annotations

import hashlib
import re
from dataclasses import asdict, dataclass
from typing import Any, cast

import numpy as np
import pandas as pd
from sklearn.pipeline import Pipeline

from batch_nlp.fields import TEXT, Fields
from batch_nlp.training.abstention import AbstainingClassifier
from batch_nlp.training.class_words import ngram_scores
from batch_nlp.training.explanation.contributions import Contributions, contributions
from batch_nlp.training.explanation.word_effects import WordEffect, left_out_words, term_effects, word_effects
from batch_nlp.training.importance import column_groups
from batch_nlp.training.tuned_classifier import TunedClassifier
from batch_nlp.words import join_characters

TERMS = "the effect of each n-gram on the log-odds of the logistic regression on n-grams, one of the n-gram scores"
LEFT_OUT = "how far the score of the class falls if all occurrences of the word are left out"


@dataclass(frozen=True)
class PartEffect:
    """A group of columns."""

    name: str
    # Value of the message; empty for groups without a single value
    value: str
    # Contribution to the margin of the predicted class
    effect: float


@dataclass(frozen=True)
class Explanation:
    """The decision on one message, and the reasons for it."""

    message_id: str
    text: str
    # Version of the model
    model: str
    # Names of the classes, shape (k,)
    classes: list[str]
    # Calibrated, shape (k,)
    probabilities: list[float]
    # Decision weights: the class with the greatest product of probability and weight is predicted, shape (k,)
    weights: list[float]
    # Scores before calibration, shape (k,); for trees and linear models of several classes, logarithmic probabilities
    # up to a common constant
    margins: list[float]
    # Index of the class with the greatest product, which base value and effects are about; it is predicted, unless the
    # model abstains
    decided: int
    # Name of the true class; None without a label
    truth: str | None
    # Method behind the effects of the parts
    method: str
    # Margin of the class = base value + effects of the parts + rest; the rest is 0 up to rounding for exact methods
    base: float
    rest: float
    # By absolute effect, greatest first
    parts: list[PartEffect]
    # N-grams or words with their effects, greatest first; empty if the model reads no words
    terms: dict[str, float]
    # Meaning of these effects
    terms_mean: str
    # Number of words beyond the limit, which were not tried
    terms_passed_over: int
    # Words of the text with their effects
    words: list[WordEffect]
    # What is predicted instead of the class if the model abstains, and the probability that it lacks
    abstained: str | None = None
    threshold: float = 0.0

    @property
    def label(self) -> str:
        """Name of the predicted class, or of none of them."""
        return self.classes[self.decided] if self.abstained is None else self.abstained

    @property
    def about(self) -> str:
        """Name of the class that the effects speak for or against: the predicted one, unless the model abstains."""
        return self.classes[self.decided]

    @property
    def margin(self) -> float:
        """Margin of the predicted class."""
        return self.margins[self.decided]

    @property
    def most_probable(self) -> int:
        """Index of the most probable class."""
        return int(np.argmax(self.probabilities))

    @property
    def decision(self) -> str:
        """The decision in words, with the weights if they changed it."""
        first, chosen = self.most_probable, self.decided
        if self.abstained is not None:
            return (
                f"Predicted: {self.label}, because even {self.classes[first]}, the most probable class, is less "
                f"probable ({self.probabilities[first]:.1%}) than the threshold ({self.threshold:.1%})."
            )
        if first == chosen:
            return f"Predicted: {self.label}, the most probable class ({self.probabilities[chosen]:.1%})."
        products = [self.probabilities[index] * self.weights[index] for index in (first, chosen)]
        return (
            f"Predicted: {self.label} ({self.probabilities[chosen]:.1%}), although {self.classes[first]} is more "
            f"probable ({self.probabilities[first]:.1%}), because of the decision weights: "
            f"{self.probabilities[chosen]:.3f} x {self.weights[chosen]:.2f} = {products[1]:.3f} is more than "
            f"{self.probabilities[first]:.3f} x {self.weights[first]:.2f} = {products[0]:.3f}."
        )

    @property
    def verdict(self) -> str:
        """Whether the decision is right, in words."""
        if self.truth is None:
            return "The true class is unknown."
        return f"The true class is {self.truth}: the decision is {'right' if self.truth == self.label else 'wrong'}."

    def strongest_terms(self, number: int) -> tuple[list[tuple[str, float]], list[tuple[str, float]]]:
        """Return the terms with the greatest effects for the class, and those with the greatest effects against it."""
        items = list(self.terms.items())
        towards = [item for item in items if item[1] > 0][:number]
        away = [item for item in reversed(items) if item[1] < 0][:number]
        return towards, away

    def to_dict(self) -> dict[str, Any]:
        """Return the explanation as JSON values."""
        return {
            **asdict(self),
            "decided": self.label,
            "most_probable": self.classes[self.most_probable],
            "decision": self.decision,
            "margin": self.margin,
            "margins": dict(zip(self.classes, self.margins, strict=True)),
            "probabilities": dict(zip(self.classes, self.probabilities, strict=True)),
            "weights": dict(zip(self.classes, self.weights, strict=True)),
        }


def explain_message(
    pipeline: Pipeline,
    fields: Fields,
    message: pd.DataFrame,
    classes: list[str],
    truth: str | None = None,
    model: str = "",
    abstained: str | None = None,
) -> Explanation:
    """Explain the decision of a fitted pipeline on one message, a row of the feature store.

    `truth` is the name of its true class, if known, `model` the version of the model, and `abstained` what it
    predicts for messages of no class.
    """
    row, text = message[fields.names], str(message[TEXT].iloc[0])
    classifier = cast("TunedClassifier", pipeline.steps[-1][1])
    encoded = cast("pd.DataFrame", pipeline[:-1].transform(row))
    probabilities = classifier.predict_proba(encoded)
    decided = int(TunedClassifier.decide(classifier, probabilities)[0])
    unsure = isinstance(classifier, AbstainingClassifier) and classifier.decide(probabilities)[0] == len(classes)
    found = contributions(classifier.estimator_, encoded, column_groups(encoded.columns, fields))
    ngrams, terms, meaning, passed_over, words = ngram_scores(pipeline), dict[str, float](), "", 0, list[WordEffect]()
    if TEXT in encoded.columns:  # a classifier that reads the text itself
        terms, passed_over = left_out_words(pipeline, row, decided)
        meaning, words = LEFT_OUT, word_effects(text, terms)
    elif ngrams is not None:
        terms = term_effects(ngrams, text, int(classifier.classes_[decided]))
        meaning, words = TERMS, word_effects(text, terms, ngrams.max_n, ngrams.sentences)
    return Explanation(
        message_id=str(message["message_id"].iloc[0]),
        text=text,
        model=model,
        classes=classes,
        probabilities=probabilities[0].tolist(),
        weights=classifier.decision_weights_.tolist(),
        margins=found.margins.tolist(),
        decided=decided,
        truth=truth,
        method=found.method,
        base=float(found.base[decided]),
        rest=float(found.rest[decided]),
        parts=_parts(found, fields, row, decided),
        terms={join_characters(term): effect for term, effect in terms.items()},
        terms_mean=meaning,
        terms_passed_over=passed_over,
        words=words,
        abstained=abstained if unsure else None,
        threshold=getattr(classifier, "threshold_", 0.0),
    )


def _parts(found: Contributions, fields: Fields, row: pd.DataFrame, label: int) -> list[PartEffect]:
    def value(name: str) -> str:
        if name not in (*fields.numbers, *fields.categories):
            return ""
        content = row[name].iloc[0]
        if pd.isna(content):
            return "missing"
        return f"{content:.6g}" if name in fields.numbers else str(content)

    parts = [PartEffect(name, value(name), float(found.values[label, i])) for i, name in enumerate(found.groups)]
    return sorted(parts, key=lambda part: -abs(part.effect))


def explanation_name(message_id: str) -> str:
    """Return a file name without extension for the id of a message.

    An id of letters, digits, ``-`` and ``_`` is its own name. The name of any other keeps the safe characters and adds
    a hash.

    Examples
    --------
    >>> explanation_name("fs-4_x")
    'fs-4_x'
    >>> explanation_name("../a b")
    '_a_b~2c2c791a0618990c'
    """
    if re.fullmatch(r"[A-Za-z0-9_-]{1,100}", message_id):
        return message_id
    digest = hashlib.sha256(message_id.encode(errors="surrogatepass")).hexdigest()[:16]
    return re.sub(r"[^A-Za-z0-9_-]+", "_", message_id)[:60] + "~" + digest
