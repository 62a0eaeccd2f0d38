from __future__ import annotations

import tracemalloc

import numpy as np
import pytest
from numpy.typing import NDArray

from batch_nlp.metrics.bootstrap import lower_bound_of_difference, with_intervals
from batch_nlp.metrics.confusion import ClassCounts, confusion_matrix

Labels = NDArray[np.int64]


def truth_and(*accuracies: float, n: int = 600, seed: int = 0) -> list[Labels]:
    """Return true classes and, for each accuracy, predictions that are right so often."""
    random = np.random.default_rng(seed)
    truth = random.choice(3, n, p=[0.2, 0.13, 0.67])
    wrong = [(truth + random.integers(1, 3, n)) % 3 for _ in accuracies]
    right = [random.random(n) < accuracy for accuracy in accuracies]
    return [truth, *(np.where(hit, truth, other) for hit, other in zip(right, wrong, strict=True))]


def bound(sides: list[Labels], k: int = 3, metric: str = "f1_macro", n: int = 1000, seed: int = 1) -> float:
    return lower_bound_of_difference(*sides, k, metric, n, 0.95, seed)


def test_what_is_undefined_has_no_interval() -> None:
    found = with_intervals(np.array([[3, 1, 0], [2, 4, 0], [0, 0, 0]]), seed=1)
    assert found["f1_macro"]["value"] == pytest.approx((6 / 9 + 8 / 11) / 2)
    for name in ("precision", "recall", "f1"):
        assert [found[name][index]["value"] is None for index in range(3)] == [False, False, True]
        assert found[name][2] == {"value": None, "low": None, "high": None}
        assert all(one["low"] < one["value"] < one["high"] for one in found[name][:2])


def test_an_interval_of_certain_figures_is_a_point() -> None:
    found = with_intervals(np.diag([30, 20, 0]), seed=1)
    for name in ("f1_macro", "f1_weighted", "accuracy"):
        assert found[name] == {"value": 1.0, "low": 1.0, "high": 1.0}


@pytest.mark.parametrize("confusion", [[[30, 9, 0], [8, 20, 3], [0, 4, 0]], [[0, 9, 2], [8, 20, 3], [1, 4, 7]]])
def test_intervals_are_percentiles_of_draws_of_the_whole_table(confusion: list[list[int]]) -> None:
    cells = np.array(confusion)
    draws = np.random.default_rng(5).multinomial(cells.sum(), cells.ravel() / cells.sum(), 1000).reshape(-1, 3, 3)
    found = with_intervals(cells, seed=5)
    for name, values in ClassCounts.of(draws).metrics().items():
        low, high = np.nanpercentile(values, [2.5, 97.5], axis=0)
        one = found[name] if values.ndim == 1 else found[name][1]
        expected = (low, high) if values.ndim == 1 else (low[1], high[1])
        assert (one["low"], one["high"]) == pytest.approx(expected, abs=1e-12), name


def test_a_95_percent_interval_covers_the_truth_about_95_times_in_100() -> None:
    """300 hold-outs are drawn from a population in which 80 % are right; 91 to 99 % is four standard errors wide."""
    random = np.random.default_rng(3)
    covered = above = below = 0
    for draw in range(300):
        cells = random.multinomial(400, [0.4, 0.1, 0.1, 0.4]).reshape(2, 2)
        found = with_intervals(cells, seed=draw)["accuracy"]
        covered += found["low"] <= 0.8 <= found["high"]
        above, below = above + (found["low"] > 0.8), below + (found["high"] < 0.8)
    assert 0.91 <= covered / 300 <= 0.99
    # neither end takes the whole error
    assert max(above, below) <= 0.055 * 300


def naive_f1(truth: Labels, predicted: Labels, metric: str) -> float:
    scores, sizes = [], []
    for name in range(3):
        is_class, found = truth == name, predicted == name
        scores.append(2 * np.sum(is_class & found) / (np.sum(is_class) + np.sum(found)))
        sizes.append(np.sum(is_class))
    return float(np.average(scores, weights=sizes if metric == "f1_weighted" else None))


