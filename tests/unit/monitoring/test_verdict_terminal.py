from __future__ import annotations

import pytest
from tests.naming import assert_names
from tests.settings import default

from batch_nlp.config import DriftConfig
from batch_nlp.log import console
from batch_nlp.monitoring.findings import Analysis, Finding, Performance, Status, Verdict
from batch_nlp.monitoring.rules import judge
from batch_nlp.monitoring.verdict_terminal import show_verdict

CLASSES = ["negative", "neutral", "positive"]


def shown(
    batch: str | None, verdict: Verdict, action: str, confidence: float = 0.95, analysis: Analysis | None = None
) -> str:
    with console.capture() as capture:
        show_verdict(batch, verdict, action, confidence, analysis)
    return capture.get()


def test_a_person_sees_counts_shares_intervals_verdict_and_action() -> None:
    text = shown("20260102T030405Z-abc", judge([5, 15, 80], CLASSES, default(DriftConfig)), "retrain")
    for part in ("20260102T030405Z-abc", "negative", "5.0%", "2.2% - 11.2%", "out", "drift", "under 10%", "retrain"):
        assert part in text, part
    assert text.count(" in") >= 2


def test_the_interval_is_shown_with_its_confidence() -> None:
    text = shown("b", judge([5, 15, 80], CLASSES, default(DriftConfig, confidence=0.99)), "none", 0.99)
    assert "99% interval" in text
    assert "95%" not in text


def test_a_class_whose_name_looks_like_markup_is_shown_as_it_is() -> None:
    text = shown("b", judge([5, 95], ["[bold]bad[/]", "good"], default(DriftConfig)), "none")
    assert text.count("[bold]bad[/]") == 2


def test_an_analysis_adds_at_most_three_lines() -> None:
    plain = judge([15, 5, 80], CLASSES, default(DriftConfig))
    findings = [Finding("interval", False, "no interval is out"), Finding("confidence", True, "[red]fell[/] by 0.05")]
    verdict = Verdict(plain.status, plain.reason, plain.shares, findings)
    window = judge([150, 50, 800], CLASSES, default(DriftConfig))
    estimated = Performance(100, 0.81, 0.68, 0.79)
    analysis = Analysis("b", verdict, window, ["a", "b"], "The [bold]mix changed.", estimated=estimated)
    before, text = shown("b", verdict, "retrain"), shown("b", verdict, "retrain", analysis=analysis)
    assert text.startswith(before)
    added = text.removeprefix(before).splitlines()
    assert len(added) == 3
    assert_names(added[0], 2, "drift", "neutral", "5.0%")
    assert_names(added[1], "interval", "no interval is out", "confidence", "[red]fell[/] by 0.05")
    assert_names(added[2], "The [bold]mix changed.", "0.680", "0.810")


def test_the_default_rule_alone_adds_no_line_of_rules() -> None:
    plain = judge([15, 5, 80], CLASSES, default(DriftConfig))
    verdict = Verdict(plain.status, plain.reason, plain.shares, [Finding("share", True, plain.reason)])
    assert shown("b", verdict, "retrain", analysis=Analysis("b", verdict)) == shown("b", verdict, "retrain")


@pytest.mark.parametrize("batch", [None, "b"])
def test_a_batch_without_messages_is_one_line(batch: str | None) -> None:
    text = shown(batch, Verdict(Status.SKIPPED, "no messages were predicted", []), "none")
    assert text.strip().count("\n") == 0
    assert "skipped" in text
