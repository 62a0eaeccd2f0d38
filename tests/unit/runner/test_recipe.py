from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.naming import assert_names

from batch_nlp.config import Config, plain
from batch_nlp.config.composition import typed
from batch_nlp.runner.recipe import as_chosen, other_recipe


def manifest(config: Config) -> dict[str, Any]:
    settings = {"seed": 1, "model": plain(config.model), "training": plain(config.training)}
    found: dict[str, Any] = json.loads(json.dumps({"settings": settings}))
    return found


@pytest.fixture
def told(tmp_path: Path, make_config: Callable[..., Config]) -> Callable[..., str]:
    """Return a function that says how the default settings differ from those of a champion."""

    def tell(*settings: str, **more: Any) -> str:
        champion = manifest(make_config(tmp_path, *settings))
        champion["settings"]["training"].update(more)
        return other_recipe(make_config(tmp_path), "v0003", champion)

    return tell


def test_settings_that_a_training_does_not_take_over_are_told_with_their_values(told: Callable[..., str]) -> None:
    assert told() == ""
    # neither what a run is asked for, nor what another version of the project knows, makes another model
    assert told("training.window=90", "training.thresholds.recall=0.0", "training.force=true", unheard_of=1) == ""
    found = told("training.inputs=[tabular]", "model.params.max_depth=1")
    assert_names(found, "v0003", "model.params.max_depth=1", "training.inputs=['tabular']")
    assert "defaults" not in found


def test_a_model_is_kept_for_good_as_advised(
    told: Callable[..., str], tmp_path: Path, make_config: Callable[..., Config]
) -> None:
    found = told("model=ngram_baseline")
    assert_names(found, "v0003", "model=ngram_baseline", "xgboost")
    [line] = re.findall(r"\w+: \[.*\]|\w+: \{.*\}", found)
    own = tmp_path / "conf" / "dataset" / "of_tests.yaml"
    own.parent.mkdir(parents=True)
    own.write_text(f"{line}\nname: of_tests\nmessages: {{columns: {{t: {{role: text}}}}}}\nlabel: {{column: l}}\n")
    given = (f"hydra.searchpath=[file://{own.parents[1]}]", "dataset=of_tests", f"paths.data={tmp_path}")
    assert typed(*given).model == make_config(tmp_path, "model=ngram_baseline").model
    assert typed(*given, "model=linear_svc").model.name == "linear_svc"


@pytest.mark.parametrize("trained", ["linear", "xgboost"])
def test_a_chosen_model_is_compared_with_itself(
    trained: str, tmp_path: Path, make_config: Callable[..., Config]
) -> None:
    champion, auto = make_config(tmp_path, f"model={trained}"), make_config(tmp_path, "model=auto")
    asked = as_chosen(auto, manifest(champion))
    assert asked == champion
    assert other_recipe(asked, "v0003", manifest(champion)) == ""
    # other parameters are another model, and settings without a choice stay
    other = make_config(tmp_path, "model=auto", "model.alternative.params.c=9.0", "model.params.max_depth=9")
    assert "=9" in other_recipe(
        as_chosen(champion, manifest(other)), "v0003", manifest(as_chosen(other, manifest(champion)))
    )
    assert as_chosen(champion, manifest(auto)) == champion
