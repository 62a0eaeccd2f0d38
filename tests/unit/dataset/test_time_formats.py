from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

from batch_nlp.config import ColumnConfig, Role
from batch_nlp.dataset.parse_times import as_times
from batch_nlp.dataset.time_formats import guess_formats


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
        (["Mon Nov 30 2026 12:04:11 GMT+0100 (CET)"], ["%a %b %d %Y %H:%M:%S GMT%z"]),
        (["03JAN2026", "31DEC2026"], ["%d%b%Y"]),
        (["03JAN2026:08:15:00"], ["%d%b%Y:%H:%M:%S"]),
        (["31/Jan/2026:09:15:00 +0100"], ["%d/%b/%Y:%H:%M:%S %z"]),
        (["2026-01-31", "2026-02-01 10:00"], ["iso"]),
        (["2026-01-31", "31.01.2026", "44593.5"] * 3, ["iso|excel|%d.%m.%Y"]),
        (["2026-01-31", "01/02/2026", "2026-02-01"], ["iso|%d/%m/%Y", "iso|%m/%d/%Y"]),
        (["31.01.2026", "01.02.2026", "1/2/26"], ["%d.%m.%Y|%d/%m/%y", "%d.%m.%Y|%m/%d/%y"]),
        (["soon", "later"], []),
        ([{"at": 1}], []),
        ([], []),
    ],
)
def test_the_forms_that_read_the_most_are_told(values: list[Any], forms: list[str]) -> None:
    assert guess_formats(values) == forms
    for form in forms:
        times = as_times(pd.Series(values, dtype=object), ColumnConfig(Role.time, format=form))
        assert times.notna().all()


def test_days_and_months_that_change_places_are_not_read_as_if_all_were_told() -> None:
    """05/06/2026 would be taken for the one that comes first, whichever it is."""
    assert guess_formats(["13/01/2026", "14/01/2026", "01/15/2026"]) == ["%d/%m/%Y"]


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
