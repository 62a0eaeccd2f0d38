"""The generators of samples by source, and checks of their settings."""

from __future__ import annotations

from batch_nlp.config import SampleConfig
from batch_nlp.errors import SettingsError, did_you_mean
from batch_nlp.sample.labelled_messages import Labelled
from batch_nlp.sample.one_table_sources import AIRLINE_TWEETS, COMPLAINTS, PRODUCTS, SUPPORT_TWEETS
from batch_nlp.sample.yelp import Yelp

SOURCES: dict[str, Labelled | Yelp] = {
    "airline_tweets": AIRLINE_TWEETS,
    "complaints": COMPLAINTS,
    "products": PRODUCTS,
    "support_tweets": SUPPORT_TWEETS,
    "yelp": Yelp(),
}


def source_of(name: str | None) -> Labelled | Yelp:
    """Return the generator named by ``dataset.sample``; raise a `SettingsError` if there is no such generator."""
    if name is None:
        raise SettingsError(
            "dataset.sample: this dataset has no sample generator. Put your files into dataset.raw_dir, or set "
            f"dataset.sample to a generator of the same format: {', '.join(SOURCES)}."
        )
    if name not in SOURCES:
        raise SettingsError(f"dataset.sample={name}: no such generator. {did_you_mean(name, SOURCES)}")
    return SOURCES[name]


def check_sample(settings: SampleConfig, name: str | None = "yelp") -> Labelled | Yelp:
    """Return a generator; raise a `SettingsError` if there is no such generator, or it cannot satisfy the settings."""
    source, mix = source_of(name), settings.class_mix
    if mix is not None and len(mix) != len(source.classes):
        raise SettingsError(
            f"sample.class_mix={mix}: need {len(source.classes)} shares that add up to 1, of "
            f"{', '.join(source.classes)}."
        )
    if settings.vocabulary and not isinstance(source, Yelp):
        raise SettingsError(
            f"sample.vocabulary={settings.vocabulary}: only the generator yelp has new vocabulary. "
            f"Leave it at 0 for {name}."
        )
    if mix and not source.has_labels:
        raise SettingsError(f"sample.class_mix: messages of {name} have no classes. Leave it at null.")
    return source
