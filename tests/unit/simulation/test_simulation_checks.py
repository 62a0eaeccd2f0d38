"""Settings that no simulation can satisfy are told before any work."""

from __future__ import annotations

from tests.naming import refusal

from batch_nlp.errors import SettingsError
from batch_nlp.simulation.simulation_checks import check_simulation


def test_the_defaults_are_fine(tmp_path, make_config):
    check_simulation(make_config(tmp_path, "pipeline=simulate"))


def test_a_dataset_that_is_not_generated_is_refused(tmp_path, make_config):
    with refusal(SettingsError, "dataset=yelp"):
        check_simulation(make_config(tmp_path, "pipeline=simulate", "dataset=yelp"))