@pytest.mark.parametrize("metric", ["f1_macro", "f1_weighted"])
def test_the_bound_is_that_of_resampled_messages(metric: str) -> None:
    truth, *sides = truth_and(0.82, 0.8, n=300, seed=4)
    random = np.random.default_rng(7)
    differences = []
    for _ in range(1500):
        rows = random.integers(0, len(truth), len(truth))
        candidate, champion = (naive_f1(truth[rows], side[rows], metric) for side in sides)
        differences.append(candidate - champion)
    for confidence in (0.8, 0.95):
        expected = np.quantile(differences, 1 - confidence)
        found = lower_bound_of_difference(truth, *sides, 3, metric, 20_000, confidence, 3)
        # the naive bound itself varies by about 0.0025 (standard deviation of a difference 0.03, 1,500 resamples)
        assert found == pytest.approx(expected, abs=0.008)


def test_the_bound_follows_the_seed_alone() -> None:
    sides = truth_and(0.8, 0.8)
    assert bound(sides) == bound(sides)
    assert bound(sides) != bound(sides, seed=2)


def test_more_messages_bring_the_bound_nearer() -> None:
    small, large = (bound(truth_and(0.85, 0.8, n=n, seed=1)) for n in (200, 20_000))
    assert small < large


def test_a_class_without_a_label_counts_neither_way() -> None:
    """Macro F1 over the two classes that occur, as if there were no third: the two differ by their draws alone."""
    random = np.random.default_rng(3)
    truth = random.integers(0, 2, 300)
    sides = [truth, *(np.where(random.random(300) < right, truth, 1 - truth) for right in (0.9, 0.7))]
    assert bound(sides, k=3) == pytest.approx(bound(sides, k=2), abs=0.01)


def test_what_only_the_champion_predicts_is_a_miss_of_the_champion() -> None:
    truth = np.repeat([0, 1], 20)
    champion = np.where(np.arange(40) % 2, truth, 3)  # class 3 of 0, 1 and 2: unknown to the candidate
    # F1 of the champion: 2 * 10 / (10 + 20) in both classes
    assert bound([truth, truth.copy(), champion]) == pytest.approx(1 - 2 / 3, abs=0.2)
    assert bound([truth, truth.copy(), truth.copy()]) == 0


@pytest.mark.parametrize(("seed", "metric"), [(1, "f1_macro"), (1, "f1_weighted"), (2, "f1_macro")])
def test_the_draws_are_those_of_the_whole_table_of_cells(seed: int, metric: str) -> None:
    """The bound of 3 classes is the one that drawing all 27 cells gives, empty ones included."""
    truth, candidate, champion = truth_and(0.85, 0.8, n=60, seed=seed)
    cells = np.bincount(np.ravel_multi_index((truth, candidate, champion), (3, 3, 3)), minlength=27)
    draws = np.random.default_rng(7).multinomial(60, cells / 60, 1000).reshape(-1, 3, 3, 3)
    sides = [ClassCounts.of(draws.sum(axis=axis)).mean_f1(metric) for axis in (3, 2)]
    found = bound([truth, candidate, champion], metric=metric, seed=7)
    assert found == pytest.approx(np.quantile(sides[0] - sides[1], 0.05), abs=1e-12)


def test_many_classes_cost_little_more_than_three() -> None:
    """With the cube of the classes it would be 100,000 times as much."""

    def peak(k: int) -> int:
        random = np.random.default_rng(0)
        truth = np.arange(3000) % k
        sides = [np.where(random.random(3000) < 0.8, truth, random.integers(0, k, 3000)) for _ in range(2)]
        tracemalloc.start()
        bound([truth, *sides], k)
        with_intervals(confusion_matrix(truth, sides[0], k), 1)
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return most

    # what is kept of each class in each resample is 50 times as much with 150 classes as with 3
    assert peak(150) < 60 * peak(3)
