"""The generators of samples by source, and checks of their settings."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from importlib import import_module
from typing import Protocol

from batch_nlp.config import SampleConfig
from batch_nlp.errors import SettingsError, did_you_mean

# Bytes of a file, and how many messages they hold
Part = tuple[bytes, int]

_TOLERANCE = 1e-6

# Source -> module in this package and name of the generator
SOURCES = {
    "airline_tweets": ("one_table_sources", "AIRLINE_TWEETS"),
    "complaints": ("one_table_sources", "COMPLAINTS"),
    "products": ("one_table_sources", "PRODUCTS"),
    "support_tweets": ("one_table_sources", "SUPPORT_TWEETS"),
    "yelp": ("yelp", "YELP"),
}


class Source(Protocol):
    """Generates files in the format of one source."""

    @property
    def batch_file(self) -> str:
        """File name of a batch, to be formatted with its number."""

    def check(self, settings: SampleConfig) -> None:
        """Raise a `SettingsError` about the first invalid setting."""

    def history(self, settings: SampleConfig) -> Iterator[tuple[str, Iterator[Part]]]:
        """Yield the name and parts of each history file, message files last."""

    def batch(self, settings: SampleConfig, number: int, labelled: bool) -> Iterator[bytes]:
        """Yield the parts of a batch's file; `labelled` includes columns that are known only later."""


def source_of(name: str | None) -> Source:
    """Return the generator named by ``dataset.sample``; raise a `SettingsError` if there is no such generator."""
    if name is None:
        raise SettingsError(
            "dataset.sample: this dataset has no sample generator. Put your files into dataset.raw_dir, or set "
            f"dataset.sample to a generator of the same format: {', '.join(SOURCES)}."
        )
    if name not in SOURCES:
        raise SettingsError(f"dataset.sample={name}: no such generator. {did_you_mean(name, SOURCES)}")
    module, attribute = SOURCES[name]
    source: Source = getattr(import_module(f"batch_nlp.sample.{module}"), attribute)
    return source


def check_sample(settings: SampleConfig, source: str | None = "yelp") -> None:
    """Raise a `SettingsError` if a source's generator cannot satisfy the settings."""
    source_of(source).check(settings)


def check(settings: SampleConfig, classes: Sequence[str] = ("negative", "neutral", "positive")) -> None:
    """Raise a `SettingsError` about the first invalid setting.

    Numbers of messages must be positive, shares within [0, 1], the seed not negative, the length factor positive, and
    the class mix must contain one share per class that sum to 1.
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
