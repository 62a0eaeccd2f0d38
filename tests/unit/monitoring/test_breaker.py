from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from tests.naming import assert_names
from tests.settings import default

from batch_nlp.config import DriftConfig
from batch_nlp.monitoring.breaker import (
    Alarm,
    Labels,
    Outcome,
    Ruling,
    State,
    breaker_state,
    new_labels_needed,
    rule_on,
)

SETTINGS = default(DriftConfig, min_new_labels=0.5, min_messages=30)
# what rang first, the same again but for chance, and something else
RANG, SAME, OTHER = [10, 40, 150], [12, 37, 151], [120, 40, 40]


class Story:
    """A decision log that grows alarm by alarm, as the runner writes it."""

    def __init__(self, settings: DriftConfig = SETTINGS, training_rows: int = 1000) -> None:
        self.settings = settings
        self.training_rows = training_rows
        self.log: list[dict[str, Any]] = []
        self.model = "v0001"

    def alarm(
        self,
        batch: str,
        counts: Sequence[int] = RANG,
        *,
        labels: int,
        of_change: int = 0,
        outcome: Outcome = Outcome.PROMOTED,
        counts_after: Sequence[int] | None = None,
    ) -> Ruling:
        """Rule on an alarm, and enter what followed; a promotion gives a new model."""
        data = [f"labels {labels}", labels]
        alarm = Alarm(batch, counts, self.model)
        ruling = rule_on(
            alarm, Labels(data, self.training_rows, lambda _first: of_change), self.log, "d", self.settings
        )
        entry = {"dataset": "d", "at": "2026-01-02T03:04:05", "batch": batch, "data": data, "change": ruling.change}
        if not ruling.allowed:
            self.log.append({**entry, "decision": "held back", "state": ruling.state, "reason": ruling.reason})
            return ruling
        model = self.model
        if outcome is Outcome.PROMOTED:
            self.model = f"v{int(model[1:]) + 1:04d}"
        self.log.append(
            {
                **entry,
                "decision": "retraining",
                "counts": list(counts),
                "counts_after": {self.model: list(counts_after or counts)} if self.model != model else {},
                "model": model,
                "answered": ruling.answered,
                "outcome": outcome.value,
            }
        )
        return ruling


def test_the_first_alarm_retrains_whatever_the_data() -> None:
    """Guarantee 11."""
    ruling = Story().alarm("b01", labels=800)
    assert (ruling.allowed, ruling.state, ruling.change, ruling.answered) == (True, State.CLOSED, "b01", False)


@pytest.mark.parametrize("outcome", list(Outcome))
def test_unchanged_data_leads_to_no_second_retraining_however_the_shares_change(outcome: Outcome) -> None:
    """Guarantee 11: 50 drifted batches on unchanged data, 1 retraining."""
    story = Story()
    rulings = [
        story.alarm(f"b{day:02d}", OTHER if day % 3 else RANG, labels=800, of_change=500, outcome=outcome)
        for day in range(50)
    ]
    assert [ruling.allowed for ruling in rulings] == [True] + [False] * 49


def test_an_entry_of_an_earlier_release_is_read_by_its_number_of_labels() -> None:
    """It says which features and which version of the table of labels there were, in place of the labels."""
    story = Story()
    story.alarm("b01", labels=800, of_change=30)
    story.log[0]["data"] = ["5f0c0de5f0c0", 7, 800]
    held = story.alarm("b02", SAME, labels=850, of_change=30)
    assert (held.allowed, held.figures["new_labels"]) == (False, 50)
    assert story.alarm("b03", SAME, labels=1300, of_change=30).allowed


def test_a_change_is_answered_once_labels_of_its_batches_have_come() -> None:
    story = Story()
    story.alarm("b01", labels=800)
    waits = story.alarm("b02", SAME, labels=810, of_change=29)
    assert (waits.allowed, waits.state, waits.change) == (False, State.HALF_OPEN, "b01")
    assert_names(waits.reason, 10, 500, 30, "b01", 29)
    answers = story.alarm("b03", SAME, labels=900, of_change=30)
    assert (answers.allowed, answers.state, answers.answered) == (True, State.HALF_OPEN, True)
    # from now on it takes many labels
    held = story.alarm("b04", SAME, labels=1399, of_change=500)
    assert (held.allowed, held.state) == (False, State.OPEN)
    assert_names(held.reason, 499, 500)
    assert story.alarm("b05", SAME, labels=1400, of_change=501).allowed


def test_labels_that_were_there_at_the_first_alarm_answer_it() -> None:
    story = Story()
    assert story.alarm("b01", labels=800, of_change=30).answered
    assert story.alarm("b02", SAME, labels=1000, of_change=200).state is State.OPEN


