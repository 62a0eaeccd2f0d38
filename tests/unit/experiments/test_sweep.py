from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from omegaconf import OmegaConf

from batch_nlp.config.arguments import read_arguments
from batch_nlp.errors import DataError, ExitCode, GateError, SettingsError
from batch_nlp.experiments.job_record import JobRecord, record_job
from batch_nlp.experiments.job_result import CARD_FILE, REPEATS, fingerprint, read_result
from batch_nlp.experiments.sweep import SweepCallback, close_sweep, threads_of_a_job

SETTINGS = {"seed": 1, "training": {"window": 0, "holdout": 0.2}, "paths": {"data": "${root}/data"}}
DATA = ["version", 3, 1000]


@pytest.fixture
def sweep(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Return a function that adds a job to a sweep that has begun; given an error, it fails with it."""
    # a sweep that no test closes is not that of the next command line
    monkeypatch.setattr(SweepCallback, "current", None)
    folder = tmp_path / "08_reporting" / "sweeps" / "mine"
    config = {
        "hydra": {"sweep": {"dir": str(folder)}, "overrides": {"hydra": []}},
        "paths": {"data": str(tmp_path)},
        "log_level": "INFO",
    }
    # a sweep that its test does not close is not that of the next command line in this process
    monkeypatch.setattr(SweepCallback, "current", None)
    SweepCallback().on_multirun_start(OmegaConf.create(config))

    def add(number: int, error: Exception | None = None) -> None:
        def work(record: JobRecord) -> float:
            record.note("run", DATA, "f1_macro", {"f1_macro": number / 10, "classes": {}, "confusion": [[1]]})
            if error:
                raise error
            return number / 10

        job = JobRecord(folder / str(number), number, [f"seed={number}"], {**SETTINGS, "seed": number})
        (job.folder / ".hydra").mkdir(parents=True)
        assert record_job(job, work) == (None if error else number / 10)

    return add


@pytest.mark.parametrize(
    ("errors", "code"),
    [
        ([None, None], ExitCode.DONE),
        ([None, GateError("no"), GateError("no")], ExitCode.GATE),
        ([DataError("no"), GateError("no"), None], ExitCode.BUG),
        ([None, ZeroDivisionError("no")], ExitCode.BUG),
    ],
)
def test_the_exit_code_is_that_of_the_jobs_that_failed(
    errors: list[Exception | None], code: ExitCode, sweep: Callable[..., None], tmp_path: Path
) -> None:
    for number, error in enumerate(errors):
        sweep(number, error)
    assert close_sweep(ExitCode.DONE) == code
    found = json.loads((tmp_path / "08_reporting" / "experiments" / "mine.json").read_text())
    assert len(found["failed"]) == sum(error is not None for error in errors)
    # it is over: what is run next in this process is not part of it
    assert close_sweep(ExitCode.DONE) == ExitCode.DONE


def test_a_sweep_that_stopped_for_another_reason_is_reported_and_keeps_its_exit_code(
    sweep: Callable[..., None], tmp_path: Path
) -> None:
    sweep(0)
    sweep(1, DataError("no"))
    killed = tmp_path / "08_reporting" / "sweeps" / "mine" / "2"
    (killed / ".hydra").mkdir(parents=True)
    (killed / ".hydra" / "overrides.yaml").write_text("- seed=2\n- training.window=${seed}\n")
    assert close_sweep(ExitCode.BUG) == ExitCode.BUG
    found = json.loads((tmp_path / "08_reporting" / "experiments" / "mine.json").read_text())
    assert found["unfinished"] == [{"folder": "2", "overrides": ["seed=2", "training.window=${seed}"]}]


@pytest.mark.parametrize("cut", [b"", b"- 'seed=", "- model=ä".encode()[:-1]])
def test_overrides_that_a_kill_cut_off_do_not_keep_the_report_from_being_written(
    sweep: Callable[..., None], tmp_path: Path, cut: bytes
) -> None:
    sweep(0)
    killed = tmp_path / "08_reporting" / "sweeps" / "mine" / "1"
    (killed / ".hydra").mkdir(parents=True)
    (killed / ".hydra" / "overrides.yaml").write_bytes(cut)
    assert close_sweep(ExitCode.DONE) == ExitCode.DONE
    found = json.loads((tmp_path / "08_reporting" / "experiments" / "mine.json").read_text())
    assert found["unfinished"] == [{"folder": "1", "overrides": []}]


def test_when_every_job_failed_the_sweep_ends_as_they_did(sweep: Callable[..., None]) -> None:
    # Optuna ends with an error of its own when it has no trial to call the best
    sweep(0, DataError("no"))
    assert close_sweep(ExitCode.BUG) == ExitCode.DATA


def test_what_failed_is_measured_all_the_same(sweep: Callable[..., None], tmp_path: Path) -> None:
    sweep(7, GateError("under the bound"))
    found = read_result(tmp_path / "08_reporting" / "sweeps" / "mine" / "7")
    assert found is not None
    assert (found.ok, found.error, found.exit_code) == (False, "under the bound", ExitCode.GATE)
    assert found.metrics == {"f1_macro": 0.7}


@pytest.mark.parametrize(
    ("change", "again"),
    [({}, False), ({"log_level": "DEBUG"}, False), ({"seed": 2}, True), ({"training": {"holdout": 0.3}}, True)],
)
def test_a_job_is_done_again_only_with_other_settings(change: dict[str, object], again: bool, tmp_path: Path) -> None:
    def work(record: JobRecord) -> float:
        record.note("run", DATA, "f1_macro", {"f1_macro": 0.5})
        return 0.5

    record_job(JobRecord(tmp_path, 0, [], SETTINGS), work)
    record = JobRecord(tmp_path, 4, ["seed=1"], {**SETTINGS, **change})
    assert record.done_before(DATA) == (None if again else 0.5)
    # a job that is done again and killed leaves nothing that looks like its result
    assert (tmp_path / "result.json").exists() is not again


def test_a_job_is_done_again_on_other_data_or_if_it_failed(tmp_path: Path) -> None:
    def work(record: JobRecord) -> float:
        record.note("run", DATA, "f1_macro", {"f1_macro": 0.5})
        return 0.5

    def job() -> JobRecord:
        return JobRecord(tmp_path, 0, [], SETTINGS)

    record_job(job(), work)
    assert job().done_before(["version", 4, 1010]) is None
    record_job(job(), lambda _: 1 / 0)
    assert job().done_before(DATA) is None
    (tmp_path / "result.json").write_text("{cut")
    assert job().done_before(DATA) is None


def test_a_job_that_is_taken_over_keeps_its_figures(tmp_path: Path) -> None:
    def work(record: JobRecord) -> float:
        record.note("run-1", DATA, "f1_macro", {"f1_macro": 0.5})
        time.sleep(0.05)
        return 0.5

    record_job(JobRecord(tmp_path, 0, [], SETTINGS), work)
    before = read_result(tmp_path)
    record_job(JobRecord(tmp_path, 9, ["seed=1"], SETTINGS), lambda record: record.done_before(DATA))
    after = read_result(tmp_path)
    assert before is not None
    assert after is not None
    assert (after.number, after.overrides) == (9, ["seed=1"])
    assert (after.run, after.seconds, after.finished_at) == ("run-1", before.seconds, before.finished_at)


def test_repeats_have_one_group_and_folders_of_their_own() -> None:
    other = {**SETTINGS, "seed": 5, "training": {"window": 2, "holdout": 0.2}}
    assert fingerprint(SETTINGS) != fingerprint(other)
    assert fingerprint(SETTINGS, without=REPEATS) == fingerprint(other, without=REPEATS)
    assert SETTINGS["seed"] == 1, "what is given is left as it is"


@pytest.mark.parametrize("name", ["", "..", "../x", "a/b", ".hidden", "a,b", "a b", "${x}"])
def test_names_of_sweeps_that_are_no_folders_are_refused(name: str) -> None:
    with pytest.raises(SettingsError, match="sweep="):
        read_arguments([f"sweep={name}"])


def test_jobs_side_by_side_share_the_cores() -> None:
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    assert threads_of_a_job(OmegaConf.create({"_target_": "basic"})) == 0
    assert 1 <= threads_of_a_job(OmegaConf.create({"n_jobs": 2})) <= max(1, cores // 2)
    assert threads_of_a_job(OmegaConf.create({"n_jobs": 10_000})) == 1
    assert threads_of_a_job(OmegaConf.create({"n_jobs": -1})) == 1


def test_a_metric_that_is_no_number_does_not_cost_the_result(tmp_path: Path) -> None:
    def work(record: JobRecord) -> float:
        metrics = {"f1_macro": float("nan"), "ece": 0.01, "classes": {"good": {"recall": 0.5, "messages": 4}}}
        record.note("run", DATA, "f1_macro", metrics)
        return float("nan")

    record_job(JobRecord(tmp_path, 0, [], SETTINGS), work)
    found = read_result(tmp_path)
    assert found is not None
    assert (found.value, found.metrics) == (None, {"ece": 0.01, "recall_good": 0.5})


def test_a_job_has_the_interval_of_its_metric_over_the_hold_out(tmp_path: Path) -> None:
    def work(record: JobRecord) -> float:
        record.note("run", DATA, "f1_macro", {"f1_macro": 0.8, "confusion": [[40, 10], [10, 40]]})
        return 0.8

    record_job(JobRecord(tmp_path, 0, [], SETTINGS), work)
    found = read_result(tmp_path)
    assert found is not None
    assert found.interval is not None
    # of 100 messages, 80 % are right: a standard error of 4 points
    assert found.interval == pytest.approx([0.72, 0.88], abs=0.02)


def test_a_job_keeps_a_copy_of_the_card_with_a_link_to_the_entry_page(tmp_path: Path) -> None:
    card = tmp_path / "06_models" / "mails" / "run-1" / CARD_FILE
    card.parent.mkdir(parents=True)
    card.write_text("<nav></nav>")
    job = JobRecord(tmp_path / "08_reporting" / "sweeps" / "mine" / "f1", 0, [], SETTINGS)
    job.note("run-1", DATA, "f1_macro", {"f1_macro": 0.5}, card)
    copy = (job.folder / CARD_FILE).read_text()
    assert 'href="../../../index.html"' in copy
