"""What the figures of a card come to, in sentences."""

from __future__ import annotations

from typing import Any

import numpy as np

# Classes whose weight is told, those with the weights furthest from that of the largest class
_TOLD = 12
_HELD_OUT = {
    "time": "The newest messages were held out.",
    "random": "A stratified random draw of the messages was held out.",
    "group": "Whole groups of messages were held out.",
}


def statements(facts: dict[str, Any]) -> list[str]:
    """Return the findings that a user should know first, each as one or two sentences without markup.

    Parameters
    ----------
    facts : dict
        What `card_facts` has found so far.
    """
    found = [_weakest_class(facts), _weakest_slice(facts), _confident_mistakes(facts), _calibration(facts)]
    found += [_shares(facts), _relies_on(facts), _label_errors(facts), _split(facts), _sources(facts), _refit(facts)]
    return [sentence for sentence in found if sentence]


def decision_in_words(facts: dict[str, Any]) -> list[str]:
    """Return how a class is chosen from the probabilities, in sentences."""
    names, weights = facts["classes"], np.array(facts["decision_weights"])
    if np.allclose(weights, weights[0]):
        return ["The most probable class is predicted."]
    largest = int(np.argmax(facts["data"]["train"]["shares"]))
    relative = weights / weights[largest]
    told = sorted(np.argsort(-np.abs(np.log(relative)), kind="stable")[:_TOLD].tolist())
    rule = (
        "The class whose probability times its weight is greatest is predicted; the weights were tuned for "
        f"{facts['training']['decision']['metric']} on training messages that the classifier had not seen."
    )
    return [
        rule,
        *(
            f"{names[index]} (weight {relative[index]:.2f}) is predicted rather than {names[largest]} as soon as it is "
            f"{1 / relative[index]:.2f} times as probable."
            for index in told
            if index != largest
        ),
        *([f"The weights of the other {len(names) - _TOLD} classes are nearer to 1."] if len(names) > _TOLD else []),
    ]


def _interval(found: dict[str, Any]) -> str:
    return f"{found['value']:.3f} ({found['low']:.3f} to {found['high']:.3f})"


def _weakest_class(facts: dict[str, Any]) -> str:
    names, confusion, f1 = facts["classes"], np.array(facts["confusion"]), facts["quality"]["f1"]
    worst = int(np.argmin([found["value"] for found in f1]))
    missed = confusion[worst].copy()
    total, hits = int(missed.sum()), int(missed[worst])
    missed[worst] = 0
    text = (
        f"The weakest class is {names[worst]}, with F1 {_interval(f1[worst])}: "
        f"{hits:,} of its {total:,} messages are found"
    )
    if not missed.any():
        return f"{text}."
    taken = int(missed.argmax())
    return f"{text}, and {int(missed[taken]):,} are taken for {names[taken]}."


def _weakest_slice(facts: dict[str, Any]) -> str:
    overall = facts["quality"]["f1_macro"]["value"]
    large = [
        (found["f1_macro"]["value"], way, found)
        for way, slices in facts["slices"].items()
        if len(slices) > 1
        for found in slices
        if not found["small"]
    ]
    if not large:
        return ""
    _, way, worst = min(large, key=lambda item: item[0])
    return (
        f"Of all slices with enough messages, macro F1 is lowest for {way} “{worst['name']}”: "
        f"{_interval(worst['f1_macro'])} on {worst['messages']:,} messages, against {overall:.3f} on all."
    )


def _confident_mistakes(facts: dict[str, Any]) -> str:
    errors, rows = facts["errors"], facts["data"]["holdout"]["rows"]
    text = f"{errors['mistakes']:,} of {rows:,} held-out messages ({errors['mistakes'] / rows:.1%}) are misread"
    sure = errors["confident_predictions"]
    if not sure:
        return f"{text}; no prediction is made with a confidence over {errors['confident']}."
    return (
        f"{text}, {errors['confident_mistakes']:,} of them with a confidence over {errors['confident']}; that is "
        f"{errors['confident_mistakes'] / sure:.1%} of the {sure:,} predictions that are so confident."
    )


def _calibration(facts: dict[str, Any]) -> str:
    found = facts["calibration"]
    return (
        f"A stated probability is off by {100 * found['ece_after']:.1f} percentage points on average (expected "
        f"calibration error; {100 * found['ece_before']:.1f} before calibration)."
    )


def _shares(facts: dict[str, Any]) -> str:
    gaps = np.array(facts["data"]["predicted_shares"]) - np.array(facts["data"]["holdout"]["shares"])
    worst = int(np.abs(gaps).argmax())
    direction = "more" if gaps[worst] > 0 else "less"
    return (
        f"The predicted share that is furthest from the true one is that of {facts['classes'][worst]}: "
        f"{abs(100 * gaps[worst]):.1f} percentage points {direction}."
    )


def _relies_on(facts: dict[str, Any]) -> str:
    groups = [group for group in facts["importance"]["groups"] if group["least"] > 0]
    if not groups:
        return "No group of columns alone matters: without any of them macro F1 stays the same."
    best = ", ".join(f"{group['name']} (by {group['drop']:.3f})" for group in groups[:3])
    return f"Macro F1 falls most when these columns are shuffled among messages: {best}."


def _split(facts: dict[str, Any]) -> str:
    split, data = facts["split"], facts["data"]
    total = data["train"]["rows"] + data["holdout"]["rows"] + split["left_out_copies"]
    text = (
        f"{_HELD_OUT[split['by']]} {split['repeated_texts']:,} of {total:,} labelled messages "
        f"({split['repeated_texts'] / total:.1%}) repeat the text of another; equal texts were never on both sides"
    )
    return f"{text}, for which {split['left_out_copies']:,} were left out." if split["left_out_copies"] else f"{text}."


def _sources(facts: dict[str, Any]) -> str:
    sources = facts["label_sources"]
    if set(sources) == {"given"}:
        return ""
    numbers = ", ".join(f"{number:,} {source}" for source, number in sources.items())
    return f"The labels that it learned from, by source: {numbers}."


def _refit(facts: dict[str, Any]) -> str:
    if not facts["refit"]["done"]:
        return ""
    return (
        f"After the gate the model was fitted again on all {facts['refit']['rows']:,} labelled messages, with its "
        "settings, calibration and decision. The figures are those of the model before, without the hold-out."
    )


def _label_errors(facts: dict[str, Any]) -> str:
    errors = facts["errors"]
    return (
        f"Confident learning doubts the given class of {errors['suspected_labels']:,} held-out messages and puts the "
        f"share of wrong ones at {errors['label_error_share']:.1%}. That is too high rather than too low: it cannot "
        "tell a wrong class from a message that the model misreads."
    )
