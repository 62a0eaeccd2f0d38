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
        If the dataset is not generated, a number of days or messages is too small, or the policies are none or repeat.
    """
    settings = config.simulation
    if not config.dataset.generate:
        raise SettingsError(
            f"dataset={config.dataset.name}: pipeline=simulate works only on generated messages, since it needs the "
            "label of each message on the day of its batch. Use dataset=sample."
        )
    simulated_classes(config)
    for name, least in (("days", 1), ("messages", 1), ("change_day", 1), ("label_delay", 0)):
        if getattr(settings, name) < least:
            raise SettingsError(f"simulation.{name}={getattr(settings, name)}: need {least} or more.")
    policies = [policy.value for policy in settings.policies]
    if not policies or len(set(policies)) < len(policies):
        raise SettingsError(
            f"simulation.policies={policies}: need one or more of never, always and rule, each once, for example "
            "[never,rule]."
        )
