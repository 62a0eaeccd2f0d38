"""The scenarios: what each day's messages and labels look like."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

from batch_nlp.config import Scenario, SimulationConfig

Mix = tuple[float, float, float]

# Shares of the classes negative, neutral and positive. The natural ones are those of the generated history.
NATURAL: Mix = (0.20, 0.13, 0.67)
# Complaints all but stop: their share of the predictions falls under the 10 % of the literal rule, and stays there.
SHIFTED: Mix = (0.02, 0.08, 0.90)
# Neutral messages, the hardest, all but vanish.
RARE: Mix = (0.17, 0.02, 0.81)

_GRADUAL_DAYS = 20
_NEW_WORDS = 0.6
_LATE = 10
_POISONED = 0.3
_BURST = 10
# Every how many days nothing comes, an empty file comes, a burst comes
_NO_FILE, _EMPTY_FILE, _BURST_DAYS = 5, 7, 10


@dataclass(frozen=True)
class Day:
    """What one day brings."""

    # Messages of the day's batch; 0 is an empty file, None no file
    messages: int | None
    # Their class shares (negative, neutral, positive)
    mix: Mix = NATURAL
    # Share of them that talk about things that the history never mentions
    vocabulary: float = 0.0
    # Share of their labels that arrive as another class
    flipped: float = 0.0


def days_of(settings: SimulationConfig) -> list[Day]:
    """Return all days of a simulation, the first being day 1."""
    return [_DAYS[settings.scenario](day, settings) for day in range(1, settings.days + 1)]


def change_day(settings: SimulationConfig) -> int | None:
    """Return the day on which the scenario's change begins; None where nothing changes, or after the last day."""
    changes = settings.scenario not in (Scenario.stable, Scenario.empty_days, Scenario.bursts)
    return settings.change_day if changes and settings.change_day <= settings.days else None


def label_delay(settings: SimulationConfig) -> int:
    """Return after how many days the labels of a batch arrive."""
    return max(settings.label_delay, _LATE) if settings.scenario is Scenario.late_labels else settings.label_delay


def _stable(_day: int, settings: SimulationConfig) -> Day:
    return Day(settings.messages)


def _shift(day: int, settings: SimulationConfig) -> Day:
    return Day(settings.messages, SHIFTED if day >= settings.change_day else NATURAL)


def _gradual(day: int, settings: SimulationConfig) -> Day:
    part = min(1.0, max(0.0, (day - settings.change_day + 1) / _GRADUAL_DAYS))
    first, second, third = ((1 - part) * old + part * new for old, new in zip(NATURAL, SHIFTED, strict=True))
    return Day(settings.messages, (first, second, third))


def _vocabulary(day: int, settings: SimulationConfig) -> Day:
    return Day(settings.messages, vocabulary=_NEW_WORDS if day >= settings.change_day else 0.0)


def _rare(day: int, settings: SimulationConfig) -> Day:
    return Day(settings.messages, RARE if day >= settings.change_day else NATURAL)


def _poisoned(day: int, settings: SimulationConfig) -> Day:
    return replace(_shift(day, settings), flipped=_POISONED if day >= settings.change_day else 0.0)


def _empty(day: int, settings: SimulationConfig) -> Day:
    if day % _NO_FILE == 0:
        return Day(None)
    return Day(0 if day % _EMPTY_FILE == 0 else settings.messages)


def _bursts(day: int, settings: SimulationConfig) -> Day:
    return Day(settings.messages * (_BURST if day % _BURST_DAYS == 0 else 1))


_DAYS: Mapping[Scenario, Callable[[int, SimulationConfig], Day]] = MappingProxyType(
    {
        Scenario.stable: _stable,
        Scenario.sudden_shift: _shift,
        Scenario.gradual_shift: _gradual,
        Scenario.new_vocabulary: _vocabulary,
        Scenario.rare_class: _rare,
        Scenario.late_labels: _shift,
        Scenario.poisoned_labels: _poisoned,
        Scenario.empty_days: _empty,
        Scenario.bursts: _bursts,
    }
)
