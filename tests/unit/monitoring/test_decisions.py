from __future__ import annotations

from pathlib import Path

import pytest

from batch_nlp.monitoring.decisions import DecisionLog


@pytest.fixture
def log(tmp_path: Path) -> DecisionLog:
    return DecisionLog(tmp_path / "08_reporting" / "decisions.jsonl")


def test_before_the_first_decision_there_is_none(log: DecisionLog) -> None:
    assert log.read() == []


def test_decisions_come_back_in_order_one_a_line(log: DecisionLog) -> None:
    decisions = [{"decision": "batch", "n": 1}, {"decision": "gate", "text": "zwei\nZeilen, é, 😀, \u2028, \x85"}]
    for decision in decisions:
        log.append(decision)
    assert log.read() == decisions
    assert log.path.read_bytes().count(b"\n") == 2


@pytest.mark.parametrize("cut", [1, 5, 20, -1, -2, -3, -4])
def test_a_line_that_a_kill_cut_off_is_passed_over_and_swallows_nothing(
    log: DecisionLog, warnings: list[str], cut: int
) -> None:
    log.append({"decision": "first"})
    whole = log.path.read_bytes()
    log.append({"decision": "torn", "reason": "über 90 % 😡"})
    torn = log.path.read_bytes()[len(whole) :].rstrip(b"\n")
    log.path.write_bytes(whole + torn[: cut if cut > 0 else len(torn) + cut])
    assert [found["decision"] for found in log.read()] == ["first"]
    assert "line 2 is not whole" in warnings[0]
    log.append({"decision": "next"})
    assert [found["decision"] for found in log.read()] == ["first", "next"]


def test_a_last_line_cut_within_a_character_is_passed_over(log: DecisionLog) -> None:
    log.append({"decision": "first"})
    log.path.write_bytes(log.path.read_bytes() + '{"reason": "ü'.encode()[:-1])
    assert log.read() == [{"decision": "first"}]


def test_what_json_cannot_hold_is_refused_and_leaves_the_log_as_it_was(log: DecisionLog) -> None:
    log.append({"decision": "first"})
    before = log.path.read_bytes()
    with pytest.raises(ValueError):
        log.append({"decision": float("nan")})
    assert log.path.read_bytes() == before
