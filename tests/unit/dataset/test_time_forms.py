from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

from batch_nlp.config import ColumnConfig, Role
from batch_nlp.dataset.time_forms import time_forms
from batch_nlp.dataset.values import as_times


@pytest.mark.parametrize(
    ("values", "forms"),
    [
        (["31.01.2026 09:15", "01.02.2026 10:00"], ["%d.%m.%Y %H:%M"]),
        (["01/02/2026", "13/02/2026"], ["%d/%m/%Y"]),
        (["01/02/2026", "02/13/2026"], ["%m/%d/%Y"]),
        (["01/02/2026"], ["%d/%m/%Y", "%m/%d/%Y"]),
        (["1/31/26 3:04 PM"], ["%m/%d/%y %I:%M %p"]),
        (["Mon, 05 Jan 2026 10:00:00 +0000", "Tue, 06 Jan 2026 10:00:00 +0000"], ["%a, %d %b %Y %H:%M:%S %z"]),
        (["44593.5", "44594"], ["excel"]),
        (["44593,5"], ["excel"]),
        (["1643716800"], ["unix"]),
        ([1643716800000], ["unix"]),
        (["31.01.2026", "01.02.2026", "2026-02-03T09:15"], ["%d.%m.%Y or ISO8601"]),
        (["01/02/2026", "02/03/2026", "Jan 31, 2026"], ["%d/%m/%Y or %b %d, %Y", "%m/%d/%Y or %b %d, %Y"]),
        (["31.01.2026", "01.02.2026", "1/2/26"], ["%d.%m.%Y or %d/%m/%y", "%d.%m.%Y or %m/%d/%y"]),
        (["31.01.2026", "01.02.2026", "2026-02-03", "44593.5"], ["excel or ISO8601 or %d.%m.%Y"]),
        (["soon", "later"], []),
        ([{"at": 1}], []),
        ([], []),
    ],
)
def test_the_forms_that_read_the_most_are_told(values: list[Any], forms: list[str]) -> None:
    assert time_forms(values) == forms
    for form in forms:
        times = as_times(pd.Series(values, dtype=object), ColumnConfig(Role.time, format=form))
        assert times.notna().all()


def test_days_and_months_that_change_places_are_not_read_as_if_all_were_told() -> None:
    """05/06/2026 would be taken for the one that comes first, whichever it is."""
    assert time_forms(["13/01/2026", "14/01/2026", "01/15/2026"]) == ["%d/%m/%Y"]


def test_of_several_formats_the_first_that_reads_a_value_counts_each_with_the_zone() -> None:
    values = pd.Series(["2026-01-02T10:00Z", "2026-01-02", "03.01.2026", "soon", None], dtype=object)
    found = as_times(values, ColumnConfig(Role.time, format="ISO8601 or %d.%m.%Y", zone="Europe/Rome"))
    assert found.isna().tolist() == [False] * 3 + [True] * 2
    assert [f"{time:%m-%d %H:%M}" for time in found.dropna()] == ["01-02 10:00", "01-01 23:00", "01-02 23:00"]
    assert str(found.dtype) == "datetime64[us, UTC]"


@pytest.mark.parametrize("form", ["excel", "unix"])
def test_times_that_are_numbers_are_read_where_the_format_says_so(form: str) -> None:
    noon = {"excel": ["44593.5", "44593,5", 44593.5], "unix": ["1643716800", 1643716800000, 1643716800.0]}[form]
    values = pd.Series([*noon, "x", "inf", "1e300", True, None, ""], dtype=object)
    found = as_times(values, ColumnConfig(Role.time, format=form))
    assert found.isna().tolist() == [False] * 3 + [True] * 6
    assert set(found.dropna()) == {pd.Timestamp("2022-02-01 12:00", tz="UTC")}
    assert str(found.dtype) == "datetime64[us, UTC]"
    # Excel knows no zones, and seconds since 1970 are those of UTC
    [local] = as_times(pd.Series(noon[:1], dtype=object), ColumnConfig(Role.time, format=form, zone="Europe/Rome"))
    assert local == pd.Timestamp("2022-02-01 11:00" if form == "excel" else "2022-02-01 12:00", tz="UTC")


@pytest.mark.parametrize("value", ["44593.385428240741", "44593.38543"])
def test_a_second_of_excel_is_a_whole_one(value: str) -> None:
    """09:15:01 is 0.3854282407... of a day, of which Excel shows five decimals."""
    [found] = as_times(pd.Series([value], dtype=object), ColumnConfig(Role.time, format="excel"))
    assert found == pd.Timestamp("2022-02-01 09:15:01", tz="UTC")


def test_values_that_pandas_cannot_hash_are_unreadable_in_a_large_batch_too() -> None:
    """It looks for values that come again from 50 on."""
    values = pd.Series(["2026-01-31"] * 100 + [["2026"], {"at": 1}], dtype=object)
    assert as_times(values, ColumnConfig(Role.time)).isna().tolist() == [False] * 100 + [True] * 2
