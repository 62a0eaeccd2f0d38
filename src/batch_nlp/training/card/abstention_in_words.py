"""Sentences of a card about abstention."""

from __future__ import annotations

from typing import Any


def threshold_in_words(facts: dict[str, Any]) -> list[str]:
    """Return when the model abstains, in sentences; empty if it does not."""
    found = facts["abstention"]
    if not found:
        return []
    chosen = "with the help of out-of-scope messages" if found["learned"] else "for the share of messages to answer"
    low = f"If the most probable class has a probability below {found['threshold']:.3f}"
    learned = f"The threshold was chosen {chosen}, on training messages that the classifier had not seen"
    return [f"{low}, {facts['abstained']} is predicted. {learned}."]


def abstention_in_words(facts: dict[str, Any]) -> str:
    """Return how well the model abstains, in sentences; empty if it does not."""
    found = facts["abstention"]
    if not found:
        return ""
    said = (
        f"The model abstains ({facts['abstained']}) from {1 - found['coverage']:.1%} of the held-out messages with a "
        f"class. It classifies {found['accuracy']:.1%} of all of them correctly"
    )
    if found["accuracy_of_answered"] is not None:
        said += f", {found['accuracy_of_answered']:.1%} of those that it answers"
    if not found["out_of_scope"]:
        return f"{said}. Without out-of-scope messages in the hold-out, it is unknown how many of these it recognises."
    return (
        f"{said}. It recognises {found['out_of_scope_recall']:.1%} of {found['out_of_scope']:,} held-out out-of-scope "
        f"messages (area under the curve, by confidence: {found['auc']:.3f})."
    )
