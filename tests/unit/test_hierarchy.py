from __future__ import annotations

import pytest

from batch_nlp.hierarchy import roll_up


@pytest.mark.parametrize(
    ("classes", "expected"),
    [
        (["a / x", "b / x", "a / y"], [("a", [0, 2]), ("b", [1])]),
        (["a / x / 1", "a / y", "b"], [("a", [0, 1]), ("b", [2])]),  # the first of three levels
        (["negative", "positive"], []),
        (["a / x", "b / x"], []),  # as many parents as classes
        (["a / x", "a / y"], []),  # one parent has all messages, always
        ([], []),
    ],
)
def test_leaves_are_grouped_by_their_first_level(classes: list[str], expected: list[tuple[str, list[int]]]) -> None:
    assert roll_up(classes) == expected
