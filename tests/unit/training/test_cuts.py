from __future__ import annotations

import numpy as np

from batch_nlp.training.cuts import find_cuts, sides_of


def test_cuts_lie_between_places_and_not_between_a_class_and_all_others() -> None:
    places = np.repeat([1.0, 2.0, 3.0, 4.0, 5.0], 20)
    assert find_cuts(places, np.digitize(places, [2.5, 3.5])) == (1.0, 4.0)
    # two classes are separated by one cut
    assert find_cuts(places, np.digitize(places, [2.5])) == (1.0, 3.0, 4.0)
    # of four classes, the cut in the middle separates two from two
    assert find_cuts(places, np.digitize(places, [1.5, 2.5, 3.5])) == (2.0, 4.0)


def test_few_labels_make_no_cut() -> None:
    places = np.repeat([1.0, 2.0, 3.0, 4.0], [19, 30, 30, 20])
    classes = np.tile([0, 1, 2], 33)
    assert find_cuts(places, classes) == (2.0, 3.0)


def test_many_places_are_cut_into_about_equal_parts() -> None:
    places = np.arange(2200.0)
    cuts = find_cuts(places, np.zeros(len(places), dtype=int))
    assert cuts == tuple(200.0 * number - 1 for number in range(1, 11))


def test_a_label_without_a_place_is_on_no_side() -> None:
    places = np.array([1.0, np.nan, 2.0, 3.0])
    assert sides_of(places, 2.0).tolist() == [-1, 0, -1, 1]
    # one class lacks a place, so that the cut knows less than the classes
    many = np.repeat(places, 20)
    assert find_cuts(many, np.repeat([0, 0, 1, 1], 20)) == (1.0, 2.0)
