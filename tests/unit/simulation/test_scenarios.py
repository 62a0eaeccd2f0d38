"""What each day of a scenario brings."""

from __future__ import annotations

from itertools import pairwise

import pytest
from tests.naming import refusal
from tests.settings import default

from batch_nlp.config import Scenario, SimulationConfig
from batch_nlp.errors import SettingsError
from batch_nlp.simulation.scenarios import (
    NATURAL,
    RARE,
    SHIFTED,
    change_day,
    check_simulation,
    days_of,
    label_delay,
)


def scenario(name: str, **settings: int) -> SimulationConfig:
    return default(SimulationConfig, scenario=Scenario(name), **settings)


@pytest.mark.parametrize("name", [found.value for found in Scenario])
def test_every_scenario_has_all_its_days_and_class_shares(name):
    days = days_of(scenario(name, days=40))
    assert len(days) == 40
    assert all(sum(day.mix) == pytest.approx(1) and min(day.mix) >= 0 for day in days)


def test_the_literal_rule_has_a_class_to_ring_for():
    assert min(SHIFTED) < 0.10
    assert min(RARE) < 0.10
    assert min(NATURAL) > 0.10


@pytest.mark.parametrize("name", ["sudden_shift", "late_labels", "poisoned_labels"])
def test_a_sudden_shift_begins_on_its_day(name):
    settings = scenario(name, change_day=7)
    days = days_of(settings)
    assert {day.mix for day in days[:6]} == {NATURAL}
    assert {day.mix for day in days[6:]} == {SHIFTED}
    assert change_day(settings) == 7


def test_a_gradual_shift_takes_twenty_days():
    days = days_of(scenario("gradual_shift", change_day=10))
    assert {day.mix for day in days[:9]} == {NATURAL}
    negative = [day.mix[0] for day in days[8:29]]
    steps = [after - before for before, after in pairwise(negative)]
    assert steps == pytest.approx([(SHIFTED[0] - NATURAL[0]) / 20] * 20)
    assert all(day.mix == pytest.approx(SHIFTED) for day in days[28:])


def test_labels_are_late_or_wrong_only_where_the_scenario_says_so():
    assert label_delay(scenario("late_labels")) == 10
    assert label_delay(scenario("late_labels", label_delay=12)) == 12
    assert label_delay(scenario("sudden_shift", label_delay=3)) == 3
    flipped = [day.flipped for day in days_of(scenario("poisoned_labels", change_day=10, days=12))]
    assert flipped == [0.0] * 9 + [0.3] * 3
    assert not any(day.flipped for day in days_of(scenario("sudden_shift")))


def test_new_words_come_with_the_shares_of_before():
    days = days_of(scenario("new_vocabulary", change_day=3, days=4))
    assert [day.vocabulary for day in days] == [0, 0, 0.6, 0.6]
    assert {day.mix for day in days} == {NATURAL}


def test_days_without_messages_and_bursts():
    empty = days_of(scenario("empty_days", days=10, messages=50))
    assert [day.messages for day in empty] == [50, 50, 50, 50, None, 50, 0, 50, 50, None]
    bursts = days_of(scenario("bursts", days=11, messages=50))
    assert [day.messages for day in bursts] == [*[50] * 9, 500, 50]


@pytest.mark.parametrize("name", ["stable", "empty_days", "bursts"])
def test_where_nothing_changes_there_is_no_day_of_change(name):
    assert change_day(scenario(name)) is None
    assert change_day(scenario("sudden_shift", change_day=60, days=50)) is None


def test_the_default_settings_can_be_simulated(tmp_path, make_config):
    check_simulation(make_config(tmp_path, "pipeline=simulate"))


def test_a_dataset_that_is_not_generated_is_refused(tmp_path, make_config):
    with refusal(SettingsError, "dataset=yelp"):
        check_simulation(make_config(tmp_path, "pipeline=simulate", "dataset=yelp"))
