"""What writes a sample in the format of one source, which sources have one, and checks of what is asked of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from importlib import import_module
from typing import Protocol

from batch_nlp.config import SampleConfig
from batch_nlp.errors import SettingsError, did_you_mean

# Bytes of a file, and how many messages they hold
Part = tuple[bytes, int]

# Name of a source -> module of this package and what is in it
SOURCES = {
    "airline_tweets": ("one_table", "AIRLINE_TWEETS"),
    "complaints": ("one_table", "COMPLAINTS"),
    "products": ("one_table", "PRODUCTS"),
    "support_tweets": ("one_table", "SUPPORT_TWEETS"),
    "yelp": ("yelp", "YELP"),
}


class Source(Protocol):
    """Generates the files of one source."""

    @property
    def batch_file(self) -> str:
        """Name of a batch's file, to be formatted with the number of the batch."""

    def check(self, settings: SampleConfig) -> None:
        """Raise a `SettingsError` that names the first setting that cannot be satisfied."""

    def history(self, settings: SampleConfig) -> Iterator[tuple[str, Iterator[Part]]]:
        """Yield name and parts of each file of the history, those with messages last."""

    def batch(self, settings: SampleConfig, number: int, labelled: bool) -> Iterator[bytes]:
        """Yield the parts of a batch's file, with what is known only after the message or without."""


def source_of(name: str | None) -> Source:
    """Return the generator that ``dataset.sample`` names; raise a `SettingsError` if there is none of that name."""
    if name is None:
        raise SettingsError(
            "dataset.sample: this dataset names no generator of a sample. Put its files into dataset.raw_dir, or set "
            f"dataset.sample to one that writes its format: {', '.join(SOURCES)}."
        )
    if name not in SOURCES:
        raise SettingsError(f"dataset.sample={name}: there is no such generator. {did_you_mean(name, SOURCES)}")
    module, attribute = SOURCES[name]
    source: Source = getattr(import_module(f"batch_nlp.sample.{module}"), attribute)
    return source


def check_sample(settings: SampleConfig, source: str | None = "yelp") -> None:
    """Raise a `SettingsError` if a sample in a source's format cannot be written with these settings."""
    source_of(source).check(settings)


def check(settings: SampleConfig, classes: Sequence[str] = ("negative", "neutral", "positive")) -> None:
    """Raise a `SettingsError` if the class mix has not one share for each class."""
    mix = settings.class_mix
    if mix is not None and len(mix) != len(classes):
        raise SettingsError(
            f"sample.class_mix={mix}: need {len(classes)} shares that add up to 1, of {', '.join(classes)}."
        )
