from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from batch_nlp.onboarding.guess_time_format import TimeFormat, guess_time_format

_JAVASCRIPT = "%a %b %d %Y %H:%M:%S GMT%z"


@pytest.mark.parametrize(
    ("values", "form", "other"),
    [
        (["2022-01-31", "2022-02-01T10:00:00+02:00"], None, None),
        ([datetime(2022, 1, 31, tzinfo=UTC)], None, None),
        (["2/21/2015 21:32", "12/1/2015 0:05"], "%m/%d/%Y %H:%M", None),
        (["21.2.2015", "1.12.2015"], "%d.%m.%Y", None),
        (["01/02/2015", "03/04/2015"], "%d/%m/%Y", "%m/%d/%Y"),
        (["01/02/2015 3:00 PM", "03/04/2015 11:59 AM"], "%m/%d/%Y %I:%M %p", "%d/%m/%Y %I:%M %p"),
        (["Tue Oct 31 22:10:47 +0000 2017"], "%a %b %d %H:%M:%S %z %Y", None),
        (["May 15, 2009", "December 1, 2010"], "%B %d, %Y", None),
        (["May 15, 2009 1:05 PM", "May 1, 2010 11:05 AM"], "%B %d, %Y %I:%M %p", None),
        (["15-MAR-21"], "%d-%b-%y", None),
        (["3/1/2022 8:15 CET", "31/7/2022 8:15 CEST"], "%d/%m/%Y %H:%M %Z", None),
        ([f"Mon Jan {n} 2022 08:15:00 GMT+0100 (Central European Standard Time)" for n in (10, 11)], _JAVASCRIPT, None),
        (["2022-01-31 10:15:00 UTC", "2022-02-01 10:15:00 UTC"], None, None),
        (["2022-01-31 10:15 PM", "2022-02-01 09:15 AM"], "%Y-%m-%d %I:%M %p", None),
        (["31.01.2022 10.15", "1.2.2022 9.15"], "%d.%m.%Y %H.%M", None),
        (["2022-01-31 10.15.30", "2022-02-01 09.15.30"], "%Y-%m-%d %H.%M.%S", None),
        # the one day over 12 is far from the others
        ([f"0{1 + n % 9}/0{1 + n // 9 % 9}/20{10 + n // 81}" for n in range(890)] + ["31/12/2020"], "%d/%m/%Y", None),
        # only one of the two is in order
        (["01/02/2015", "05/02/2015", "03/03/2015", "01/04/2015", "07/04/2015"], "%d/%m/%Y", None),
        (["2022-01-31"] + [f"2022-01-31 10:{n:02}" for n in range(59)] + ["soon"], None, None),
    ],
)
def test_the_format_that_reads_all_values(values: list[Any], form: str | None, other: str | None) -> None:
    assert guess_time_format(values) == TimeFormat(form, other)


@pytest.mark.parametrize(
    ("values", "form"),
    [(["44593.5", "44600"], "excel"), ([1643716800, 1643716900], "unix"), ([20220131, 20220201], None)],
)
def test_numbers_are_times_where_the_column_is_called_so(values: list[Any], form: str | None) -> None:
    assert guess_time_format(values, named=True) == TimeFormat(form)
    assert guess_time_format(values) is None


@pytest.mark.parametrize(
    ("values", "form"),
    [
        ([f"{44593 + n * 0.37:.0f}{(n * 7 % 1440) / 1440:.6f}".replace("0.", ".", 1) for n in range(60)], "excel"),
        ([f"{44593 + n * 0.37123:.5f}".rstrip("0") for n in range(60)], "excel"),
        ([str(1643716800 + 977 * n) for n in range(60)], "unix"),
    ],
)
def test_numbers_that_can_be_nothing_else_are_times_without_a_name(values: list[str], form: str) -> None:
    assert guess_time_format(values) == TimeFormat(form)
    prices = [f"{40000 + n * 13.37:.2f}" for n in range(60)]
    assert guess_time_format(prices) is None


@pytest.mark.parametrize("values", [[], ["2015", "2016"], ["1.5", "2.25"], ["fine", "bad"], ["2022-01-31", "soon"]])
def test_what_is_no_time(values: list[str]) -> None:
    assert guess_time_format(values) is None
