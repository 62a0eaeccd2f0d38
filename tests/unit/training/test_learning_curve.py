from __future__ import annotations

from dataclasses import replace
from typing import Any, Protocol
from xml.etree import ElementTree

import numpy as np
import pandas as pd
import pytest
from tests.fields import FIELDS
from tests.naming import assert_names, names, refusal

from batch_nlp.config import LearningCurveConfig
from batch_nlp.errors import DataError
from batch_nlp.storage.registry import Registry
from batch_nlp.training.learning_curve.extrapolation import fit_power_law, look_ahead
from batch_nlp.training.learning_curve.learning_curve_report import curve_markdown, curve_page
from batch_nlp.training.learning_curve.measure_curve import measure_learning_curve

SIZES = [500, 1000, 2000, 4000, 8000, 16000]


class World(Protocol):
    config: Any
    registry: Registry


@pytest.mark.parametrize(("a", "b", "c"), [(0.82, 2.5, 0.45), (0.95, 0.9, 0.2), (0.7, 40.0, 0.9)])
def test_a_power_law_is_recovered_from_its_own_points(a: float, b: float, c: float) -> None:
    scores = [a - b * n**-c for n in SIZES]
    found = fit_power_law(SIZES, scores)
    assert found is not None
    assert (found.a, found.b, found.c) == pytest.approx((a, b, c), rel=1e-3)
    assert found(2 * SIZES[-1]) == pytest.approx(a - b * (2 * SIZES[-1]) ** -c, abs=1e-5)


def test_three_sizes_are_no_curve() -> None:
    assert fit_power_law(SIZES[:3], [0.6, 0.7, 0.75]) is None


@pytest.mark.parametrize(
    ("error_rates", "answer"),
    [
        ([0.5, 0.42, 0.35, 0.295, 0.25, 0.21], "yes"),
        ([0.26, 0.252, 0.25, 0.25, 0.25, 0.25], "little"),
        ([0.5, 0.4, 0.3], "unknown"),
    ],
)
def test_the_answer_follows_from_what_twice_as_many_messages_would_gain(error_rates: list[float], answer: str) -> None:
    truth = np.tile([0, 1], 2000)
    # the first messages of a fixed order are wrong, so that what few messages teach is kept by more of them
    order = np.random.default_rng(0).permutation(len(truth))
    predictions = []
    for rate in error_rates:
        predicted = truth.copy()
        wrong = order[: round(rate * len(truth))]
        predicted[wrong] = 1 - truth[wrong]
        predictions.append(predicted)
    found = look_ahead(SIZES[: len(error_rates)], truth, predictions, 2, "f1_macro", seed=0)
    assert found.answer == answer
    if answer == "yes":
        assert found.gain == pytest.approx(0.033, abs=0.01)
        assert_names(found.sentence, 32000, 16000)
    if answer == "little":
        assert found.gain is not None
        assert 0 <= found.gain < 0.005
    if answer == "unknown":
        assert found.gain is None


def test_a_size_with_too_few_of_a_class_is_passed_over_and_the_full_size_is_the_champion(
    world: World, messages: pd.DataFrame
) -> None:
    config = replace(
        world.config,
        learning_curve=LearningCurveConfig([0.02, 1.0]),
        model=replace(world.config.model, name="<b>model</b>"),
    )
    found = measure_learning_curve(config, messages, FIELDS)
    (skipped,), (point,) = found.skipped, found.points
    assert skipped.messages == round(0.02 * point.messages)
    assert names(skipped.reason, "negative") or names(skipped.reason, "neutral")
    # the same settings, messages and hold-out as those of the champion
    manifest = world.registry.champion_manifest()
    assert manifest is not None
    assert point.messages == manifest["training_rows"]
    assert found.holdout_messages == manifest["holdout_rows"]
    for name in ("f1_macro", "f1_weighted"):
        assert point.scores[name] == pytest.approx(manifest["metrics"][name])
        lower, upper = point.intervals[name]
        assert lower < point.scores[name] < upper
    text, page = curve_markdown(found), curve_page(found)
    assert_names(text, f"{point.scores['f1_macro']:.4f}", skipped.messages)
    assert "<b>model" not in page
    figure = page[page.index("<svg") : page.index("</svg>") + len("</svg>")]
    drawing = ElementTree.fromstring(figure)  # noqa: S314 our own
    assert_names(drawing.get("aria-label"), f"{point.scores['f1_macro']:.3f}", point.messages)
    assert page == curve_page(found)


def test_shares_that_are_all_too_small_stop_with_the_reason(world: World, messages: pd.DataFrame) -> None:
    config = replace(world.config, learning_curve=LearningCurveConfig([0.01, 0.02]))
    with refusal(DataError, "learning_curve.shares=[0.01, 0.02]"):
        measure_learning_curve(config, messages, FIELDS)
