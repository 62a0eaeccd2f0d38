"""The files of ``deploy/``, run unchanged: the crontab line as cron runs it, and the command of the systemd service."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
import pyarrow.parquet as pq
import pytest
from tests.naming import assert_ended, assert_names
from tests.projects import QUICK, Project

from batch_nlp.cli import PROJECT_ROOT
from batch_nlp.errors import ExitCode
from batch_nlp.storage.lock import lock_holder

DEPLOY = PROJECT_ROOT / "deploy"
TIMED_OUT = 124
SECRET = "http://localhost/T0SECRET"  # noqa: S105 an address where nobody listens


@dataclass(frozen=True)
class Job:
    """A command and the environment in which a scheduler runs it."""

    command: list[str]
    environment: dict[str, str]
    cwd: Path

    def start(self) -> subprocess.Popen[str]:
        return subprocess.Popen(
            self.command, env=self.environment, cwd=self.cwd, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )

    def run(self) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            self.command, env=self.environment, cwd=self.cwd, capture_output=True, text=True, check=False, timeout=300
        )

    @property
    def log(self) -> str:
        return "".join(path.read_text() for path in Path(self.environment["BATCH_NLP_LOGS"]).iterdir())


def settings_of(project: Project) -> str:
    return " ".join([f"paths.data={project.data}", f"paths.models={project.models}", *QUICK])


def by_cron(project: Project, home: Path) -> Job:
    """Return the crontab line with its two variables set, as cron(8) runs it."""
    lines = [line for line in (DEPLOY / "crontab").read_text().splitlines() if line and not line.startswith("#")]
    variables = dict(line.split("=", 1) for line in lines[:-1])
    assert list(variables) == ["BATCH_NLP_HOME", "BATCH_NLP_ARGS"]
    variables = {"BATCH_NLP_HOME": str(PROJECT_ROOT), "BATCH_NLP_ARGS": settings_of(project)}
    fields = lines[-1].split(None, 5)
    assert all(re.fullmatch(r"[\d*/,-]+", field) for field in fields[:5])
    command = fields[5]
    assert "%" not in command, "cron makes a line end of it"
    surroundings = {"HOME": str(home), "PATH": "/usr/bin:/bin", "SHELL": "/bin/sh", "LOGNAME": "batch-nlp"}
    return Job(["/bin/sh", "-c", command], {**surroundings, **variables, "BATCH_NLP_LOGS": str(home / "logs")}, home)


def by_systemd(project: Project, home: Path) -> Job:
    """Return the command of the unit, with the path replaced as deploy/README.md says."""
    unit = (DEPLOY / "batch-nlp.service").read_text().replace("/srv/batch-nlp", str(PROJECT_ROOT))
    settings = [line.split("=", 1) for line in unit.splitlines() if re.match(r"[A-Z]\w+=", line)]
    values = {name: value for name, value in settings if name != "Environment"}
    variables = dict(
        word.split("=", 1) for name, value in settings if name == "Environment" for word in shlex.split(value)
    )
    from_file = {"BATCH_NLP_ARGS": settings_of(project), "BATCH_NLP_LOGS": str(home / "logs")}
    # systemd runs without a shell, and gives a service of a user HOME, USER and a PATH
    surroundings = {"HOME": str(home), "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin", "USER": "batch-nlp"}
    command = shlex.split(values["ExecStart"])
    return Job(
        command, {**surroundings, **variables, "MPLCONFIGDIR": str(home), **from_file}, Path(values["WorkingDirectory"])
    )


def drop(project: Project, name: str, count: int) -> set[str]:
    """Put a file of messages into the inbox, and return their ids."""
    rows: list[dict[str, Any]] = []
    for line in (project.data / "01_raw" / "sample" / "yelp_academic_dataset_review.json").read_bytes().splitlines():
        try:
            row = orjson.loads(line)
        except orjson.JSONDecodeError:
            continue
        if {"review_id", "text", "date"} <= row.keys():
            kept = {key: row[key] for key in ("user_id", "business_id", "text", "date")}
            rows.append({**kept, "review_id": f"{name}-{len(rows)}"})
        if len(rows) == count:
            break
    file = project.inbox / f"{name}_review.json"
    partial = file.with_name(f".{file.name}")
    partial.write_bytes(b"".join(orjson.dumps(row) + b"\n" for row in rows))
    partial.rename(file)
    return {row["review_id"] for row in rows}


def wait_for_holder(project: Project, process: subprocess.Popen[str]) -> int:
    """Wait until a process holds the lock, and return its id."""
    while (pid := lock_holder(project.data)) is None:
        assert process.poll() is None, process.communicate()
        time.sleep(0.005)
    return pid


def accounted_for(project: Project) -> Counter[str]:
    """Return how often each message is among the predictions or in quarantine."""
    folder = project.data / "09_inference"
    files = [*folder.glob("predictions/*/predictions.parquet"), *folder.glob("quarantine/*.parquet")]
    return Counter(
        key for file in files for key in pq.read_table(file, columns=["message_id"])["message_id"].to_pylist()
    )


@pytest.mark.long
@pytest.mark.parametrize("scheduler", [by_cron, by_systemd])
def test_of_two_overlapping_starts_one_works_and_nothing_is_lost(
    scheduler: Callable[[Project, Path], Job], project: Project, tmp_path: Path
) -> None:
    job = scheduler(project, tmp_path)
    messages = drop(project, "first", 300)
    first = job.start()
    # it stands still in the middle of its work for as long as the second one runs, so that they overlap for certain
    holder = wait_for_holder(project, first)
    os.kill(holder, signal.SIGSTOP)
    try:
        messages |= drop(project, "second", 200)
        second = job.run()
        assert first.poll() is None
    finally:
        os.kill(holder, signal.SIGCONT)
    assert second.returncode == ExitCode.LOCKED, second.stderr
    assert second.stderr == second.stdout == "", "an overlap is no reason for a mail"
    said, _ = first.communicate(timeout=300)
    assert first.returncode == 0, job.log
    assert said == ""
    messages |= drop(project, "third", 100)
    third = job.run()
    assert third.returncode == 0, job.log
    counts = accounted_for(project)
    assert {key: counts[key] for key in messages} == dict.fromkeys(messages, 1)
    assert_names(job.log, holder, "exit code 0", "exit code 75", "pipeline=inference paths.data=")
    states = [json.loads(path.read_text())["state"] for path in (project.data / "09_inference" / "batches").glob("*")]
    assert set(states) == {"done"}


def test_a_job_past_its_time_limit_is_ended_and_its_log_says_so(project: Project, tmp_path: Path) -> None:
    job = by_cron(project, tmp_path)
    logs = tmp_path / "logs"
    logs.mkdir()
    for day in range(1, 6):
        (logs / f"batch-nlp-2026-01-0{day}.log").write_text("old\n")
    (logs / "mine.log").write_text("not a log of the job\n")
    job.environment.update(BATCH_NLP_TIMEOUT="1s", BATCH_NLP_KEEP_DAYS="3")
    result = job.run()
    assert result.returncode == TIMED_OUT
    assert_names(result.stderr, "1s")
    assert_names(job.log, TIMED_OUT)
    names = sorted(path.name for path in logs.iterdir())
    assert names[:2] == ["batch-nlp-2026-01-04.log", "batch-nlp-2026-01-05.log"]
    assert len(names) == 4
    assert names[-1] == "mine.log"
    assert lock_holder(project.data) is None


def test_ending_the_script_ends_the_job(project: Project, tmp_path: Path) -> None:
    drop(project, "first", 300)
    process = by_systemd(project, tmp_path).start()
    wait_for_holder(project, process)
    process.terminate()
    process.communicate(timeout=60)
    assert process.returncode == 128 + signal.SIGTERM
    assert lock_holder(project.data) is None


def test_arguments_and_exit_code_are_passed_through(tmp_path: Path) -> None:
    job = by_cron(Project(tmp_path), tmp_path)
    # at another place than in the project, by a link, and with arguments of its own
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "job").symlink_to(DEPLOY / "run-batch")
    own = {name: value for name, value in job.environment.items() if name not in {"BATCH_NLP_HOME", "BATCH_NLP_ARGS"}}
    command = [str(tmp_path / "bin" / "job"), f"paths.root={tmp_path}", "pipeline=training", "drift.lo=0.2"]
    result = Job(command, own, tmp_path).run()
    assert result.returncode == ExitCode.SETTINGS, result.stderr
    assert re.fullmatch(r"[^\n]*\b2\b[^\n]*/logs/batch-nlp-\d{4}-\d\d-\d\d\.log\n", result.stderr)
    log = Job(command, own, tmp_path).log
    assert_names(log, "6h", f"paths.root={tmp_path} pipeline=training drift.lo=0.2", "'drift.low'")
    assert re.search(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d [+-]\d{4} \| run-batch \d+ \| \D* 2 \D* \d+ s\n", log)


@pytest.mark.parametrize("place", ["paths.data={}/data", "paths.root={}", 'paths.data="{}/data"'])
def test_logs_are_written_beside_the_data(place: str, tmp_path: Path) -> None:
    environment = {"PATH": "/usr/bin:/bin", "HOME": str(tmp_path), "BATCH_NLP_ARGS": "drift.lo=0.2"}
    here = [str(DEPLOY / "run-batch"), "paths.data=/nowhere", place.format(tmp_path)]
    if place.startswith("paths.root"):
        del here[1]
    assert Job(here, environment, tmp_path).run().returncode == ExitCode.SETTINGS
    (log,) = (tmp_path / "data" / "08_reporting" / "logs").glob("batch-nlp-*.log")
    assert_names(log.read_text(), "'drift.low'")


@pytest.mark.parametrize(
    ("variable", "value", "advice"),
    [
        ("BATCH_NLP_HOME", "/nowhere", "make setup"),
        ("BATCH_NLP_KEEP_DAYS", "0", 1),
        ("BATCH_NLP_TIMEOUT", "soon", "90m"),
        ("BATCH_NLP_LOGS", "/proc/logs", "BATCH_NLP_LOGS"),
        ("BATCH_NLP_SECRETS", "/nowhere.env", "BATCH_NLP_SECRETS"),
    ],
)
def test_a_wrong_variable_is_named(variable: str, value: str, advice: object, tmp_path: Path) -> None:
    environment = {"PATH": "/usr/bin:/bin", "BATCH_NLP_LOGS": str(tmp_path / "logs"), variable: value}
    result = Job([str(DEPLOY / "run-batch")], environment, tmp_path).run()
    assert_ended(result, ExitCode.SETTINGS, variable, value, advice)


@pytest.mark.parametrize("mode", [0o640, 0o604])
def test_a_secrets_file_that_others_can_read_is_refused(mode: int, tmp_path: Path) -> None:
    secrets = tmp_path / ".config" / "batch-nlp.env"
    secrets.parent.mkdir()
    secrets.write_text(f"BATCH_NLP_WEBHOOK={SECRET}\n")
    secrets.chmod(mode)
    environment = {"PATH": "/usr/bin:/bin", "HOME": str(tmp_path), "BATCH_NLP_LOGS": str(tmp_path / "logs")}
    result = Job([str(DEPLOY / "run-batch")], environment, tmp_path).run()
    assert result.returncode == ExitCode.SETTINGS
    (advice,) = re.findall(r"'(chmod .*?)'", result.stderr)
    subprocess.run(shlex.split(advice), check=True)
    refused = Job([str(DEPLOY / "run-batch"), "drift.lo=0.2"], environment, tmp_path).run()
    assert_ended(refused, ExitCode.SETTINGS, ExitCode.SETTINGS)
    assert SECRET not in result.stderr + refused.stderr


def test_a_secrets_file_is_read_and_not_executed(tmp_path: Path) -> None:
    secrets = tmp_path / "secrets"
    secrets.write_text("# a comment\n\nBATCH_NLP_ARGS='drift.lo=0.2 seed=$(touch gone)'\n")
    secrets.chmod(0o600)
    environment = {"PATH": "/usr/bin:/bin", "BATCH_NLP_LOGS": str(tmp_path / "logs"), "BATCH_NLP_SECRETS": str(secrets)}
    job = Job([str(DEPLOY / "run-batch")], environment, tmp_path)
    assert job.run().returncode == ExitCode.SETTINGS
    assert_names(job.log, "pipeline=inference drift.lo=0.2 seed=$(touch gone)")
    secrets.write_text("export A=1\n")
    assert_ended(job.run(), ExitCode.SETTINGS, secrets, "NAME=value")


def test_systemd_accepts_the_units(tmp_path: Path) -> None:
    if not shutil.which("systemd-analyze"):
        pytest.skip("systemd-analyze is not installed, so nobody can say whether systemd takes the units")
    for name in ("batch-nlp.service", "batch-nlp.timer"):
        unit = (DEPLOY / name).read_text().replace("/srv/batch-nlp", str(PROJECT_ROOT))
        (tmp_path / name).write_text(unit)
    command = ["systemd-analyze", "verify", *map(str, sorted(tmp_path.iterdir()))]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (result.returncode, result.stderr) == (0, "")
