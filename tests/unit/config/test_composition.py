"""What a command line composes, and the combinations that are refused before anything acts on them."""

from __future__ import annotations

import pytest
from tests.naming import refusal

from batch_nlp.config.composition import compose, composer
from batch_nlp.errors import SettingsError


@pytest.mark.parametrize("setting", ["seed=1,2", "seed=range(1,3)", "model=xgboost,logistic_regression"])
def test_several_values_without_a_multirun_are_refused_by_their_name(setting: str) -> None:
    with composer() as loader, refusal(SettingsError, setting, "-m"):
        compose([setting], multirun=False, loader=loader)


@pytest.mark.parametrize("setting", ["dataset=[sample,yelp]", "model=[xgboost,random_forest]", "~dataset"])
def test_a_run_has_one_dataset_and_one_model(setting: str) -> None:
    with composer() as loader, refusal(SettingsError, f"{setting.strip('~').partition('=')[0]}="):
        compose([setting], multirun=False, loader=loader)
