"""What writes a sample in the format of one source, and which sources have one."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from typing import Protocol

from batch_nlp.config import SampleConfig
from batch_nlp.errors import SettingsError, did_you_mean

# Bytes of a file, and how many messages they hold
Part = tuple[bytes, int]

SOURCES = ("airline_tweets", "complaints", "products", "support_tweets", "yelp")


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
    """Return the generator that ``dataset.sample`` names.

    Raises
    ------
    SettingsError
        If there is none of that name.
    """
    if name is None:
        raise SettingsError(
            "dataset.sample: this dataset names no generator of a sample. Put its files into dataset.raw_dir, or set "
            f"dataset.sample to one that writes its format: {', '.join(SOURCES)}."
        )
    if name not in SOURCES:
        raise SettingsError(f"dataset.sample={name}: there is no such generator. {did_you_mean(name, SOURCES)}")
    source: Source = import_module(f"batch_nlp.sample.{name}").SOURCE
    return source


def check_sample(settings: SampleConfig, source: str | None = "yelp") -> None:
    """Raise a `SettingsError` if a sample in a source's format cannot be written with these settings."""
    source_of(source).check(settings)
