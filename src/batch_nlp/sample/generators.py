"""The generators of samples by source, and checks of their settings."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from importlib import import_module
from typing import Protocol

from batch_nlp.config import SampleConfig
from batch_nlp.errors import SettingsError, did_you_mean

# Bytes of a file, and how many messages they hold
Part = tuple[bytes, int]

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
    """Raise a `SettingsError` if the class mix has not one share for each class."""
    mix = settings.class_mix
    if mix is not None and len(mix) != len(classes):
        raise SettingsError(
            f"sample.class_mix={mix}: need {len(classes)} shares that add up to 1, of {', '.join(classes)}."
        )
