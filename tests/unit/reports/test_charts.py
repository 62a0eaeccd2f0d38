from __future__ import annotations

import re
import warnings
from importlib.resources import files

import matplotlib as mpl
import pytest
from matplotlib.figure import Figure

from batch_nlp.reports.charts import COLOURS, DATA, draw_chart, hit_areas
from batch_nlp.reports.trend_charts import times


def line(figure: Figure) -> None:
    axes = figure.add_axes((0.1, 0.1, 0.8, 0.8))
    axes.plot([0, 1, 2], [0.25, 0.5, 0.75], color=DATA)
    axes.set_title('<script> $x$ 0.12345 id="a" 漢')
    hit_areas(axes, [0, 1, 2], ['a "b"', "<i>", "c"], ["a.12345.html", 'b".html', "c.html"])


def test_the_same_values_give_the_same_bytes_whatever_the_user_has_set() -> None:
    first = draw_chart("one", (300, 100), "words", line)
    with mpl.rc_context({"lines.linewidth": 9, "svg.fonttype": "path"}):
        assert draw_chart("one", (300, 100), "words", line) == first


def test_texts_are_texts_and_links_have_tooltips() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        svg = draw_chart("one", (300, 100), 'a "word"', line)
    assert svg.startswith("<svg ")
    assert 'aria-label="a &#34;word&#34;"' in svg
    assert '&lt;script&gt; $x$ 0.12345 id="a" 漢' in svg
    assert re.findall(r'<a href="(.*?)"><title>(.*?)</title>', svg) == [
        ("a.12345.html", "a &#34;b&#34;"),
        ("b&#34;.html", "&lt;i&gt;"),
        ("c.html", "c"),
    ]


def test_colours_follow_the_page_and_stay_in_a_file() -> None:
    assert "stroke: var(--data)" in draw_chart("one", (300, 100), "", line)
    assert f"stroke: {DATA}" in draw_chart("one", (300, 100), "", line, themed=False)


def test_two_charts_of_a_page_share_no_id() -> None:
    one, two = ({*re.findall(r'<[^<>]* id="(.*?)"', draw_chart(name, (300, 100), "", line))} for name in ("one", "two"))
    assert one
    assert not one & two


@pytest.mark.parametrize(
    ("at", "shown"),
    [
        (["2026-01-02T03:04:05+00:00", "2026-01-02T03:04:07+00:00"], ["2 Jan 03:04:05", "2 Jan 03:04:07"]),
        (["2026-01-02T03:04:05+05:00", "", "soon"], ["1 Jan", "", ""]),
        ([], []),
    ],
)
def test_times_are_as_long_as_tells_them_apart(at: list[str], shown: list[str]) -> None:
    assert times(at) == shown


def test_the_colours_of_a_chart_are_those_of_the_page() -> None:
    style = (files("batch_nlp.reports") / "templates" / "style.css").read_text(encoding="utf-8")
    # the first block has the colours of a bright screen
    page = dict(re.findall(r"--([\w-]+): (#\w+);", style[: style.index("@media")]))
    assert {name: page.get(name) for name in COLOURS} == COLOURS
