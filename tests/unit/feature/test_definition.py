from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from batch_nlp.config import Config
from batch_nlp.feature.definition import FeatureDefinition

MakeConfig = Callable[..., Config]


@pytest.fixture
def version(tmp_path: Path, make_config: MakeConfig) -> Callable[..., str]:
    return lambda *overrides: FeatureDefinition.from_config(make_config(tmp_path, *overrides)).version


@pytest.fixture(scope="module")
def default(tmp_path_factory: pytest.TempPathFactory, make_config: MakeConfig) -> str:
    return FeatureDefinition.from_config(make_config(tmp_path_factory.mktemp("default"))).version


def test_a_version_is_twelve_hexadecimal_digits(default: str) -> None:
    assert re.fullmatch("[0-9a-f]{12}", default)


@pytest.mark.parametrize(
    "override",
    [
        "dataset=yelp",
        "dataset.columns.text=body",
        "dataset.columns.date=written",
        "dataset.filters.non_empty_text=false",
        "dataset.filters.users_with_reviews=true",
        "features.clean_text.max_chars=19999",
        "features.category_groups.nightlife=[pubs]",
        "+features.category_groups.casino=[casino]",
        "features.embedding.dims=128",
        "features.embedding.max_tokens=128",
        "features=minilm",
        "features=minilm_int8",
    ],
)
def test_another_definition_of_the_features_is_another_version(
    version: Callable[..., str], default: str, override: str
) -> None:
    assert version(override) != default


@pytest.mark.parametrize(
    "override",
    [
        "features.name=mine",
        "features.embedding.batch_size=7",
        "features.embedding.device=cuda",
        "dataset.raw_dir=/elsewhere",
        "dataset.ignored_columns=[useful]",
        "dataset.generate=false",
        "engine.batch_rows=7",
        "engine.threads=2",
        "seed=7",
        "model=random_forest",
        "training.holdout=0.3",
        "drift=interval",
        "inference.inbox=/elsewhere",
        "sample.messages=10",
        "log_level=DEBUG",
    ],
)
def test_what_changes_no_feature_changes_no_version(version: Callable[..., str], default: str, override: str) -> None:
    assert version(override) == default


def test_the_order_of_the_category_groups_counts_since_the_first_match_does(
    tmp_path: Path, make_config: MakeConfig
) -> None:
    definition = FeatureDefinition.from_config(make_config(tmp_path)).to_dict()
    turned = json.loads(json.dumps(definition))
    groups = turned["features"]["category_groups"]
    turned["features"]["category_groups"] = dict(reversed(groups.items()))
    assert FeatureDefinition.from_dict(turned).version != FeatureDefinition.from_dict(definition).version


def test_a_definition_survives_the_manifest_of_a_model(tmp_path: Path, make_config: MakeConfig) -> None:
    definition = FeatureDefinition.from_config(make_config(tmp_path, "features.embedding.dims=32"))
    again = FeatureDefinition.from_dict(json.loads(json.dumps(definition.to_dict())))
    assert again == definition
    assert again.version == definition.version
