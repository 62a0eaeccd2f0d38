from __future__ import annotations

from math import inf, log

import numpy as np
import pytest
from scipy.stats import binom

from batch_nlp.monitoring.statistics.distances import Distance, jensen_shannon, null_p_value, psi

BOTH = pytest.mark.parametrize("distance", [psi, jensen_shannon], ids=["psi", "jensen_shannon"])
Counts = list[int]


def test_distances_by_hand() -> None:
    # shares of 1/4 and 3/4 after the half that is added
    assert psi([0, 1], [1, 0]) == pytest.approx(2 * (1 / 2) * log(3))
    assert jensen_shannon([5, 0], [0, 7]) == 1.0


@BOTH
@pytest.mark.parametrize(("counts", "other"), [([3, 0, 5], [0, 7, 5]), ([1], [9]), ([0, 0], [2, 3]), ([9, 9], [8, 8])])
def test_distances_have_no_direction_and_end_at_nothing(distance: Distance, counts: Counts, other: Counts) -> None:
    assert 0 <= distance(counts, other) < inf
    assert distance(counts, other) == pytest.approx(distance(other, counts))
    assert distance(counts, counts) == 0.0
    # a category that occurs in neither changes nothing; to a sample without counts the distance is 0
    assert distance([*counts, 0], [*other, 0]) == distance(counts, other)
    assert distance(counts, [0] * len(counts)) == 0.0


@BOTH
@pytest.mark.parametrize("n", [30, 2000])
def test_the_p_value_keeps_its_level_under_the_null(distance: Distance, n: int) -> None:
    shares, runs, level = [0.135, 0.12, 0.745], 500, 0.05
    random = np.random.default_rng(n)
    triggers = sum(
        null_p_value(distance, random.multinomial(n, shares), random.multinomial(1200, shares), 999, run) <= level
        for run in range(runs)
    )
    # 30 messages have few different counts, which puts the rate a little under its level
    assert binom.ppf(0.0005, runs, level - 0.01 * (n == 30)) <= triggers <= binom.ppf(0.9995, runs, level)


@BOTH
def test_the_p_value_sees_a_change_and_is_never_zero(distance: Distance) -> None:
    assert null_p_value(distance, [100, 100, 400], [200, 200, 1600], 999, 1) == 0.001
    assert null_p_value(distance, [100, 100, 800], [200, 200, 1600], 999, 1) == 1.0


@BOTH
def test_the_same_seed_gives_the_same_p_value(distance: Distance) -> None:
    found = {null_p_value(distance, [3, 5, 22], [135, 120, 745], 199, seed) for seed in (4, 4, 4)}
    assert len(found) == 1


@BOTH
def test_without_messages_nothing_is_significant(distance: Distance) -> None:
    assert null_p_value(distance, [0, 0], [3, 4], 99, 0) == null_p_value(distance, [3, 4], [0, 0], 99, 0) == 1.0
    assert null_p_value(distance, [7, 0], [9, 0], 99, 0) == 1.0


def test_draws_whose_distances_are_taken_in_parts_give_the_same_p_value(monkeypatch: pytest.MonkeyPatch) -> None:
    counts, other = np.arange(1, 41), np.arange(40, 0, -1)
    whole = null_p_value(psi, counts // 4, other // 4, 999, 1)
    monkeypatch.setattr("batch_nlp.monitoring.statistics.distances._BLOCK", 1000)
    assert null_p_value(psi, counts // 4, other // 4, 999, 1) == whole
