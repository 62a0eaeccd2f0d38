"""The choice between a model and its alternative, by the training messages."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from loguru import logger

from batch_nlp.config import Balance, Config
from batch_nlp.training.tuned_classifier import MANY_CLASSES
from batch_nlp.words import count_words

# Fewer messages, or texts with a smaller median of words, are for the alternative
FEW_MESSAGES, SHORT = 2_000, 40
# Texts of which the words are counted
_TEXTS = 10_000


def has_choice(config: Config) -> bool:
    """Return whether the model has an alternative, and no other setting belongs to the model, such as SMOTE."""
    training = config.training
    settled = training.inputs is not None or training.balance is Balance.smote or training.reducer.enabled
    return config.model.alternative is not None and not settled


def choose_model(config: Config, texts: Sequence[str], classes: int) -> tuple[Config, str]:
    """Choose between ``model`` and ``model.alternative``, and return settings without an alternative.

    The alternative is for many classes, short texts and few messages, where it was better on every dataset of real
    messages in docs/models.md. If other settings belong to the model, such as SMOTE, there is no choice.

    Parameters
    ----------
    config : Config
    texts : sequence of str
        Training messages.
    classes : int

    Returns
    -------
    config : Config
        The same settings if there is no alternative.
    reason : str
        A sentence; empty if there is no alternative.
    """
    alternative = config.model.alternative
    if alternative is None:
        return config, ""
    words = int(np.median([count_words(text) for text in texts[:: max(len(texts) // _TEXTS, 1)]]))
    model = replace(config.model, alternative=None)
    facts = f"{classes} classes and {len(texts):,} training messages with a median of {words} words"
    suits = classes > MANY_CLASSES or len(texts) < FEW_MESSAGES or words < SHORT
    if not has_choice(config):
        suits, facts = False, "the settings in training.inputs, training.balance or training.reducer"
    chosen = alternative if suits else model
    reason = f"Of {model.name} and {alternative.name}, {chosen.name} was chosen for {facts}."
    logger.info("Training: {}", reason)
    return replace(config, model=chosen), reason
