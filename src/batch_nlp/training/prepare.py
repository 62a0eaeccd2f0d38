"""Classes of the labelled messages, and their split into training messages and hold-out."""

from __future__ import annotations

import pandas as pd
from loguru import logger

from batch_nlp.config import Config, Split
from batch_nlp.dataset.abstain import check_abstention
from batch_nlp.dataset.classes import FoundClasses, check_classes, find_classes
from batch_nlp.dataset.labels import out_of_scope_targets
from batch_nlp.dataset.split import Parts, split_messages, split_of


def prepare(config: Config, messages: pd.DataFrame) -> tuple[FoundClasses, Parts]:
    """Return the classes of labelled messages, and the two sides of the split.

    The messages are rows of the feature store, oldest first.

    Raises
    ------
    DataError
        If a class has too few messages or is missing on one side; the message names the setting to change.
    """
    training = config.training
    found = find_classes(messages["target"], config.dataset.label, training.min_class_messages, messages["message_id"])
    if together := [target for target in found.rare if found.map.index(target) >= 0]:
        count = sum(found.rare[target] for target in together)
        logger.info("Training: {:,} messages with {:,} rare or unknown labels become other", count, len(together))
    outside = messages["target"].isin(out_of_scope_targets(config.dataset.label))
    if left_out := int(((found.labels < 0) & ~outside).sum()):
        too_few = f": even together fewer than {training.min_class_messages}, too few for a class other"
        logger.warning(
            "Training: {:,} messages with {:,} rare or unknown labels are left out (dataset.label.rare){}",
            left_out,
            messages["target"][(found.labels < 0) & ~outside].nunique(),
            too_few if config.dataset.label.rare and config.dataset.label.rare["as"] == "other" else "",
        )
    labels, classes = found.labels, found.map.classes
    # a class of their own in the split, and in nothing else
    split = labels if training.decision.abstain is None else labels.mask(outside, len(classes))
    parts = split_messages(messages, split, split_of(config), training, config.seed).apart(outside)
    check_abstention(training.decision, config.dataset.label, classes, len(parts.outside_train))
    hint = "" if parts.by is Split.random else "Set training.split=random. "
    folds = max(training.decision.folds, training.ngrams.folds)
    for index, least, part in ((parts.train, folds, "messages to train on"), (parts.hold_out, 1, "held-out messages")):
        check_classes(labels[index], classes, least, part, labels, training.min_class_messages, hint)
    used = len(parts.train) + len(parts.hold_out)
    logger.info(
        "Training: {:,} messages, {:,} held out ({} split), {:,} of all ({:.1%}) repeat a text{}",
        len(parts.train),
        len(parts.hold_out),
        parts.by.value,
        parts.repeats,
        parts.repeats / (used + parts.copies),
        f", {parts.copies:,} left out since their text is on the other side" if parts.copies else "",
    )
    if outside.any():
        logger.info(
            "Training: {:,} out-of-scope messages: {:,} to choose when to abstain, {:,} held out, others not used",
            outside.sum(),
            len(parts.outside_train),
            len(parts.outside_hold_out),
        )
    return found, parts


def label_sources(messages: pd.DataFrame, index: pd.Index[int]) -> dict[str, int]:
    """Count the labels of some messages by source."""
    counts = messages.loc[index, "label_source"].fillna("given").value_counts()
    return {str(source): int(number) for source, number in counts.items()}
