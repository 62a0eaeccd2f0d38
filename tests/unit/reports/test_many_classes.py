"""Reports of many classes, and of a hierarchy: what a person has to look at stays on a screen."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from tests.naming import assert_names
from tests.settings import default
from tests.unit.reports.batch_documents import CHAMPIONS, START, batch

from batch_nlp.config import DriftConfig, DriftRule
from batch_nlp.hierarchy import Leaves
from batch_nlp.log import console
from batch_nlp.monitoring.archive import totals
from batch_nlp.monitoring.batch_document import batch_document
from batch_nlp.monitoring.findings import Analysis, Compared, Comparison, TestResult
from batch_nlp.monitoring.rules import CLASSES_CHI_SQUARE, judge
from batch_nlp.monitoring.verdict_terminal import show_verdict
from batch_nlp.reports.batch_index import write_index
from batch_nlp.reports.batch_page import write_batch_report
from batch_nlp.reports.documents import classes_to_show, read_reports, with_parents
from batch_nlp.reports.prometheus import write_metrics

MANY = [f"intent {number:03d}" for number in range(120)]
LEAVES = Leaves(["negative / bags", "negative / late", "neutral", "positive"])
SETTINGS = default(DriftConfig, rules=[DriftRule.reference])


def of_many(changed: int = 7, messages: int = 900) -> Analysis:
    """Return a batch of 120 classes, 10 messages each but for one that was not so frequent on the hold-out."""
    counts = [10] * 120
    counts[changed] = messages
    before = dict.fromkeys(MANY, 1 / 120)
    test = TestResult(CLASSES_CHI_SQUARE, "mix", 99.0, 1e-9, 1e-8, True)
    comparison = Comparison({name: Compared(None, share) for name, share in before.items()}, Compared(0.8, 0.8), [test])
    verdict = judge(counts, MANY, SETTINGS, comparison)
    return Analysis("b", verdict, reference_shares=before, prior_shares=before)


def page_of(folder: Path, found: Analysis, settings: DriftConfig = SETTINGS, **facts: Any) -> str:
    counts = [share.messages for share in found.verdict.shares]
    about = batch(counts=counts, **facts)
    write_batch_report(folder, batch_document(about, found, None, settings), CHAMPIONS)
    return (folder / f"{about['name']}.html").read_text()


def rows_of_classes(page: str) -> list[str]:
    table = page.partition("<th>class</th>")[2].partition("</table>")[0]
    return re.findall(r"<tr><td>(?:<b>)?<bdi>(.*?)</bdi>", table)


def charts(page: str) -> list[str]:
    """Return what the charts of an index show."""
    return re.findall(r'aria-label="(.*?) of \d+ batches', page)


def test_classes_that_are_out_come_first_and_then_the_largest() -> None:
    shares = [{"name": str(n), "share": n / 100, "out": n in (2, 4)} for n in range(8)]
    assert [share["name"] for share in classes_to_show(shares, 4)] == ["4", "2", "7", "6"]
    assert classes_to_show(shares, 8) == shares


def test_the_terminal_shows_twenty_of_120_classes() -> None:
    found = of_many()
    with console.capture() as capture:
        show_verdict("b", found.verdict, "none", 0.95, found)
    text = capture.get()
    assert len(re.findall(r"^\W*intent \d", text, re.MULTILINE)) == 20
    assert text.index("intent 007") < text.index("intent 000")
    assert "and 100 more" in text


def test_the_page_of_a_batch_shows_twenty_of_120_classes_and_no_band_that_cannot_be_satisfied(tmp_path: Path) -> None:
    page = page_of(tmp_path, of_many())
    rows = rows_of_classes(page)
    assert (len(rows), rows[0]) == (20, "intent 007")
    assert_names(page, 100)
    assert "var(--band)" not in page.partition("</style>")[2]
    assert len(page) < 90_000
    (document,) = read_reports(tmp_path)
    assert len(document["verdict"]["shares"]) == 120
    assert document["band"]["low"] is None


def test_the_index_shows_twelve_of_120_classes_those_that_were_out_first(tmp_path: Path) -> None:
    for day in range(5):
        page_of(tmp_path, of_many(day), name=f"2026010{day + 1}T020000Z-00000000")
    write_index(tmp_path, read_reports(tmp_path), {}, CHAMPIONS, [])
    page = (tmp_path / "index.html").read_text()
    drawn = charts(page)[:12]
    assert sorted(drawn[:5]) == MANY[:5]
    assert all(name in MANY for name in drawn)
    assert_names(page, 108)
    write_metrics(tmp_path / "m.prom", "sample", read_reports(tmp_path), {}, CHAMPIONS, [], totals([]), START)
    metrics = (tmp_path / "m.prom").read_text()
    assert metrics.count("batch_nlp_class_share_ratio{") == 120
    assert "bound=" not in metrics


def test_a_hierarchy_is_shown_with_the_sums_of_its_parents(tmp_path: Path) -> None:
    settings = default(DriftConfig)
    verdict = judge([4, 5, 41, 50], LEAVES, settings)
    before = dict(zip(LEAVES, [0.1, 0.15, 0.25, 0.5], strict=True))
    found = Analysis("b", verdict, reference_shares=before, prior_shares=before)
    page = page_of(tmp_path, found, settings)
    assert rows_of_classes(page) == ["negative", "neutral", "positive", *LEAVES]
    negative = page.partition("<bdi>negative</bdi>")[2].partition("</tr>")[0]
    assert all(figure in negative for figure in ("9.0%", "25.0%", "out"))
    with console.capture() as capture:
        show_verdict("b", verdict, "none", 0.95)
    lines = [line for line in capture.get().splitlines() if "%" in line and "negative" in line]
    assert [("out" in line, "9.0%" in line) for line in lines[:3]] == [(True, True), (True, False), (True, False)]
    write_index(tmp_path, read_reports(tmp_path), {}, CHAMPIONS, [])
    assert charts((tmp_path / "index.html").read_text()) == ["negative", "neutral", "positive", "Events"]


def test_sums_of_parents_stand_before_their_classes() -> None:
    shares = {"a / x": 0.5, "a / y": 0.25, "b": 0.25}
    assert list(with_parents(shares, ["a", "b"]).items()) == [("a", 0.75), ("b", 0.25), ("a / x", 0.5), ("a / y", 0.25)]
    assert list(with_parents(shares, [])) == ["a / x", "a / y", "b"]  # a label that is no hierarchy
    assert with_parents({}, ["a", "b"]) == {}


def test_a_band_of_a_class_is_the_one_that_is_drawn(tmp_path: Path) -> None:
    settings = default(DriftConfig, bands={"neutral": [0.0, 0.5]})
    classes = ["negative", "neutral", "positive"]
    pages = [
        page_of(tmp_path, Analysis("b", judge([30, 20, 50], classes, used)), used)
        for used in (settings, default(DriftConfig))
    ]
    # a band is a rectangle from one place on the x axis to another
    band = r'd="M ([\d.]+) \S+ L \S+ \S+ L ([\d.]+) [^"]*" style="stroke: var\(--edge\)'
    bands = [re.findall(band, page) for page in pages]
    assert [(len(found), len(set(found))) for found in bands] == [(3, 2), (3, 1)]
