"""The scenarios: what each day's messages and labels look like."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from batch_nlp.config import Scenario, SimulationConfig

Mix = tuple[float, float, float]

# Shares of the classes negative, neutral and positive. The natural ones are those of the generated history.
NATURAL: Mix = (0.20, 0.13, 0.67)
# Complaints all but stop: their share of the predictions falls under the 10 % of the literal rule, and stays there.
SHIFTED: Mix = (0.02, 0.08, 0.90)
# Neutral messages, the hardest, all but vanish.
RARE: Mix = (0.17, 0.02, 0.81)

_LATE = 10
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


@dataclass(frozen=True)
class _Change:
    """What a scenario changes for good, at once or step by step."""

    mix: Mix = NATURAL
    vocabulary: float = 0.0
    flipped: float = 0.0
    # Until it is whole
    days: int = 1


_CHANGES: Mapping[Scenario, _Change] = MappingProxyType(
    {
        Scenario.sudden_shift: _Change(SHIFTED),
        Scenario.gradual_shift: _Change(SHIFTED, days=20),
        Scenario.new_vocabulary: _Change(vocabulary=0.6),
        Scenario.rare_class: _Change(RARE),
        Scenario.late_labels: _Change(SHIFTED),
        Scenario.poisoned_labels: _Change(SHIFTED, flipped=0.3),
    }
)


def days_of(settings: SimulationConfig) -> list[Day]:
    """Return all days of a simulation, the first being day 1."""
    return [_day(day, settings) for day in range(1, settings.days + 1)]


def change_day(settings: SimulationConfig) -> int | None:
    """Return the day on which the scenario's change begins; None where nothing changes, or after the last day."""
    return settings.change_day if settings.scenario in _CHANGES and settings.change_day <= settings.days else None


def label_delay(settings: SimulationConfig) -> int:
    """Return after how many days the labels of a batch arrive."""
    return max(settings.label_delay, _LATE) if settings.scenario is Scenario.late_labels else settings.label_delay


def _day(day: int, settings: SimulationConfig) -> Day:
    change = _CHANGES.get(settings.scenario, _Change())
    part = min(1.0, max(0.0, (day - settings.change_day + 1) / change.days))
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
