"""The scenarios: which settings they need, and the messages and labels of each day."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from batch_nlp.config import Config, Scenario, SimulationConfig
from batch_nlp.dataset.classes import ClassMap, class_map
from batch_nlp.errors import SettingsError

Mix = tuple[float, float, float]

# Shares of the classes negative, neutral and positive. The generated history has the natural ones.
NATURAL: Mix = (0.20, 0.13, 0.67)
# Complaints nearly stop: their share of the predictions falls below the 10 % of the literal rule for good.
SHIFTED: Mix = (0.02, 0.08, 0.90)
# Neutral messages, the hardest class, nearly vanish.
RARE: Mix = (0.17, 0.02, 0.81)

# Days until late labels arrive; factor of a burst; days of a gradual change
_LATE, _BURST, _GRADUAL_DAYS = 10, 10, 20
# Days between missing files, between empty files, between bursts
_NO_FILE, _EMPTY_FILE, _BURST_DAYS = 5, 7, 10


@dataclass(frozen=True)
class Day:
    """Messages and labels of one day."""

    # Number of messages in the batch; 0 for an empty file, None for no file
    messages: int | None
    # Their class shares (negative, neutral, positive)
    mix: Mix = NATURAL
    # Share of messages about things that the history never mentions
    vocabulary: float = 0.0
    # Share of labels that arrive as a wrong class
    flipped: float = 0.0


# What a permanent change leads to
_CHANGES: Mapping[Scenario, Day] = MappingProxyType(
    {
        Scenario.sudden_shift: Day(None, SHIFTED),
        Scenario.gradual_shift: Day(None, SHIFTED),
        Scenario.new_vocabulary: Day(None, vocabulary=0.6),
        Scenario.rare_class: Day(None, RARE),
        Scenario.late_labels: Day(None, SHIFTED),
        Scenario.poisoned_labels: Day(None, SHIFTED, flipped=0.3),
    }
)


def simulated_classes(config: Config) -> ClassMap:
    """Return the classes of the generated messages; raise a `SettingsError` if the settings do not list them."""
    label = config.dataset.label
    found = class_map(label)
    if found is None or label.rare is not None:
        raise SettingsError(
            f"dataset.label.classes={label.classes}, rare={label.rare}: pipeline=simulate needs a list of "
            "classes and no rule for rare ones. Use dataset=sample."
        )
    return found


def check_simulation(config: Config) -> None:
    """Raise a `SettingsError` if the dataset is not generated, or its classes are not listed."""
    if not config.dataset.generate:
        raise SettingsError(
            f"dataset={config.dataset.name}: pipeline=simulate works only on generated messages, since it needs the "
            "label of each message on the day of its batch. Use dataset=sample."
        )
    simulated_classes(config)


def days_of(settings: SimulationConfig) -> list[Day]:
    """Return all days of a simulation, from day 1."""
    return [_day(day, settings) for day in range(1, settings.days + 1)]


def change_day(settings: SimulationConfig) -> int | None:
    """Return the first day of the change; None if nothing changes, or only after the last day."""
    return settings.change_day if settings.scenario in _CHANGES and settings.change_day <= settings.days else None


def label_delay(settings: SimulationConfig) -> int:
    """Return the number of days after which the labels of a batch arrive."""
    return max(settings.label_delay, _LATE) if settings.scenario is Scenario.late_labels else settings.label_delay


def _day(day: int, settings: SimulationConfig) -> Day:
    change = _CHANGES.get(settings.scenario, Day(None))
    duration = _GRADUAL_DAYS if settings.scenario is Scenario.gradual_shift else 1
    part = min(1.0, max(0.0, (day - settings.change_day + 1) / duration))
    first, second, third = ((1 - part) * old + part * new for old, new in zip(NATURAL, change.mix, strict=True))
    return Day(_messages(day, settings), (first, second, third), part * change.vocabulary, part * change.flipped)


def _messages(day: int, settings: SimulationConfig) -> int | None:
    if settings.scenario is Scenario.bursts and day % _BURST_DAYS == 0:
        return _BURST * settings.messages
    if settings.scenario is Scenario.empty_days:
        if day % _NO_FILE == 0:
            return None
        return 0 if day % _EMPTY_FILE == 0 else settings.messages
    return settings.messages
