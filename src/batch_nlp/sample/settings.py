"""Checks of the settings that the types cannot express."""

from __future__ import annotations

import math
from collections.abc import Sequence

from batch_nlp.config import SampleConfig
from batch_nlp.errors import SettingsError

_TOLERANCE = 1e-6


def check(settings: SampleConfig, classes: Sequence[str] = ("negative", "neutral", "positive")) -> None:
    """Raise an error that names the first setting that cannot be satisfied.

    Parameters
    ----------
    settings : SampleConfig
        What is to be written.
    classes : sequence of str
        Classes that the class mix gives shares of.

    Raises
    ------
    SettingsError
        If a number of messages is not positive, a share lies outside [0, 1], the seed is negative, the length factor
        is not positive, or the class mix is not a share for each class, which sum to 1.
    """
    for name in ("messages", "batch_messages"):
        _demand(getattr(settings, name) >= 1, settings, name, "must be 1 or more")
    _demand(settings.seed >= 0, settings, "seed", "must be 0 or more")
    for name in ("vocabulary", "duplicate_share", "broken_share"):
        _demand(0 <= getattr(settings, name) <= 1, settings, name, "must be a share between 0 and 1")
    _demand(0 < settings.length < math.inf, settings, "length", "must be a factor greater than 0")
    mix = settings.class_mix
    if mix is not None:
        sums_up = len(mix) == len(classes) and all(share >= 0 for share in mix) and abs(sum(mix) - 1) <= _TOLERANCE
        _demand(sums_up, settings, "class_mix", f"must be {len(classes)} shares ({', '.join(classes)}) that sum to 1")


def _demand(satisfied: bool, settings: SampleConfig, name: str, rule: str) -> None:
    if not satisfied:
        raise SettingsError(f"sample.{name} {rule}, but is {getattr(settings, name)!r}.")
