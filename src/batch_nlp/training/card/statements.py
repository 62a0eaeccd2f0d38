"""What the figures of a card come to, in sentences: found here, and said by ``templates/statements.txt``."""

from __future__ import annotations

from typing import Any

import numpy as np

from batch_nlp.reports.pages import environment

# Classes whose weight is told, those with the weights furthest from that of the largest class
_TOLD = 12


def statements(facts: dict[str, Any]) -> list[str]:
    """Return what a user should know first of a card's facts, each finding in one or two sentences without markup."""
    gaps = np.array(facts["data"]["predicted_shares"]) - np.array(facts["data"]["holdout"]["shares"])
    furthest = int(np.abs(gaps).argmax())
    said = _sayings(
        facts,
        weakest=_weakest_class(facts),
        slice=_weakest_slice(facts),
        furthest={"index": furthest, "gap": float(gaps[furthest])},
    )
    return [sentence for say in said.findings if (sentence := str(say()))]


def decision_in_words(facts: dict[str, Any]) -> list[str]:
    """Return how a class is chosen from the probabilities, in sentences."""
    weights = np.array(facts["decision_weights"])
    if np.allclose(weights, weights[0]):
        return ["The most probable class is predicted."]
    largest = int(np.argmax(facts["data"]["train"]["shares"]))
    relative = weights / weights[largest]
    told = sorted(np.argsort(-np.abs(np.log(relative)), kind="stable")[:_TOLD].tolist())
    said = _sayings(facts, largest=largest)
    sentences = [said.rule(), *(said.weighed(index, relative[index]) for index in told if index != largest)]
    if len(weights) > _TOLD:
        sentences.append(said.others(len(weights) - _TOLD))
    return [str(sentence) for sentence in sentences]


def leak_in_words(facts: dict[str, Any]) -> str:
    """Return why a model that is hardly ever wrong looks like a leak; empty where none is suspected."""
    return str(_sayings(facts).leaks())


def _sayings(facts: dict[str, Any], **found: Any) -> Any:
    """Return the macros of the template, which know the facts and what was found."""
    return environment().get_template("statements.txt").make_module({**facts, **found})


def _weakest_class(facts: dict[str, Any]) -> dict[str, int]:
    worst = int(np.argmin([found["value"] for found in facts["quality"]["f1"]]))
    missed = np.array(facts["confusion"][worst])
    messages, hits = int(missed.sum()), int(missed[worst])
    missed[worst] = 0
    taken_for = int(missed.argmax())
    return {
        "index": worst,
        "messages": messages,
        "hits": hits,
        "taken": int(missed[taken_for]),
        "taken_for": taken_for,
    }


def _weakest_slice(facts: dict[str, Any]) -> dict[str, Any] | None:
    """Return the slice with the lowest macro F1 of those with enough messages, None where there is none."""
    large = [
        {"way": way, **found}
        for way, slices in facts["slices"].items()
        if len(slices) > 1
        for found in slices
        if not found["small"]
    ]
    return min(large, key=lambda found: found["f1_macro"]["value"], default=None)
