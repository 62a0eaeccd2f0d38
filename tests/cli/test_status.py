"""``pipeline=status`` through the real command line: one screen in any state, and no changes on disk."""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.naming import assert_line_names, assert_names
from tests.projects import Project

from batch_nlp.cli import PROJECT_ROOT
from batch_nlp.errors import ExitCode
from batch_nlp.storage.lock import writer_lock


def state_of_disk(project: Project) -> dict[str, tuple[int, int]]:
    """Return time and size of every file."""
    return {
        str(path): (path.lstat().st_mtime_ns, path.lstat().st_size)
        for path in project.folder.rglob("*")
        if not path.is_dir()
    }


def fact(result: subprocess.CompletedProcess[str], name: str) -> str:
    """Return what the screen says under a name."""
    lines = result.stdout.splitlines()
    start = next(number for number, line in enumerate(lines) if line.startswith(f"{name:<12}"))
    end = next((n for n in range(start + 1, len(lines)) if not lines[n].startswith(" " * 12)), len(lines))
    return " ".join(line[12:] for line in lines[start:end])


def test_the_last_failure_is_shown_until_a_run_succeeds(tmp_path: Path) -> None:
    project = Project(tmp_path)
    project.data.mkdir()
    assert project.here("drift.low=0.4").returncode == ExitCode.SETTINGS
    with writer_lock(project.data, project.models):
        assert project.here("pipeline=inference").returncode == ExitCode.LOCKED
    failed = fact(project.here("pipeline=status"), "last run")
    assert re.match(r"20\d\d-\d\d-\d\d \d\d:\d\d ", failed)
    assert_names(failed, 2, "drift.low=0.4", "run.log")
    log = next((project.data / "08_reporting" / "runs").glob("*/*/run.log"))
    # a run that was killed has no end, and one that is done has no error
    killed, done = (log.parents[1] / name / "run.log" for name in ("98", "99"))
    for late, end in ((killed, ""), (done, " | DEBUG   | Ended with exit code 0\n")):
        late.parent.mkdir()
        late.write_text(f" | ERROR   | set aside\n{end}")
        shown = project.here("pipeline=status").stdout
        assert ("last run" in shown) == (late is killed)


def test_the_state_of_a_working_system_fits_on_one_screen(project: Project) -> None:
    inbox = project.inbox
    for name in ("new_1.json", "new_2.json"):
        (inbox / name).write_text(json.dumps({"review_id": name, "text": "t", "date": "2020-01-01"}) + "\n")
        os.utime(inbox / name, (1_600_000_000, 1_600_000_000))
    logs = project.data / "08_reporting" / "logs"
    wrong = [str(PROJECT_ROOT / "deploy" / "run-batch"), f"paths.root={project.folder}", "drift.lo=0.2"]
    subprocess.run(wrong, env={**os.environ, "BATCH_NLP_LOGS": str(logs)}, capture_output=True, check=False)
    before = state_of_disk(project)
    result = project.here("pipeline=status")
    assert result.returncode == 0, result.stderr
    assert state_of_disk(project) == before
    lines = result.stdout.splitlines()
    assert len(lines) <= 24
    assert max(map(len, lines)) <= 80
    manifest = json.loads((project.models / "v0001" / "manifest.json").read_text())
    champion = fact(result, "champion")
    for words in (
        "v0001",
        manifest["training_rows"],
        f"{manifest['metrics']['f1_macro']:.3f}",
        f"{manifest['metrics']['f1_weighted']:.3f}",
        manifest["data_version"]["feature_version"],
    ):
        assert_names(champion, words)
    assert fact(result, "at work")
    assert_names(fact(result, "inbox"), 2, "days")
    assert_names(fact(result, "exit codes"), 2)
    assert re.search(r"\d", fact(result, "store"))
    assert re.search(r"\d+ .?i?B", fact(result, "disk"))
    assert fact(result, "breaker").startswith(("closed", "open", "half-open"))
    (record,) = [json.loads(path.read_text()) for path in (project.data / "09_inference" / "batches").glob("*.json")]
    accounts = record["accounts"]
    assert_names(fact(result, "quarantine"), accounts["quarantined"], accounts["in"])
    assert record["name"] in lines[-1]
    assert f" {accounts['in']} " in lines[-1]
    assert "none" in lines[-1] or "retrain" in lines[-1]


def test_idle_runs_do_not_hide_those_that_scored_something(project: Project) -> None:
    log = project.data / "08_reporting" / "decisions.jsonl"
    (batch,) = (project.data / "09_inference" / "batches").glob("*.json")
    assert project.here("pipeline=inference").returncode == 0
    idle = log.read_text().splitlines()[-1]
    assert json.loads(idle)["batch"] is None
    with log.open("a") as file:
        file.write(f"{idle}\n" * 9)
    result = project.here("pipeline=status")
    assert batch.stem in result.stdout.splitlines()[-1]
    assert "skipped" not in result.stdout
    at = json.loads(idle)["at"]
    assert_names(fact(result, "inbox"), f"{at[:10]} {at[11:16]}")


def test_it_shows_who_works_and_does_not_wait(project: Project) -> None:
    with writer_lock(project.data, project.models):
        result = project.here("pipeline=status")
    assert result.returncode == 0, result.stderr
    assert_names(fact(result, "at work"), os.getpid())


def test_an_empty_project_is_shown_its_first_command(tmp_path: Path, new_project: Callable[[Path], Project]) -> None:
    project = new_project(tmp_path / "project")
    before = state_of_disk(project)
    result = project.here("pipeline=status")
    assert result.returncode == 0, result.stderr
    assert "pipeline=fti" in fact(result, "champion")
    assert "pipeline=feature" in fact(result, "store")
    assert not project.models.exists()
    assert state_of_disk(project) == before


@pytest.mark.parametrize("damaged", ["models/v0001/model.skops", "models/champion.json"])
def test_an_unusable_champion_is_reported_beside_all_other_facts(damaged: str, project: Project) -> None:
    with (project.folder / damaged).open("r+b") as file:
        file.seek(-20, os.SEEK_END)
        file.write(b"damaged")
    result = project.here("pipeline=status")
    assert result.returncode == ExitCode.DATA
    assert Path(damaged).name in " ".join(result.stdout.split("! ")[1].split())
    assert_names(result.stderr, "champion")
    for name in ("store", "inbox"):
        assert re.search(r"\d", fact(result, name))


def test_a_damaged_record_hides_nothing_else(project: Project) -> None:
    (record,) = (project.data / "09_inference" / "batches").glob("*.json")
    record.write_text("{")
    with (project.data / "08_reporting" / "decisions.jsonl").open("a") as log:
        log.write('{"decision": "batch", "at": ')
    result = project.here("pipeline=status")
    assert result.returncode == 0, result.stderr
    assert record.name in result.stdout
    assert result.stdout.count(record.name) == 1
    assert fact(result, "champion").startswith("v0001")
    (line,) = [line for line in result.stdout.splitlines() if f"  {record.stem}  " in line]
    assert line.split()[3].isdecimal()
    assert_line_names(result.stderr, "WARNING", "decisions.jsonl")
