"""Whether a dataset can be simulated."""

from __future__ import annotations

from batch_nlp.config import Config
from batch_nlp.dataset.classes import ClassMap, class_map
from batch_nlp.errors import SettingsError


def simulated_classes(config: Config) -> ClassMap:
    """Return the classes of the generated messages: those that the settings list.

    Raises
    ------
    SettingsError
        If they are to be found in the data, or to be others than those listed.
    """
    label = config.dataset.label
    found = class_map(label)
    if found is None or label.rare is not None:
        raise SettingsError(
            f"dataset.label.classes={label.classes}, rare={label.rare}: pipeline=simulate needs listed classes and no "
            "rule for rare ones, as in dataset=sample."
        )
    return found


def check_simulation(config: Config) -> None:
    """Stop before any work when there is nothing to replay.

    Parameters
    ----------
    config : Config
        All settings.

    Raises
    ------
    SettingsError
        If the dataset is not generated, or its classes are not listed.
    """
    if not config.dataset.generate:
        raise SettingsError(
            f"dataset={config.dataset.name}: pipeline=simulate generates its messages, since it must know the label "
            "of each on the day on which it comes. Say dataset=sample."
        )
    simulated_classes(config)
