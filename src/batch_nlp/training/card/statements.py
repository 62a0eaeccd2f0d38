"""What the figures of a card mean, in sentences."""

from __future__ import annotations

from typing import Any

import numpy as np

from batch_nlp.reports.pages import interval
from batch_nlp.training.card.abstention_in_words import abstention_in_words, threshold_in_words
from batch_nlp.training.decision_weights import SHARES

# Classes whose decision weight gets a sentence: those with the weights furthest from that of the largest class
_WEIGHTS = 6
_SPLITS = {
    "time": "The newest messages were held out.",
    "random": "A stratified random sample of the messages was held out.",
    "group": "Whole groups of messages were held out.",
}


def card_headline(facts: dict[str, Any]) -> list[str]:
    """Return what the model does, how good it is and for what, in three sentences."""
    data, quality = facts["data"], facts["quality"]
    classes = [name for name in facts["classes"] if name != facts["abstained"]]
    kind = "generated messages" if data["generated"] else "messages"
    few = len(classes) <= 5
    several = ", ".join(classes) if few else f"{len(classes)} classes, such as {classes[0]} and {classes[1]}"
    right, rows = quality["accuracy"]["value"], data["holdout"]["rows"]
    f1 = f"macro F1 (the mean over the classes) is {interval(quality['f1_macro'])}"
    return [
        f"Sorts {kind} of the dataset {data['dataset']} into {several}.",
        f"{right:.0%} of {rows:,} held-out messages are classified correctly; {f1}.",
        "For batches of such messages: shares of the classes, their changes, and which messages to read first.",
    ]


def statements(facts: dict[str, Any]) -> list[str]:
    """Return the findings that a user should know first, each in one or two sentences without markup."""
    data, calibration, errors = facts["data"], facts["calibration"], facts["errors"]
    gaps = np.array(data["predicted_shares"]) - np.array(data["holdout"]["shares"])
    furthest = int(np.abs(gaps).argmax())
    findings = [
        leak_in_words(facts),
        _weakest_class(facts),
        _ordinal(facts),
        _weakest_slice(facts),
        _mistakes(facts),
        (
            f"Stated probabilities are off by {100 * calibration['ece_after']:.1f} percentage points on average "
            f"(expected calibration error; {100 * calibration['ece_before']:.1f} before calibration). The log loss is "
            f"{calibration['log_loss']:.3f}."
        ),
        (
            f"The predicted share furthest from the true one is that of {facts['classes'][furthest]}: "
            f"{100 * abs(gaps[furthest]):.1f} percentage points {'higher' if gaps[furthest] > 0 else 'lower'}."
        ),
        abstention_in_words(facts),
        _importance(facts),
        (
            f"Confident learning doubts the given class of {errors['suspected_labels']:,} held-out messages and "
            f"estimates that {errors['label_error_share']:.1%} of the classes are wrong. The estimate tends to be too "
            "high: it cannot distinguish a wrong class from a message that the model misclassifies."
        ),
        facts["model_choice"],
        _split(facts),
        _sources(facts),
        _refit(facts),
    ]
    return [finding for finding in findings if finding]


def _ordinal(facts: dict[str, Any]) -> str | None:
    ordinal = facts["ordinal"]
    if not ordinal or ordinal["quadratic_kappa"] is None:
        return None
    return (
        f"The classes have an order: predictions are {ordinal['mean_absolute_error']:.3f} classes off on average, and "
        f"the quadratic weighted kappa is {ordinal['quadratic_kappa']:.3f} (0 for chance, 1 for perfect agreement)."
    )


def decision_in_words(facts: dict[str, Any]) -> list[str]:
    """Return how the probabilities determine the predicted class, in sentences."""
    weights, classes, threshold = np.array(facts["decision_weights"]), facts["classes"], threshold_in_words(facts)
    if np.allclose(weights, weights[0]):
        return ["The most probable class is predicted.", *threshold]
    largest = int(np.argmax(facts["data"]["train"]["shares"]))
    relative = weights / weights[largest]
    named = sorted(np.argsort(-np.abs(np.log(relative)), kind="stable")[:_WEIGHTS].tolist())
    metric = facts["training"]["decision"]["metric"]
    aim = "predict each class as often as it occurs" if metric == SHARES else f"maximise {metric}"
    sentences = [
        (
            "The class with the greatest product of probability and weight is predicted. The weights were tuned to "
            f"{aim}, on training messages that the classifier had not seen."
        ),
        *(
            f"{classes[index]} (weight {relative[index]:.2f}) is predicted instead of {classes[largest]} if it is at "
            f"least {1 / relative[index]:.2f} times as probable."
            for index in named
            if index != largest
        ),
    ]
    if len(weights) > _WEIGHTS:
        sentences.append(f"The weights of the other {len(weights) - _WEIGHTS} classes are closer to 1.")
    return sentences + threshold


