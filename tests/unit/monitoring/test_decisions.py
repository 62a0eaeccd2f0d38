from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.naming import assert_names, refusal

from batch_nlp.errors import DataError
from batch_nlp.monitoring.decisions import DecisionLog
from batch_nlp.storage.seal import read_sealed, write_sealed


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


@pytest.mark.parametrize("cut", [1, 5, 20, -1, -2, -3, -4, -9])
def test_a_line_that_a_kill_cut_off_is_passed_over_and_swallows_nothing(
    log: DecisionLog, warnings: list[str], cut: int
) -> None:
    log.append({"decision": "first"})
    whole = log.path.read_bytes()
    torn = json.dumps({"decision": "torn", "figures": {"n": 1}, "why": "90 % 😡"}, ensure_ascii=False).encode()
    log.path.write_bytes(whole + torn[: cut if cut > 0 else len(torn) + cut])
    assert [found["decision"] for found in log.read()] == ["first"]
    assert_names(warnings[0], log.path.name, 2)
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


@pytest.mark.parametrize(
    "damage",
    [
        lambda content: content.replace(b'"n": 2', b'"n": 3'),
        lambda content: content.replace(b'"n": 2', b'"n"; 2'),
        lambda content: content[: content.rindex(b'"n": 3')],
        lambda content: content[: content.index(b"\n") + 1],
        lambda content: content[:-2] + b"|\n",
        lambda _: b"",
        lambda _: None,
    ],
    ids=["a figure", "a sign", "cut in a line", "cut after a line", "the end of a line", "empty", "gone"],
)
def test_a_damaged_log_is_refused_and_nothing_is_added_to_it(
    log: DecisionLog, damage: Callable[[bytes], bytes | None]
) -> None:
    """Guarantee 2."""
    for n in (1, 2, 3):
        log.append({"decision": "batch", "n": n, "name": f"batch {n}"})
    content = damage(log.path.read_bytes())
    log.path.unlink() if content is None else log.path.write_bytes(content)
    for use in (log.read, lambda: log.append({"decision": "next"})):
        with refusal(DataError, "decisions.jsonl"):
            use()
    assert (log.path.read_bytes() if log.path.exists() else None) == content


def test_lines_of_an_earlier_release_are_taken_before_and_behind_sealed_ones(log: DecisionLog) -> None:
    log.path.parent.mkdir()
    log.path.write_text('{"decision": "old"}\n')
    assert log.read() == [{"decision": "old"}]
    log.append({"decision": "new"})
    with log.path.open("a") as file:
        file.write('{"decision": "by hand", "check": "0123456789abcdef"}\n')
    assert [found["decision"] for found in log.read()] == ["old", "new", "by hand"]
    log.append({"decision": "next"})
    assert [found["decision"] for found in log.read()] == ["old", "new", "by hand", "next"]


def test_the_seal_of_an_earlier_release_is_checked_and_replaced_by_the_next_decision(log: DecisionLog) -> None:
    log.append({"decision": "old"})
    content = log.path.read_bytes()
    sealed = {"bytes": len(content), "content": hashlib.sha256(content).hexdigest()}
    seal = log.path.with_name("decisions.seal.json")
    write_sealed(seal, sealed)
    log.path.write_bytes(content.replace(b"old", b"odd"))
    with refusal(DataError, "decisions.jsonl"):
        log.read()
    write_sealed(seal, {"bytes": 1, "content": "0" * 64, "next": sealed})
    log.path.write_bytes(content)
    log.append({"decision": "new"})
    assert [found["decision"] for found in DecisionLog(log.path).read()] == ["old", "new"]
    assert list(read_sealed(seal, "")["files"]) == ["decisions.jsonl"]


JUDGED = {"b1": {"in": 3}, "b2": {"in": 4}}


@pytest.fixture
def judged(log: DecisionLog) -> DecisionLog:
    """A log of two batches, the first of them in the archive."""
    for number, (name, accounts) in enumerate(JUDGED.items(), start=1):
        about = {"at": f"2026-01-0{number}", "decision": "batch", "dataset": "sample"}
        log.append({**about, "batch": name, "accounts": accounts, "verdict": {"status": "ok"}})
    log.archive("sample", "b1", whole=True)
    assert log.problems(JUDGED) == []
    return log


def test_a_batch_without_its_decision_or_with_other_accounts_is_a_problem(judged: DecisionLog) -> None:
    found = judged.problems({**JUDGED, "b2": {"in": 5}, "b3": {"in": 1}})
    assert [(problem.path, problem.severity) for problem in found] == [(judged.path, "error")] * 2
    assert ("b2" in found[0].what, "b3" in found[1].what) == (True, True)


def test_a_month_of_the_archive_may_be_removed_but_not_damaged(judged: DecisionLog) -> None:
    (month,) = (judged.path.parent / "decisions").glob("*.jsonl")
    content = month.read_bytes()
    month.write_bytes(content.replace(b"3", b"2"))
    assert month in [problem.path for problem in judged.problems(JUDGED)]
    with pytest.raises(DataError, match=month.name):
        judged.archive("sample", "b2", whole=True)
    month.unlink()
    assert judged.problems(JUDGED) == []
    (month.parent / "seal.json").unlink()
    month.write_bytes(b"{")
    assert [problem.path for problem in judged.problems({})] == [month]


def test_a_torn_line_is_a_warning_and_a_damaged_log_is_all_there_is_to_say(judged: DecisionLog) -> None:
    content = judged.path.read_bytes()
    judged.path.write_bytes(content + b'{"decision": "ba')
    assert [(problem.severity, problem.transient) for problem in judged.problems(JUDGED)] == [("warning", True)]
    judged.path.write_bytes(content[1:])
    assert [(problem.path, problem.severity) for problem in judged.problems({})] == [(judged.path, "error")]
