from __future__ import annotations

import pytest

from batch_nlp.onboarding.times import TimeFormat, time_format


@pytest.mark.parametrize(
    ("values", "form", "other"),
    [
        (["2022-01-31", "2022-02-01T10:00:00+02:00"], None, None),
        (["2/21/2015 21:32", "12/1/2015 0:05"], "%m/%d/%Y %H:%M", None),
        (["21.2.2015", "1.12.2015"], "%d.%m.%Y", None),
        (["01/02/2015", "03/04/2015"], "%d/%m/%Y", "%m/%d/%Y"),
        (["01/02/2015 3:00 PM", "03/04/2015 11:59 AM"], "%m/%d/%Y %I:%M %p", "%d/%m/%Y %I:%M %p"),
        (["Tue Oct 31 22:10:47 +0000 2017"], "%a %b %d %H:%M:%S %z %Y", None),
        (["May 15, 2009", "December 1, 2010"], "%B %d, %Y", None),
    ],
)
def test_the_format_that_reads_all_values(values: list[str], form: str | None, other: str | None) -> None:
    assert time_format(values) == TimeFormat(form, other)


@pytest.mark.parametrize("values", [[], ["2015", "2016"], ["1.5", "2.25"], ["fine", "bad"], ["2022-01-31", "soon"]])
def test_what_is_no_time(values: list[str]) -> None:
    assert time_format(values) is None
