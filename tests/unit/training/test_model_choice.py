from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from tests.conftest import MakeConfig
from tests.unit.training.runs import with_training

from batch_nlp.config import Balance, Config, Input
from batch_nlp.training.model_choice import FEW_MESSAGES, SHORT, choose_model
from batch_nlp.training.tuned_classifier import MANY_CLASSES

LONG, BRIEF = "word " * SHORT, "word " * (SHORT - 1)


@pytest.fixture
def config(tmp_path: Path, make_config: MakeConfig) -> Config:
    return make_config(tmp_path, "model=auto", "model.params.n_estimators=7", "model.alternative.params.c=0.7")


@pytest.mark.parametrize(
    ("texts", "classes", "name"),
    [
        ([LONG] * FEW_MESSAGES, MANY_CLASSES, "xgboost"),
        ([LONG] * FEW_MESSAGES, MANY_CLASSES + 1, "linear"),
        ([LONG] * (FEW_MESSAGES - 1), 3, "linear"),
        ([BRIEF] * FEW_MESSAGES, 3, "linear"),
        # the median decides
        ([LONG] * FEW_MESSAGES + [BRIEF] * (FEW_MESSAGES - 1), 3, "xgboost"),
    ],
)
def test_classes_messages_and_words_decide(config: Config, texts: list[str], classes: int, name: str) -> None:
    chosen, reason = choose_model(config, texts, classes)
    assert chosen.model.name == name
    assert chosen.model.alternative is None
    # a value that the user set counts for its model
    key, value = ("n_estimators", 7) if name == "xgboost" else ("c", 0.7)
    assert chosen.model.params[key] == value
    assert name in reason
    assert f"{len(texts):,}" in reason
    # a second choice changes nothing
    assert choose_model(chosen, texts, classes) == (chosen, "")


def test_the_stack_is_that_of_its_own_file(tmp_path: Path, make_config: MakeConfig) -> None:
    auto, stack = (make_config(tmp_path, f"model={name}") for name in ("auto", "xgboost"))
    assert choose_model(auto, [LONG] * FEW_MESSAGES, 3)[0].model == stack.model
    assert choose_model(auto, ["short"] * FEW_MESSAGES, 3)[0].model == make_config(tmp_path, "model=linear").model


def test_settings_of_the_model_leave_no_choice(config: Config) -> None:
    for given in (
        with_training(config, balance=Balance.smote),
        with_training(config, inputs=[Input.tabular]),
        with_training(config, reducer=replace(config.training.reducer, enabled=True)),
    ):
        assert choose_model(given, ["short"] * 50, 99)[0].model.name == "xgboost"
