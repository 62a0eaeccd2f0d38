"""Bands of classes that are found in the data, through the real runner: a wrong name is refused before any fitting."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from tests.conftest import World
from tests.naming import refusal
from tests.pipeline.nights import START, nightly
from tests.settings import default

from batch_nlp.config import Config, PipelineConfig, Stage
from batch_nlp.errors import SettingsError
from batch_nlp.runner import run_stages
from batch_nlp.training import run as training_run


@pytest.fixture
def config(world: World, tmp_path: Path) -> Config:
    found = nightly(world, tmp_path, bands={"positiv": [0.1, 0.9]})
    return replace(found, pipeline=default(PipelineConfig, name="training", stages=[Stage.training]))


def test_bands_of_a_new_candidate_are_checked_before_fitting(config: Config, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(training_run, "fit_pipeline", lambda *_: pytest.fail("it was fitted"))
    forced = replace(config, training=replace(config.training, force=True))
    with refusal(SettingsError, "drift.bands", "positiv", "'positive'"):
        run_stages(forced, START)


def test_bands_of_an_existing_champion_are_checked(config: Config) -> None:
    with refusal(SettingsError, "drift.bands", "positiv"):
        run_stages(config, START)
