from __future__ import annotations

from typing import Any

import pytest

from batch_nlp.onboarding.column_profiles import like_data, profiles


@pytest.mark.parametrize(
    ("rows", "data"),
    [
        ([{"n1": "n2", "good": "good", "5": "4"}], 1),
        ([{"1": 2, "2": 3, "fine": "bad"}], 2),
        ([{"text": "a", "2019": 5, "label": "b"}], 0),
        ([], 0),
    ],
)
def test_names_that_are_data_tell_a_table_without_a_header(rows: list[dict[str, Any]], data: int) -> None:
    assert like_data(profiles(rows)) == data