def test_other_shares_half_open_the_breaker_until_their_labels_come() -> None:
    story = Story()
    story.alarm("b01", labels=800, of_change=100)
    for day, of_change in ((2, 0), (3, 0)):
        waits = story.alarm(f"b{day:02d}", OTHER, labels=800 + day, of_change=of_change)
        assert (waits.allowed, waits.state, waits.change) == (False, State.HALF_OPEN, "b02")
    answers = story.alarm("b04", OTHER, labels=900, of_change=60)
    assert (answers.allowed, answers.state, answers.change) == (True, State.HALF_OPEN, "b02")
    # the change is answered now; the same shares again are no other one
    assert story.alarm("b05", OTHER, labels=950, of_change=110).state is State.OPEN


def test_a_new_model_that_sees_the_same_messages_otherwise_is_no_change_of_the_messages() -> None:
    story = Story()
    story.alarm("b01", RANG, labels=800, of_change=100, counts_after=OTHER)
    assert story.alarm("b02", OTHER, labels=900, of_change=150).state is State.OPEN
    assert story.alarm("b03", RANG, labels=900, of_change=150).state is State.HALF_OPEN


def test_a_champion_that_the_log_does_not_know_is_no_change_of_the_messages() -> None:
    story = Story()
    story.alarm("b01", labels=800, of_change=100)
    story.model = "v0009"  # trained by hand
    assert story.alarm("b02", OTHER, labels=900, of_change=150).state is State.OPEN


def test_each_rejected_candidate_doubles_the_wait_up_to_the_rows_of_the_champion() -> None:
    story = Story(default(DriftConfig, min_new_labels=0.1))
    story.alarm("b01", labels=1000, of_change=100, outcome=Outcome.REJECTED)
    labels = 1000
    for day, needed in ((2, 200), (3, 400), (4, 800), (5, 1000), (6, 1000)):
        held = story.alarm(f"b{day}a", SAME, labels=labels + needed - 1, of_change=100)
        assert not held.allowed, needed
        assert_names(held.reason, needed)
        labels += needed
        assert story.alarm(f"b{day}b", SAME, labels=labels, of_change=100, outcome=Outcome.REJECTED).allowed
    labels += 1000
    assert story.alarm("b7", SAME, labels=labels, of_change=100).allowed  # promoted: the wait starts over
    assert not story.alarm("b8", SAME, labels=labels + 99, of_change=100).allowed
    assert story.alarm("b9", SAME, labels=labels + 100, of_change=100).allowed


def test_a_retraining_that_had_nothing_new_to_learn_from_does_not_double_the_wait() -> None:
    log = [{"decision": "retraining", "outcome": Outcome.SAME.value}]
    assert new_labels_needed(log, 1000, SETTINGS) == 500


def test_a_setting_above_one_is_kept() -> None:
    assert new_labels_needed([], 1000, default(DriftConfig, min_new_labels=1.5)) == 1500


def test_an_alarm_every_day_on_stable_data_leads_to_few_retrainings() -> None:
    """50 days, 200 labels a day, 4,800 rows at first: the alarm rings daily, the breaker holds."""
    story = Story(default(DriftConfig), training_rows=4800)
    trained = []
    for day in range(1, 51):
        labels = 6000 + 200 * (day - 1)
        if story.alarm(f"b{day:02d}", SAME if day % 2 else RANG, labels=labels, of_change=200 * (day - 1)).allowed:
            trained.append(day)
            story.training_rows = int(0.8 * labels)
    assert trained == [1, 2, 15, 33]


def test_decisions_of_other_datasets_and_of_older_releases_do_not_count() -> None:
    story = Story()
    story.log += [
        {"decision": "retraining", "dataset": "other", "outcome": "promoted"},
        {"decision": "retraining", "dataset": "d", "data": ["f", 1, 1]},
    ]
    assert breaker_state(story.log, "d")[0] is State.CLOSED
    assert story.alarm("b01", labels=800).state is State.CLOSED


def test_how_the_breaker_stands_is_told_to_a_person() -> None:
    story = Story()
    assert breaker_state(story.log, "d")[0] is State.CLOSED
    story.alarm("b01", labels=800)
    state, reason = breaker_state(story.log, "d")
    assert state is State.HALF_OPEN
    assert_names(reason, "2026-01-02T03:04", "promoted")
    story.alarm("b02", SAME, labels=900, of_change=100)
    assert breaker_state(story.log, "d")[0] is State.OPEN
    story.alarm("b03", SAME, labels=901, of_change=101)
    state, reason = breaker_state(story.log, "d")
    assert state is State.OPEN
    assert_names(reason, 1)
