from __future__ import annotations

import json
import re
from dataclasses import asdict
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from tests.naming import assert_names, names
from tests.settings import default
from tests.unit.reports.batch_documents import CHAMPIONS, DRIFTED, START, analysis, batch, documents

from batch_nlp.config import DriftConfig
from batch_nlp.monitoring.batch_document import batch_document
from batch_nlp.monitoring.findings import (
    Action,
    Analysis,
    Answer,
    ChangedWord,
    Compared,
    Example,
    Status,
    TestResult,
    Verdict,
)
from batch_nlp.monitoring.rules import judge
from batch_nlp.monitoring.what_changed import with_snippets
from batch_nlp.reports.batch_index import write_index
from batch_nlp.reports.batch_page import batch_page, write_batch_report
from batch_nlp.reports.documents import champion_history, read_reports
from batch_nlp.reports.months import add_to_months, month_pages, remove_from_months

VOID = {"meta", "br", "link", "img"}
HOSTILE = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "</style></svg></table>\x00\u202e&amp;{{ 7 * 7 }}",
]


class Page(HTMLParser):
    """What a browser would make of a page: its elements, its attributes and its text; unclosed elements fail."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.elements: list[str] = []
        self.attributes: list[tuple[str, str]] = []
        self.words: list[str] = []
        self.open: list[str] = []
        self.feed(page)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append(tag)
        self.attributes += [(name, value or "") for name, value in attrs]
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if "style" not in self.open:
            self.words.append(data)

    @property
    def text(self) -> str:
        return re.sub(r"\s+", " ", "".join(self.words))


def written(folder: Path, found: Analysis, answer: Answer | None = None, **facts: Any) -> tuple[Page, dict[str, Any]]:
    own = batch(**facts)
    write_batch_report(folder, batch_document(own, found, answer, default(DriftConfig)), CHAMPIONS)
    page = Page((folder / f"{own['name']}.html").read_text())
    document: dict[str, Any] = json.loads((folder / f"{own['name']}.json").read_text())
    return page, document


def test_page_and_document_say_the_same(tmp_path: Path) -> None:
    answer = Answer(Action.REJECTED, "failed its gate", "run-7", "v0001", "v0001", figures={"new_labels": 412.0})
    page, document = written(tmp_path, analysis(), answer)
    assert document["verdict"]["status"] == "drift"
    assert document["answer"]["candidate"] == "run-7"
    assert document["analysis"]["confidence"] == {"batch": 0.812, "reference": 0.879}
    assert (document["band"]["low"], document["accounts"]["in"]) == (0.1, 405)
    for part in (
        "negative is 5.0% of the messages",
        "The mix changed, the model is as sure as before.",
        "v0001",
        "Failed its gate.",
        "new labels412",
        "06_models/sample/run-7",
        "3.3% \N{EN DASH} 7.6%",  # the interval
        "26.0%",  # the hold-out's share
        "81.2%",
        "0.680",
        "psi of the predicted classes",
        "0.006",
        "refund",
        "id-7",
        "405 in = 400 predicted + 3 duplicates + 2 quarantined.",
        "reviews.jsonl",
        "0f" * 32,
        "pipeline=fti",
        "0.750",
    ):
        assert part in page.text, part


def test_pages_need_no_network_and_no_script(tmp_path: Path) -> None:
    write_index(tmp_path, documents(6), {}, CHAMPIONS, [])
    for page in (written(tmp_path, analysis())[0], Page((tmp_path / "index.html").read_text())):
        assert not {"script", "link", "img", "iframe", "object"} & set(page.elements)
        assert ("content", "default-src 'none'; style-src 'unsafe-inline'") in page.attributes
        links = [value for name, value in page.attributes if name in ("href", "src", "xlink:href")]
        assert "../index.html" in links
        # charts name their own parts
        assert all(re.fullmatch(r"(\.\./)?[\w-]+\.html|#\w+", link) for link in links), links
        ids = [value for name, value in page.attributes if name == "id"]
        assert {link[1:] for link in links if link.startswith("#")} <= set(ids)
        assert len(ids) == len(set(ids))


def test_snippets_card_and_commands_are_on_the_page(tmp_path: Path) -> None:
    found = analysis(
        examples=[Example('a "b"', "positive", 0.3, "least sure", HOSTILE[0]), Example("c", "x", 0.1, "y")]
    )
    places = ["dataset=mine", "paths.data=/srv/my data"]
    document = batch_document(batch(), found, None, default(DriftConfig), "../models/v0001/card.html", places)
    write_batch_report(tmp_path, document, CHAMPIONS)
    page = Page(next(tmp_path.glob("*.html")).read_text())
    assert ("href", "../models/v0001/card.html") in page.attributes
    assert HOSTILE[0] in page.text
    assert "script" not in page.elements
    after = "dataset=mine 'paths.data=/srv/my data'"
    assert rf"""pipeline=explain 'message_id="a \"b\""' {after}""" in page.text
    assert f"""pipeline=explain 'message_id="c"' {after}""" in page.text
    assert f"uv run start_batch_nlp.py pipeline=inference {after}" in page.text
    # a report of an earlier release, and one that shows no text
    document = documents(1)[0]
    old = {name: value for name, value in document.items() if name not in ("card", "places")}
    for example in old["analysis"]["examples"]:
        del example["snippet"]
    assert "report.snippets" in Page(batch_page(old, CHAMPIONS)).text


def test_a_snippet_is_one_line_of_the_length_asked_for() -> None:
    examples = [Example(name, "x", 0.5, "least sure") for name in "abc"]
    found = with_snippets(examples, {"a": " one\n two\x1b three", "b": "short"}, 8)
    assert [example.snippet for example in found] == ["one two…", "short", None]


def test_hostile_names_are_only_text(tmp_path: Path) -> None:
    found = analysis(
        classes=HOSTILE,
        explanation=HOSTILE[0],
        tests=[TestResult(HOSTILE[1], HOSTILE[2], 0.1, 0.1, 0.1, True)],
        languages={HOSTILE[0]: Compared(None, 0.1)},
        changed_words=[ChangedWord(word, 0.1, 0.2, 0.5) for word in HOSTILE],
        examples=[Example(HOSTILE[1], HOSTILE[2], 0.3, HOSTILE[0])],
    )
    answer = Answer(Action.HELD_BACK, HOSTILE[1], HOSTILE[0], HOSTILE[2], HOSTILE[2], figures={HOSTILE[0]: 1.0})
    page, document = written(tmp_path, found, answer, files={HOSTILE[1]: "00"}, dataset=HOSTILE[0])
    write_index(tmp_path, [document], {}, [{**CHAMPIONS[0], "reason": HOSTILE[0]}], [])
    for shown in (page, Page((tmp_path / "index.html").read_text())):
        assert not {"script", "img"} & set(shown.elements)
        assert not [name for name, _ in shown.attributes if name.startswith("on")]
        for name in HOSTILE[:2]:
            assert name in shown.text
        assert "{{ 7 * 7 }}" in shown.text


def test_what_json_cannot_say_does_not_cost_the_report(tmp_path: Path) -> None:
    found = analysis(
        tests=[TestResult("auc", "mix", float("nan"), float("nan"), float("inf"), False)],
        changed_words=[ChangedWord("\udce4", float("nan"), 0.1, 0.5)],
    )
    page, document = written(tmp_path, found, files={"caf\udce9.json": "00"})
    assert document["analysis"]["tests"][0]["value"] is None
    assert "caf\\udce9.json" in page.text


@pytest.mark.parametrize(
    ("found", "status"),
    [
        (analysis([100, 60, 240]), "ok"),
        (analysis([1, 2, 3]), "insufficient"),
        (Analysis("b", Verdict(Status.SKIPPED, "no messages were predicted", [])), "skipped"),
    ],
)
def test_a_quiet_night_asks_for_nothing(tmp_path: Path, found: Analysis, status: str) -> None:
    page, _ = written(tmp_path, found, Answer(Action.NONE))
    assert ("class", f"verdict {status}") in page.attributes
    assert "pipeline=rollback" not in page.text


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (None, ["pipeline=status", "pipeline=inference"]),
        (Answer(Action.NONE, "drift.response=none"), ["drift.response=none"]),
        (Answer(Action.ALERT, "drift.response=alert"), ["pipeline=training"]),
        (
            Answer(Action.PROMOTED, "", "run-7", "v0001", "v0002", "rescored-v0002.parquet"),
            ["v0001", "v0002", "rescored-v0002.parquet", "pipeline=rollback"],
        ),
        (Answer(Action.HELD_BACK, "412 labels are new", None, "v0001", "v0001"), ["412 labels are new"]),
        (Answer(Action.REWEIGHTED, "why", None, "v0001", "v0001", "r.parquet"), ["r.parquet"]),
        (Answer(Action.FAILED, "no space left", None, "v0001", "v0001"), ["08_reporting/runs"]),
    ],
)
def test_after_drift_the_first_screen_says_what_was_done_and_what_to_do(
    tmp_path: Path, answer: Answer | None, words: list[str]
) -> None:
    page, _ = written(tmp_path, analysis(), answer)
    assert_names(page.text, *words)


def test_drift_of_the_window_alone_is_told_as_such(tmp_path: Path) -> None:
    drift = default(DriftConfig, window=2)
    found = analysis([50, 60, 290], window=judge([70, 120, 610], ["a", "b", "c"], drift), window_batches=["a", "b"])
    page, document = written(tmp_path, found)
    assert_names(document["verdict"]["reason"], "a", "8.8%", "10%")
    assert_names(page.text, "8.8%", found.verdict.reason)


def test_the_index_shows_every_batch_and_what_happened(tmp_path: Path) -> None:
    reports = documents(10)
    decisions = [
        {"decision": "gate", "at": START.isoformat(), "dataset": "sample", "reason": "pipeline=fti", "passed": True},
        {"decision": "rollback", "at": reports[7]["predicted_at"], "dataset": "sample", "champion": "v0001"},
        {"decision": "rollback", "at": reports[7]["predicted_at"], "dataset": "other", "champion": "v0001"},
    ]
    realised = {reports[0]["name"]: 0.7123}
    write_index(tmp_path, reports, realised, CHAMPIONS, decisions)
    page = Page((tmp_path / "index.html").read_text())
    [events] = [value for _, value in page.attributes if names(value, "alarm 2")]
    assert_names(events, 10, "alarm 2", "promoted 1", "held back 2", "rollback 1")
    assert_names(page.text, reports[4]["predicted_at"][:19].replace("T", " "))
    links = [value for name, value in page.attributes if name == "href"]
    assert {f"{report['name']}.html" for report in reports} == set(links) - {"../index.html"}
    assert "0.712" in page.text
    assert_names(page.text, 10, 2, 1)


def test_an_index_of_the_same_facts_is_left_as_it_is(tmp_path: Path) -> None:
    index, reports = tmp_path / "index.html", documents(3)
    write_index(tmp_path, reports, {}, CHAMPIONS, [])
    page, written_at = index.read_bytes(), index.stat().st_mtime_ns
    write_index(tmp_path, reports, {}, CHAMPIONS, [{"decision": "batch", "batch": None, "dataset": "sample"}])
    assert index.stat().st_mtime_ns == written_at
    write_index(tmp_path, reports, {reports[0]["name"]: 0.7}, CHAMPIONS, [])
    assert index.read_bytes() != page
    write_index(tmp_path, reports, {}, CHAMPIONS, [])
    assert index.read_bytes() == page


def test_an_index_of_many_batches_names_and_draws_all_and_leads_to_the_months(tmp_path: Path) -> None:
    reports = documents(100)
    add_to_months(tmp_path, reports)
    write_index(tmp_path, reports, {}, CHAMPIONS, [])
    text = (tmp_path / "index.html").read_text()
    page = Page(text)
    links = {value for name, value in page.attributes if name == "href"}
    assert links == {f"{report['name']}.html" for report in reports} | {"../index.html", *month_pages(tmp_path)}
    assert any("alarm 20" in value for name, value in page.attributes if name == "aria-label")
    assert any(value.count(" L ") == 99 for name, value in page.attributes if name == "d")
    assert len(text) < 400_000


def test_a_month_has_a_line_for_each_batch_until_its_report_is_gone(tmp_path: Path) -> None:
    reports = documents(40)  # one a day, from 2 January
    for report in reports:
        (tmp_path / f"{report['name']}.html").touch()
    add_to_months(tmp_path, reports[:35])
    add_to_months(tmp_path, reports[20:])
    assert month_pages(tmp_path) == ["month-2026-02.html", "month-2026-01.html"]

    def links(page: str) -> list[str]:
        attributes = Page((tmp_path / page).read_text()).attributes
        return [value for name, value in attributes if name == "href" and not value.endswith("index.html")]

    names = [f"{report['name']}.html" for report in reports]
    assert links("month-2026-01.html") == names[29::-1]
    assert links("month-2026-02.html") == names[:29:-1]
    for name in names[:33]:
        (tmp_path / name).unlink()
    remove_from_months(tmp_path)
    assert month_pages(tmp_path) == ["month-2026-02.html"]
    assert links("month-2026-02.html") == names[:32:-1]


def test_an_index_without_batches_and_with_reports_of_an_earlier_version(tmp_path: Path) -> None:
    write_index(tmp_path, [], {}, [], [])
    assert not [link for name, link in Page((tmp_path / "index.html").read_text()).attributes if link and "Z-" in link]
    early = {**batch(counts=DRIFTED), "verdict": asdict(analysis().verdict)}
    write_index(tmp_path, [early], {}, [], [])
    page = Page((tmp_path / "index.html").read_text())
    assert_names(page.text, "5.0%", "10%")


def test_a_damaged_report_is_passed_over(tmp_path: Path) -> None:
    write_batch_report(tmp_path, batch_document(batch(1), analysis(), None, default(DriftConfig)), CHAMPIONS)
    write_batch_report(tmp_path, batch_document(batch(0), analysis(), None, default(DriftConfig)), CHAMPIONS)
    (tmp_path / "20270101T000000Z-0.json").write_text('{"name": "cut of')
    (tmp_path / "other.json").write_text("[1]")
    names = [report["name"] for report in read_reports(tmp_path)]
    assert names == [batch(0)["name"], batch(1)["name"]]


def test_the_history_of_champions_comes_from_gates_and_rollbacks() -> None:
    def gate(champion: str, before: str | None, passed: bool, f1: float) -> dict[str, Any]:
        facts = {"at": "t", "reason": "why", "passed": passed, "metrics": {"f1_macro": f1}}
        return {"decision": "gate", "champion": champion, "champion_before": before, **facts}

    decisions = [
        gate("v0001", None, True, 0.7),
        {"decision": "batch", "batch": "b"},
        gate("v0001", "v0001", False, 0.6),
        gate("v0002", "v0001", True, 0.8),
        {"decision": "retraining", "champion": "v0002"},
        {"decision": "rollback", "at": "t", "champion_before": "v0002", "champion": "v0001"},
    ]
    found = [(item["version"], item["reason"], item["metrics"].get("f1_macro")) for item in champion_history(decisions)]
    assert found == [("v0001", "why", 0.7), ("v0002", "why", 0.8), ("v0001", "rollback", 0.7)]


def test_findings_of_earlier_commits_are_shown(tmp_path: Path) -> None:
    _, document = written(tmp_path, analysis())
    verdict = document["verdict"]

    def marked(key: str) -> int:
        verdict["findings"] = [{"rule": "confidence", key: found, "reason": "it fell"} for found in (True, False)]
        return batch_page(document, CHAMPIONS).count('class="mark">triggers')

    assert (marked("triggers"), marked("rings")) == (1, 1)
