"""Checks of settings that the schema cannot express."""

from __future__ import annotations

from batch_nlp.config import Config
from batch_nlp.dataset.classes import ClassMap, class_map
from batch_nlp.errors import SettingsError


def simulated_classes(config: Config) -> ClassMap:
    """Return the classes of the generated messages, as the settings list them.

    Raises
    ------
    SettingsError
        If the settings leave the classes to the data, or have a rule for rare ones.
    """
    label = config.dataset.label
    found = class_map(label)
    if found is None or label.rare is not None:
        raise SettingsError(
            f"dataset.label.classes={label.classes}, rare={label.rare}: pipeline=simulate needs a list of "
            "classes and no rule for rare ones. Use dataset=sample."
        )
    return found


def check_simulation(config: Config) -> None:
    """Check the settings of a simulation before any work.

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
            f"dataset={config.dataset.name}: pipeline=simulate works only on generated messages, since it needs the "
            "label of each message on the day of its batch. Use dataset=sample."
        )
    simulated_classes(config)
