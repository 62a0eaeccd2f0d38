from __future__ import annotations

import json
import re
from html import unescape
from pathlib import Path

from tests.naming import assert_names
from tests.unit.reports.batch_documents import CHAMPIONS, documents

from batch_nlp.reports.batch_page import write_batch_report
from batch_nlp.reports.entry_page import ENTRY_FILE, write_entry_page


def page(folder: Path, path: str, title: str, headline: str = "") -> None:
    target = folder / path
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(f'<title>{title}</title>\n<meta name="description" content="{headline}">\n')


def links(folder: Path) -> list[str]:
    write_entry_page(folder)
    return re.findall(r'href="(.*?)"', (folder / ENTRY_FILE).read_text())


def test_batches_models_and_experiments_are_linked_newest_first(tmp_path: Path) -> None:
    reports = documents(8)
    for report in reports:
        write_batch_report(tmp_path / "batches", report, CHAMPIONS)
    (tmp_path / "batches" / "index.html").touch()
    for path in ("cards/v0002-aa.html", "cards/v0010-bb.html", "experiments/20260101T000000-x.html"):
        page(tmp_path, path, "<b>" if "v0010" in path else "title", "0.8 &lt; 0.9")
    for path in ("simulations/stable-20260102T0304/index.html", "training/20260102T0304/mistakes.html"):
        page(tmp_path, path, "title")
    newest = [f"batches/{report['name']}.html" for report in reversed(reports)]
    assert links(tmp_path) == [
        *newest[:5],
        "batches/index.html",
        "cards/v0010-bb.html",
        "cards/v0002-aa.html",
        "experiments/20260101T000000-x.html",
        "simulations/stable-20260102T0304/index.html",
        "training/20260102T0304/mistakes.html",
    ]
    text = (tmp_path / ENTRY_FILE).read_text()
    assert "0.8 &lt; 0.9" in text


def test_the_newest_batch_is_told_in_words(tmp_path: Path) -> None:
    (report,) = documents(5)[-1:]
    write_batch_report(tmp_path / "batches", report, CHAMPIONS)
    links(tmp_path)
    text = unescape((tmp_path / ENTRY_FILE).read_text())
    assert '<div class="verdict drift">' in text
    assert_names(text, "negative", "5.0%")


def test_the_champion_is_marked_by_the_decision_log(tmp_path: Path) -> None:
    for version in ("v0001", "v0002"):
        page(tmp_path, f"cards/{version}-aa.html", version)
    gates = [{"decision": "gate", "champion": f"v000{n}", "champion_before": f"v000{n - 1}"} for n in (1, 2)]
    back = {"decision": "rollback", "champion": "v0001", "champion_before": "v0002"}
    lines = [json.dumps(decision) for decision in (*gates, back)]
    for shown, champion in ((lines[:2], "v0002"), (["{cut of", *lines], "v0001")):
        (tmp_path / "decisions.jsonl").write_text("\n".join(shown))
        links(tmp_path)
        (marked,) = re.findall(r"<b>(v\d+)</b>[^\n]*>champion<", (tmp_path / ENTRY_FILE).read_text())
        assert marked == champion


def test_without_reports_there_is_an_entry_page_and_the_same_facts_leave_it_as_it_is(tmp_path: Path) -> None:
    assert links(tmp_path) == []
    before = (tmp_path / ENTRY_FILE).stat().st_mtime_ns
    write_entry_page(tmp_path)
    assert (tmp_path / ENTRY_FILE).stat().st_mtime_ns == before


def test_of_many_pages_the_newest_are_listed(tmp_path: Path) -> None:
    for day in range(1, 26):
        page(tmp_path, f"learning_curve/202601{day:02d}T000000Z.html", "curve")
    found = links(tmp_path)
    assert len(found) == 20
    assert found[0] == "learning_curve/20260125T000000Z.html"
    assert_names((tmp_path / ENTRY_FILE).read_text(), 5)
