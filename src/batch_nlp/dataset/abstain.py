"""What the settings say about abstention: the name of messages without a class, and how many are answered."""

from __future__ import annotations

from batch_nlp.config import DecisionConfig, LabelConfig
from batch_nlp.errors import DataError, SettingsError

# Name of messages without a class, and share of the messages with a class that are answered, by default
NONE_OF_THESE, COVERAGE = "none_of_these", 0.97


def abstains_as(decision: DecisionConfig) -> str | None:
    """Return the name that an abstaining model predicts, None if the settings ask for no abstention."""
    return None if decision.abstain is None else decision.abstain.get("as", NONE_OF_THESE)


def coverage_of(decision: DecisionConfig, label: LabelConfig) -> float | None:
    """Return the share of messages to answer, None if the threshold is learned from out-of-scope messages."""
    chosen = (decision.abstain or {}).get("coverage")
    return COVERAGE if chosen is None and not label.out_of_scope else chosen


def check_abstention(
    decision: DecisionConfig, label: LabelConfig, classes: list[str], examples: int | None = None
) -> None:
    """Check the settings of abstention against the classes and the number of out-of-scope messages to train on.

    Raises
    ------
    SettingsError
        If the name of abstained messages is that of a class.
    DataError
        If the threshold should be learned from out-of-scope messages, but no training message is out of scope.
    """
    name = abstains_as(decision)
    if name in classes:
        raise SettingsError(
            f"training.decision.abstain.as={name}: this is a class of the dataset. Choose another name, such as "
            "'training.decision.abstain={as: no_class}'."
        )
    if name is not None and coverage_of(decision, label) is None and examples == 0:
        raise DataError(
            f"dataset.label.out_of_scope={list(label.out_of_scope)}: no message to train on has such a label, so there "
            "is nothing to learn from when to abstain. Correct the labels, or choose how many messages to answer: "
            f"'training.decision.abstain={{coverage: {COVERAGE}}}'."
        )
