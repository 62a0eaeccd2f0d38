"""Our steps keep scikit-learn's contract, as far as it applies to steps that take frames with texts."""

from __future__ import annotations

import inspect
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.utils import estimator_checks
from sklearn.utils.validation import check_is_fitted

from batch_nlp.config import EngineConfig
from batch_nlp.feature.pipeline import FeatureContext, build_feature_pipeline, load_side_tables
from batch_nlp.inference.predict import Predict
from batch_nlp.steps.mask import Mask
from batch_nlp.steps.strip_html import StripHtml
from batch_nlp.storage.known import KnownMessages
from batch_nlp.storage.layers import Layers
from batch_nlp.storage.ledger import Ledger
from batch_nlp.storage.registry import Registry
from batch_nlp.storage.sql import connect
from batch_nlp.training.encoding import EmbeddingColumns
from batch_nlp.training.ngram_scores import NgramScores


class World(Protocol):
    config: Any
    layers: Layers
    definition: Any
    registry: Registry


# those that make rows of their own, and those whose rows keep their index
SELECTING = ["extract", "remove_duplicates"]
KEEPING = [
    "keep_extracted",
    "validate",
    "clean_text",
    "keep_clean",
    "strip_html",
    "mask",
    "text_counts",
    "date_parts",
    "business_features",
    "user_features",
    "embedding",
    "predict",
]
STATELESS = [*SELECTING, *KEEPING]
FITTED = ["ngram_scores", "embedding_columns"]


@pytest.fixture(scope="module")
def steps(
    world: World, embedding_cache: Path, engine: EngineConfig, sample_rows: pd.DataFrame
) -> Iterable[dict[str, tuple[Any, pd.DataFrame]]]:
    """Return each step with an input of the kind that it takes."""
    champion = world.registry.champion()
    assert champion is not None
    with connect(engine) as connection:
        tables = load_side_tables(world.config, world.definition, world.layers, connection)
        run = FeatureContext(tables, KnownMessages(connection, None), Ledger(), embedding_cache, engine.threads)
        pipeline = build_feature_pipeline(world.config, world.definition, run)
        found, frame = {}, sample_rows[:40].set_index(pd.Index(range(100, 140)))
        for name, step in pipeline.steps:
            found[name] = (step, frame)
            frame = step.transform(frame)
        found["strip_html"] = (StripHtml(), frame)
        found["mask"] = (Mask({"<number>": r"\d+"}), frame)
        found["predict"] = (Predict(champion, "2026-01-01"), frame)
        found["ngram_scores"] = (NgramScores(min_df=1, folds=2), frame[["text"]])
        found["embedding_columns"] = (EmbeddingColumns(), frame[["embedding"]])
        yield found


@pytest.mark.parametrize("name", [*STATELESS, *FITTED])
def test_parameters_are_stored_as_given_and_can_be_set(steps: dict[str, Any], name: str) -> None:
    step, _ = steps[name]
    params = step.get_params(deep=False)
    assert list(params) == sorted(set(inspect.signature(type(step)).parameters))
    again = type(step)(**params)
    assert all(getattr(again, key) is value for key, value in params.items())
    assert step.set_params(**params) is step
    with pytest.raises(ValueError, match="Invalid parameter"):
        step.set_params(no_such_parameter=1)


# scikit-learn's own checks; those that it also has feed matrices of numbers, which our steps do not take
CHECKS = [
    estimator_checks.check_estimator_cloneable,
    estimator_checks.check_estimator_repr,
    estimator_checks.check_get_params_invariance,
    estimator_checks.check_mixin_order,
    estimator_checks.check_set_params,
    estimator_checks.check_valid_tag_types,
]


@pytest.mark.parametrize("name", [*STATELESS, *FITTED])
def test_scikit_learns_own_checks(steps: dict[str, Any], name: str) -> None:
    step, _ = steps[name]
    for check in CHECKS:
        check(type(step).__name__, step)


@pytest.mark.parametrize("name", [*STATELESS, *FITTED])
def test_a_clone_is_another_step_with_the_same_settings(steps: dict[str, Any], name: str) -> None:
    step, _ = steps[name]
    copy = clone(step)
    assert copy is not step
    assert type(copy) is type(step)
    assert list(copy.get_params()) == list(step.get_params())


@pytest.mark.parametrize("name", STATELESS)
def test_a_stateless_step_needs_no_fit_and_fitting_changes_nothing(steps: dict[str, Any], name: str) -> None:
    step, frame = steps[name]
    check_is_fitted(step)
    before = step.get_params(deep=False)
    assert step.fit(frame) is step
    assert step.get_params(deep=False) == before


@pytest.mark.parametrize("name", [*STATELESS, *FITTED])
def test_the_input_is_not_changed(steps: dict[str, Any], name: str) -> None:
    step, frame = steps[name]
    before = frame.copy(deep=True)
    vectors = np.stack(frame["embedding"]) if "embedding" in frame else None
    labels = np.arange(len(frame)) % 3
    for act in (
        lambda: step.fit(frame, labels),
        lambda: step.transform(frame),
        lambda: step.fit_transform(frame, labels),
    ):
        act()
        pd.testing.assert_frame_equal(frame, before)
        if vectors is not None:
            np.testing.assert_array_equal(np.stack(frame["embedding"]), vectors)


@pytest.mark.parametrize("name", KEEPING)
def test_rows_keep_their_index(steps: dict[str, Any], name: str) -> None:
    step, frame = steps[name]
    out = step.transform(frame)
    assert out.index.isin(frame.index).all()
    assert out.index.is_monotonic_increasing


@pytest.mark.parametrize("name", FITTED)
def test_names_of_the_output_belong_to_its_columns(steps: dict[str, Any], name: str) -> None:
    step, frame = steps[name]
    fitted = clone(step).fit(frame, np.arange(len(frame)) % 3)
    names = fitted.get_feature_names_out()
    assert len(names) == fitted.transform(frame).shape[1]
    assert len(set(names)) == len(names)
    assert fitted.set_output(transform="pandas").transform(frame).columns.tolist() == names.tolist()


@pytest.mark.parametrize("name", FITTED)
def test_fitted_state_ends_in_an_underscore(steps: dict[str, Any], name: str) -> None:
    step, frame = steps[name]
    fresh = clone(step)
    before = set(vars(fresh))
    fresh.fit(frame, np.arange(len(frame)) % 3)
    learned = set(vars(fresh)) - before
    assert learned
    assert all(key.endswith("_") or key.startswith("_") for key in learned)
