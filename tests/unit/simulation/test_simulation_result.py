"""What a simulation comes to: macro F1 over days, and how long a policy took to catch up."""

from __future__ import annotations

import io
import json
from typing import Any

import numpy as np
import pytest
from rich.console import Console
from sklearn.metrics import f1_score

from batch_nlp.config import Policy
from batch_nlp.simulation.simulation_report import show_result, write_result
from batch_nlp.simulation.simulation_result import Confusion, DayResult, Result, macro_f1

GOOD: Confusion = [[90, 5, 5], [5, 90, 5], [5, 5, 90]]
POOR: Confusion = [[70, 15, 15], [15, 70, 15], [15, 15, 70]]
NONE: Confusion = [[0, 0, 0], [0, 0, 0], [0, 0, 0]]


def day(number: int, confusion: Confusion, **facts: Any) -> DayResult:
    values: dict[str, Any] = {"verdict": "ok", "trainings": 0, "promotions": 0, "same": 0, "held_back": False}
    return DayResult(day=number, exit_code=0, champion="v0001", confusion=confusion, **{**values, **facts})


def result(policies: dict[Policy, list[DayResult]], change: int | None = 3, scenario: str = "sudden_shift") -> Result:
    settings = {"simulation": {"days": 12, "messages": 300}}
    return Result("name", scenario, change, 1, settings, 1.0, policies)


def test_macro_f1_over_days_is_that_of_all_their_messages():
    draws = np.random.default_rng(1)
    truth, predicted = draws.integers(0, 3, (2, 400))
    halves = []
    for part in (slice(150), slice(150, None)):
        confusion = np.zeros((3, 3), dtype=int)
        np.add.at(confusion, (truth[part], predicted[part]), 1)
        halves.append(day(len(halves) + 1, confusion.tolist()))
    assert macro_f1(halves) == pytest.approx(f1_score(truth, predicted, average="macro"))


def test_a_class_that_is_not_there_does_not_count_and_no_messages_have_no_score():
    assert macro_f1([day(1, [[10, 0, 0], [0, 0, 0], [0, 0, 10]])]) == 1.0
    assert macro_f1([day(1, NONE)]) is None
    assert macro_f1([]) is None


def test_days_to_retraining_and_to_recovery_count_from_the_change():
    always = [day(number, GOOD, trainings=1, promotions=1) for number in range(1, 13)]
    rule = [day(number, GOOD if number < 3 or number >= 7 else POOR) for number in range(1, 13)]
    rule[1] = day(2, GOOD, trainings=1, verdict="drift")
    rule[5] = day(6, POOR, trainings=1, promotions=1, verdict="drift")
    rule[6] = day(7, GOOD, verdict="drift", held_back=True)
    never = [day(number, GOOD if number < 3 else POOR) for number in range(1, 13)]
    found = result({Policy.never: never, Policy.always: always, Policy.rule: rule})
    summary = found.summary(Policy.rule)
    assert (summary["days_to_retraining"], summary["days_to_recovery"]) == (3, 4)
    assert (summary["alarms"], summary["trainings"], summary["promotions"], summary["rejections"]) == (3, 2, 1, 1)
    assert summary["held_back"] == 1
    assert summary["f1_macro_after"] == pytest.approx((4 * 0.7 + 6 * 0.9) / 10)
    assert found.summary(Policy.never)["days_to_recovery"] is None
    assert found.summary(Policy.never)["days_to_retraining"] is None
    assert found.summary(Policy.always)["days_to_recovery"] == 0


def test_nothing_of_the_table_is_cut_in_a_jobs_log(monkeypatch):
    days = [day(number, GOOD, trainings=1, promotions=1, verdict="drift") for number in range(1, 13)]
    log = io.StringIO()
    monkeypatch.setattr("batch_nlp.simulation.simulation_report.console", Console(file=log, width=80))
    show_result(result(dict.fromkeys(Policy, days)))
    rows = {line.split("│")[1].strip(): line.split("│")[2:-1] for line in log.getvalue().splitlines() if "│" in line}
    assert [" 0.9000 "] * len(Policy) in rows.values()
    assert len(rows) == 10
    assert "…" not in log.getvalue()


def test_a_candidate_that_predicts_as_the_champion_does_is_not_a_rejection():
    found = result({Policy.rule: [day(1, GOOD, trainings=1, same=1)]}, change=None).summary(Policy.rule)
    assert (found["trainings"], found["promotions"], found["rejections"], found["same"]) == (1, 0, 0, 1)


def test_macro_f1_slides_over_seven_days_and_passes_over_days_without_messages():
    days = [day(number, POOR if number <= 7 else GOOD) for number in range(1, 15)]
    days[13] = day(14, NONE)
    sliding = result({Policy.rule: days}).sliding(Policy.rule)
    assert sliding[6] == pytest.approx(0.7)
    assert sliding[7] == pytest.approx((6 * 0.7 + 0.9) / 7)
    assert sliding[13] == pytest.approx(0.9)


def test_the_report_holds_everything_and_needs_nothing_else(tmp_path):
    rule = [day(1, GOOD), day(2, NONE, verdict="skipped"), day(3, POOR, verdict="drift", trainings=1, promotions=1)]
    found = result({Policy.never: [day(number, GOOD) for number in (1, 2, 3)], Policy.rule: rule}, scenario="<shift>")
    write_result(found, tmp_path)
    written = json.loads((tmp_path / "result.json").read_text())
    assert written["policies"]["rule"]["summary"]["promotions"] == 1
    assert [entry["f1_macro"] for entry in written["policies"]["rule"]["days"]] == pytest.approx([0.9, None, 0.7])
    page = (tmp_path / "index.html").read_text()
    assert "<shift>" not in page
    assert "&lt;shift&gt;" in page
    assert "<svg" in page
    assert "src=" not in page
    assert "<script" not in page
    first = (tmp_path / "macro_f1.svg").read_bytes()
    write_result(found, tmp_path)
    assert (tmp_path / "macro_f1.svg").read_bytes() == first
