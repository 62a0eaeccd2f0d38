from __future__ import annotations

import numpy as np

from batch_nlp.training.cuts import find_cuts, sides_of


def test_cuts_lie_between_places() -> None:
    assert find_cuts(np.repeat([1.0, 2.0, 3.0, 4.0, 5.0], 20)) == (1.0, 2.0, 3.0, 4.0)


def test_few_labels_make_no_cut() -> None:
    places = np.repeat([1.0, 2.0, 3.0, 4.0], [19, 30, 30, 20])
    assert find_cuts(places) == (2.0, 3.0)


def test_many_places_are_cut_into_about_equal_parts() -> None:
    places = np.arange(2200.0)
    assert find_cuts(places) == tuple(200.0 * number - 1 for number in range(1, 11))


def test_a_label_without_a_place_is_on_no_side() -> None:
    places = np.array([1.0, np.nan, 2.0, 3.0])
    assert sides_of(places, 2.0).tolist() == [-1, 0, -1, 1]
    assert find_cuts(np.repeat(places, 20)) == (1.0, 2.0)
