"""Settings that no simulation can satisfy are told before any work."""

from __future__ import annotations

import pytest
from tests.naming import refusal

from batch_nlp.errors import SettingsError
from batch_nlp.simulation.simulation_checks import check_simulation


def test_the_defaults_are_fine(tmp_path, make_config):
    check_simulation(make_config(tmp_path, "pipeline=simulate"))


@pytest.mark.parametrize(
    ("override", "told"),
    [
        ("dataset=yelp", "dataset=sample"),
        ("simulation.days=0", "simulation.days=0"),
        ("simulation.messages=0", "simulation.messages=0"),
        ("simulation.change_day=0", "simulation.change_day=0"),
        ("simulation.label_delay=-1", "simulation.label_delay=-1"),
        ("simulation.policies=[]", "simulation.policies"),
        ("simulation.policies=[rule,rule]", "simulation.policies"),
    ],
)
def test_what_cannot_be_is_named(tmp_path, make_config, override, told):
    with refusal(SettingsError, told):
        check_simulation(make_config(tmp_path, "pipeline=simulate", override))