def leak_in_words(facts: dict[str, Any]) -> str:
    """Return why a model that is hardly ever wrong suggests a leak; empty if nothing does."""
    leak = facts["leak"]
    if not leak:
        return ""
    found = (
        f"Macro F1 of {facts['quality']['f1_macro']['value']:.3f} on {facts['data']['holdout']['rows']:,} held-out "
        "messages suggests a leak."
    )
    columns = leak["columns"]
    if not columns:
        return (
            f"{found} No column other than the text explains it: check whether the texts contain the answer, such as "
            "a marker of the class or a reply to the message."
        )
    which = f"the column {columns[0]}" if len(columns) == 1 else f"the columns {', '.join(columns)}"
    return (
        f"{found} Shuffling {which} among messages lowers it by {leak['drop']:.3f}. Columns that are not known when a "
        "message arrives must not be learned from: remove their roles and list them in dataset.forbidden."
    )


def limits(facts: dict[str, Any]) -> list[str]:
    """Return what the model and its figures are not good for, in sentences."""
    data = facts["data"]
    first, last = data["holdout"]["from"], data["holdout"]["to"]
    period = f"written from {first} to {last}" if first else "like those held out"
    generated = "The messages are generated. The figures show that the system works, not how well on real ones."
    return [
        *([generated] if data["generated"] else []),
        (
            "Not meant for decisions about individuals, for messages of another kind or language, or instead of a "
            "person who reads important messages."
        ),
        (
            f"The figures hold for messages {period}, after training on {data['train']['rows']:,} messages. Later ones "
            "may differ; the drift rule watches only the shares of the classes."
        ),
        "The intervals cover another sample of held-out messages, not another training or another period.",
        (
            "The classes are those given with the messages. If a text and its class disagree, neither the model nor "
            "its figures can tell which is right."
        ),
        (
            "Irony and messages about two subjects are often misclassified. Languages and authors were not examined, "
            "so nothing is known about how the model treats groups of people."
        ),
    ]


def _weakest_class(facts: dict[str, Any]) -> str:
    classes, f1 = facts["classes"], facts["quality"]["f1"]
    worst = min(
        (index for index, found in enumerate(f1) if found["value"] is not None and any(facts["confusion"][index])),
        key=lambda at: f1[at]["value"],
    )
    counts = np.array(facts["confusion"][worst])
    total, hits = int(counts.sum()), int(counts[worst])
    counts[worst] = 0
    other = int(counts.argmax())
    taken = f" and takes {counts[other]:,} for {classes[other]}" if counts[other] else ""
    return (
        f"The weakest class is {classes[worst]}, with F1 {interval(f1[worst])}: the model finds {hits:,} of its "
        f"{total:,} messages{taken}."
    )


def _weakest_slice(facts: dict[str, Any]) -> str:
    large = [
        (by, found)
        for by, slices in facts["slices"].items()
        if len(slices) > 1
        for found in slices
        if not found["small"]
    ]
    if not large:
        return ""
    by, worst = min(large, key=lambda slice_: slice_[1]["f1_macro"]["value"])
    return (
        f"Among slices with enough messages, macro F1 is lowest for {by} “{worst['name']}”: "
        f"{interval(worst['f1_macro'])} on {worst['messages']:,} messages, against "
        f"{facts['quality']['f1_macro']['value']:.3f} on all."
    )


def _mistakes(facts: dict[str, Any]) -> str:
    errors, rows = facts["errors"], facts["data"]["holdout"]["rows"]
    wrong, sure, both = errors["mistakes"], errors["confident_predictions"], errors["confident_mistakes"]
    found = f"The model misclassifies {wrong:,} of {rows:,} held-out messages ({wrong / rows:.1%})."
    if doubtful := errors["doubtful_mistakes"]:
        found += (
            f" The given class is doubtful for {doubtful:,} of these mistakes ({doubtful / wrong:.1%}): a ceiling for "
            "any model, as long as the classes stay as they are."
        )
    if not sure:
        return f"{found} No prediction has a confidence above {errors['confident']}."
    return (
        f"{found} Of its {sure:,} predictions with a confidence above {errors['confident']}, {both:,} "
        f"({both / sure:.1%}) are wrong."
    )


def _importance(facts: dict[str, Any]) -> str:
    groups = [group for group in facts["importance"]["groups"] if group["least"] > 0]
    if not groups:
        return "No group of columns matters alone: macro F1 does not fall if any one of them is shuffled."
    named = ", ".join(f"{group['name']} (by {group['drop']:.3f})" for group in groups[:3])
    return f"Macro F1 falls most if these columns are shuffled among messages: {named}."


def _split(facts: dict[str, Any]) -> str:
    data, split = facts["data"], facts["split"]
    copies, repeated = split["left_out_copies"], split["repeated_texts"]
    total = data["train"]["rows"] + data["holdout"]["rows"] + copies
    left_out = f"; {copies:,} messages were left out for this" if copies else ""
    return (
        f"{_SPLITS[split['by']]} {repeated:,} of {total:,} labelled messages ({repeated / total:.1%}) repeat the text "
        f"of another. Equal texts are never on both sides of the split{left_out}."
    )


def _sources(facts: dict[str, Any]) -> str:
    sources = facts["label_sources"]
    if list(sources) == ["given"]:
        return ""
    return f"Training labels by source: {', '.join(f'{count:,} {source}' for source, count in sources.items())}."


def _refit(facts: dict[str, Any]) -> str:
    if not facts["refit"]["done"]:
        return ""
    return (
        f"After the gate, the model was fitted again on all {facts['refit']['rows']:,} labelled messages, with the "
        "same settings, calibration and decision. The figures are those of the first fit, without the hold-out."
    )
