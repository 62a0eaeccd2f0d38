from __future__ import annotations

import json
from pathlib import Path

import pytest

from batch_nlp.config import DriftConfig
from batch_nlp.log import console
from batch_nlp.monitoring.report import show_verdict, write_report
from batch_nlp.monitoring.verdict import Status, Verdict, judge

CLASSES = ["negative", "neutral", "positive"]


def shown(batch: str | None, verdict: Verdict, action: str, confidence: float = 0.95) -> str:
    with console.capture() as capture:
        show_verdict(batch, verdict, action, confidence)
    return capture.get()


def test_a_person_sees_counts_shares_intervals_verdict_and_action() -> None:
    text = shown("20260102T030405Z-abc", judge([5, 15, 80], CLASSES, DriftConfig()), "retrain")
    for part in ("20260102T030405Z-abc", "negative", "5.0%", "2.2% - 11.2%", "out", "drift", "under 10%", "retrain"):
        assert part in text, part
    assert text.count(" in") >= 2


def test_the_interval_is_shown_with_its_confidence() -> None:
    text = shown("b", judge([5, 15, 80], CLASSES, DriftConfig(confidence=0.99)), "none", 0.99)
    assert "99% interval" in text
    assert "95%" not in text


def test_a_class_whose_name_looks_like_markup_is_shown_as_it_is() -> None:
    text = shown("b", judge([5, 95], ["[bold]bad[/]", "good"], DriftConfig()), "none")
    assert text.count("[bold]bad[/]") == 2


@pytest.mark.parametrize("batch", [None, "b"])
def test_a_batch_without_messages_is_one_line(batch: str | None) -> None:
    text = shown(batch, Verdict(Status.SKIPPED, "no messages", []), "none")
    assert text.strip().count("\n") == 0
    assert "skipped" in text


def test_the_report_of_a_batch_is_json_with_its_verdict(tmp_path: Path) -> None:
    path = tmp_path / "batches" / "b.json"
    write_report(path, {"name": "b", "accounts": {"in": 100}}, judge([5, 15, 80], CLASSES, DriftConfig()))
    found = json.loads(path.read_text())
    assert (found["name"], found["accounts"], found["verdict"]["status"]) == ("b", {"in": 100}, "drift")
    assert [share["messages"] for share in found["verdict"]["shares"]] == [5, 15, 80]
