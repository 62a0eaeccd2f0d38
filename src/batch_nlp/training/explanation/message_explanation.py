"""The decision on one message, and what led to it."""

from __future__ import annotations

import hashlib
import re
from dataclasses import asdict, dataclass
from typing import Any, cast

import numpy as np
import pandas as pd
from sklearn.pipeline import Pipeline

from batch_nlp.fields import TEXT, Fields
from batch_nlp.training.class_words import ngram_scores
from batch_nlp.training.explanation.contributions import Contributions, contributions
from batch_nlp.training.explanation.word_effects import (
    Word,
    left_out_words,
    spread_left_out,
    term_effects,
    word_effects,
)
from batch_nlp.training.importance import column_groups
from batch_nlp.training.tuned_classifier import TunedClassifier

TERMS = "what each n-gram adds to the log-odds of the logistic regression on n-grams, one of the n-gram scores"
LEFT_OUT = "how far the class's score falls when all occurrences of the word are left out"


@dataclass(frozen=True)
class Part:
    """A group of columns."""

    name: str
    # What the message has there; empty for what is no single value
    value: str
    # What the group adds to the margin of the class decided on
    effect: float


@dataclass(frozen=True)
class Explanation:
    """The decision on one message, and what led to it."""

    message_id: str
    text: str
    # Version of the model
    model: str
    # Names of the classes, shape (k,)
    classes: list[str]
    # Calibrated, shape (k,)
    probabilities: list[float]
    # The class whose probability times its weight is greatest is decided on, shape (k,)
    weights: list[float]
    # Scores of the classes before calibration, shape (k,): of trees and linear models of several classes their
    # logarithmic probabilities, up to a number that all classes share
    margins: list[float]
    # Index of the class decided on; base value and effects are about it
    decided: int
    # Name of the true class, if a label is known
    truth: str | None
    # How the effects of the parts were found
    method: str
    # Margin of the class = base value + effects of the parts + rest; the rest is 0 up to rounding where the method is
    # exact
    base: float
    rest: float
    # Greatest effect first, whatever its sign
    parts: list[Part]
    # N-grams or words with their effects, greatest first; empty for a model that reads no words
    terms: dict[str, float]
    # What these effects are
    terms_mean: str
    # Words that were not tried, since there are too many
    terms_passed_over: int
    # Where the effects lie in the text
    words: list[Word]

    @property
    def label(self) -> str:
        """Name of the class decided on."""
        return self.classes[self.decided]

    @property
    def margin(self) -> float:
        """Margin of the class decided on."""
        return self.margins[self.decided]

    @property
    def most_probable(self) -> int:
        """Index of the most probable class."""
        return int(np.argmax(self.probabilities))

    @property
    def decision(self) -> str:
        """The decision in words, with the weights where they changed it."""
        first, chosen = self.most_probable, self.decided
        if first == chosen:
            return f"Decided: {self.label}, the most probable class ({self.probabilities[chosen]:.1%})."
        products = [self.probabilities[index] * self.weights[index] for index in (first, chosen)]
        return (
            f"Most probable is {self.classes[first]} ({self.probabilities[first]:.1%}), decided is {self.label} "
            f"({self.probabilities[chosen]:.1%}), because the decision weighs probabilities: "
            f"{self.probabilities[chosen]:.3f} x {self.weights[chosen]:.2f} = {products[1]:.3f} is more than "
            f"{self.probabilities[first]:.3f} x {self.weights[first]:.2f} = {products[0]:.3f}."
        )

    @property
    def verdict(self) -> str:
        """What is known of the truth, in words."""
        if self.truth is None:
            return "The true class is not known."
        return f"The true class is {self.truth}: the decision is {'right' if self.truth == self.label else 'wrong'}."

    def strongest_terms(self, number: int) -> tuple[list[tuple[str, float]], list[tuple[str, float]]]:
        """Return the terms with the greatest effects for the class, and those with the greatest against it."""
        items = list(self.terms.items())
        towards = [item for item in items if item[1] > 0][:number]
        away = [item for item in reversed(items) if item[1] < 0][:number]
        return towards, away

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON values."""
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
) -> Explanation:
    """Explain what a model decides on one message.

    Parameters
    ----------
    pipeline : Pipeline
        A fitted training pipeline; its last step is a `TunedClassifier`.
    fields : Fields
        What it is given of a message.
    message : DataFrame, shape (1, ...)
        A row of the feature store.
    truth : str, optional
        Name of the true class.
    model : str
        Version of the model.
    """
    row, text = message[fields.names], str(message[TEXT].iloc[0])
    classifier = cast("TunedClassifier", pipeline.steps[-1][1])
    encoded = cast("pd.DataFrame", pipeline[:-1].transform(row))
    probabilities = classifier.predict_proba(encoded)
    decided = int(classifier.decide(probabilities)[0])
    found = contributions(classifier.estimator_, encoded, column_groups(encoded.columns, fields))
    ngrams, terms, meaning, passed_over, words = ngram_scores(pipeline), dict[str, float](), "", 0, list[Word]()
    if TEXT in encoded.columns:  # a classifier that reads the text itself
        terms, passed_over = left_out_words(pipeline, row, decided)
        meaning, words = LEFT_OUT, spread_left_out(text, terms)
    elif ngrams is not None:
        terms = term_effects(ngrams, text, int(classifier.classes_[decided]))
        meaning, words = TERMS, word_effects(ngrams, text, terms)
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
        terms=terms,
        terms_mean=meaning,
        terms_passed_over=passed_over,
        words=words,
    )


def _parts(found: Contributions, fields: Fields, row: pd.DataFrame, label: int) -> list[Part]:
    def value(name: str) -> str:
        if name not in (*fields.numbers, *fields.categories):
            return ""
        content = row[name].iloc[0]
        if pd.isna(content):
            return "missing"
        return f"{content:.6g}" if name in fields.numbers else str(content)

    parts = [Part(name, value(name), float(found.values[label, i])) for i, name in enumerate(found.groups)]
    return sorted(parts, key=lambda part: -abs(part.effect))


def explanation_name(message_id: str) -> str:
    """Return a file name without ending for a message, whatever its id holds.

    An id of letters, digits, ``-`` and ``_`` is its own name; of any other the name keeps what is safe, and a hash
    tells it apart.

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
