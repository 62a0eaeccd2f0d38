"""Guarantee 11 through the real runner: what a nightly alarm leads to."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.conftest import World
from tests.naming import assert_names
from tests.pipeline.nights import decisions, labels_arrive, night, nightly

pytestmark = pytest.mark.long


def test_50_drifted_batches_on_unchanged_data_lead_to_one_retraining_then_alerts(world: World, tmp_path: Path) -> None:
    """Guarantee 11."""
    config = nightly(world, tmp_path)
    codes = [night(config, number) for number in range(50)]
    # on unchanged data the candidate is the champion over again, so its gate refuses it
    assert codes == [5] + [4] * 49
    kinds = [decision["decision"] for decision in decisions(config)]
    assert (kinds.count("batch"), kinds.count("retraining"), kinds.count("held back")) == (50, 1, 49)
    (retraining,) = decisions(config, "retraining")
    assert (retraining["outcome"], retraining["champion"], retraining["answered"]) == ("same", "v0001", False)


def test_labels_of_drifted_batches_allow_a_second_retraining_and_a_third_needs_many_more(
    world: World, tmp_path: Path
) -> None:
    config = nightly(world, tmp_path)
    assert night(config, 0) == 5
    assert night(config, 1) == 4
    labels_arrive(config)
    assert night(config, 2) in (0, 5)
    first, second = decisions(config, "retraining")
    assert (first["answered"], second["answered"], second["change"]) == (False, True, first["batch"])
    labels_arrive(config)
    assert night(config, 3) == 4
    held = decisions(config, "held back")[-1]
    assert held["state"] == "open"
    assert_names(held["reason"], int(held["figures"]["new_labels"]))
