from __future__ import annotations

import math
from decimal import Decimal
from typing import Any

import pytest

from batch_nlp.dataset.conversion import UNREADABLE, as_category, as_key, as_number, as_text


@pytest.mark.parametrize(
    ("value", "expected"), [(10**400, math.nan), (-(10**400), math.nan), ("1e400", math.nan), (10**300, 1e300)]
)
def test_a_number_that_is_too_large_for_a_float_is_none(value: Any, expected: float) -> None:
    assert as_number(value) == pytest.approx(expected, nan_ok=True)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (["a", None, " b ", "", 3.0, math.nan, True], "a|b|3|true"),
        ([2.5, "7.0", 7], "2.5|7|7"),
        ([None, ""], None),
        ([], None),
        (["a", ["b"]], UNREADABLE),
        (["a", {}], UNREADABLE),
    ],
)
def test_a_list_of_categories_is_those_that_are_there(value: list[Any], expected: Any) -> None:
    assert as_category(value) == expected


@pytest.mark.parametrize("value", ["0,125", "-0,125", "1250,125", "12,1250", ",125", "1,25,000", "1_000"])
def test_a_comma_that_cannot_separate_thousands_is_not_read(value: str) -> None:
    assert math.isnan(as_number(value))


@pytest.mark.parametrize(
    ("value", "expected"),
    [("1.750,5", 1750.5), ("0,125", 0.125), ("1'750,5", 1750.5), ("0.125", math.nan), (0.125, 0.125), ("3", 3.0)],
)
def test_a_comma_can_be_the_sign_of_decimals(value: Any, expected: float) -> None:
    assert as_number(value, ",") == pytest.approx(expected, nan_ok=True)


@pytest.mark.parametrize(
    ("value", "expected"),
    [(Decimal("7.00"), "7"), (Decimal("1E+2"), "100"), (Decimal("7.50"), "7.50"), (math.inf, "inf"), (1e3, "1000")],
)
def test_a_whole_number_is_an_id_without_decimals(value: Any, expected: str) -> None:
    assert as_key(value) == expected


def test_a_list_of_texts_is_those_that_are_there() -> None:
    assert as_text(["two", None, "", 3]) == "two 3"
    assert as_text([None]) is None
    assert as_text(["a", ["b"]]) is UNREADABLE
