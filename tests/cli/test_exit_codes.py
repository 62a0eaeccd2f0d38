"""Every ending of the command line: its exit code, and a message that says what, where and what to do."""

from __future__ import annotations

import fcntl
import json
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.naming import assert_ended, assert_names
from tests.projects import DATASETS, LIGHT, Project

from batch_nlp import cli
from batch_nlp.errors import ExitCode

# arguments -> what the message must name
SETTINGS_ERRORS = {
    "unknown key": (["drift.lo=0.2"], ["drift.lo", "drift.low"]),
    "unknown key added with +": (["+drift.hihg=0.2"], ["drift.hihg", "drift.high"]),
    "unknown key added with ++": (["++training.hold_out=0.3"], ["training.hold_out", "training.holdout"]),
    "dashes before a setting": (["--pipeline=training"], ["--pipeline=training", "pipeline=training"]),
    "value alone": (["training"], ["training", "pipeline=training"]),
    "unknown key at the top": (["pipelin=training"], ["pipelin", "pipeline"]),
    "key of another group": (["training.min_messages=3"], ["training.min_messages", "min_messages"]),
    "unknown choice": (["dataset=ylep"], ["dataset=ylep", "yelp"]),
    "unknown experiment": (["+experiment=reducd"], ["reducd", "reduced"]),
    "wrong type": (["drift.low=much"], ["drift.low", "much"]),
    "broken override": (["drift.low=[1,"], ["drift.low"]),
    "band that no batch can satisfy": (["drift.low=0.4"], ["drift.low=0.4", "0.333"]),
    "hold-out of everything": (["training.holdout=1.0"], ["training.holdout=1.0", 0, 1]),
    "unknown log level": (["log_level=LOUD"], ["log_level=LOUD", "WARNING"]),
    "unknown parameter of the model": (["model.params.max_deph=4"], ["model.params.max_deph", "'max_depth'"]),
    "unknown parameter added with +": (["+model.params.max_deph=4"], ["model.params.max_deph", "'max_depth'"]),
    "estimator from elsewhere": (["model.estimator=os.system"], ["os.system", "sklearn", "xgboost"]),
    "misspelt estimator": (
        ["model=logistic_regression", "model.estimator=sklearn.linear_model.LogisticRegresion"],
        ["LogisticRegresion", "LogisticRegression"],
    ),
}


@pytest.fixture
def call(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., int]:
    """Return a function that runs the command line in this process, in an empty project folder."""

    def run(*arguments: str) -> int:
        monkeypatch.chdir(tmp_path)
        monkeypatch.setattr(sys, "argv", ["start_batch_nlp.py", *Project(tmp_path).arguments(*arguments)])
        return cli.main()

    return run


@pytest.fixture
def used(tmp_path: Path) -> None:
    """Leave what each run leaves in the folders of a project."""
    for name in ("data", "models"):
        (tmp_path / name).mkdir()
        (tmp_path / name / ".lock").touch()


@pytest.mark.parametrize("case", SETTINGS_ERRORS)
def test_a_settings_error_is_found_before_any_work(
    case: str, call: Callable[..., int], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Guarantee 10."""
    arguments, words = SETTINGS_ERRORS[case]
    assert call(*arguments) == ExitCode.SETTINGS
    message = capsys.readouterr().err
    assert_names(message, *words)
    # Hydra says nothing after it
    assert "Error executing job" not in message
    assert not (tmp_path / "data" / "01_raw").exists()
    assert not (tmp_path / "models").exists()


def test_a_typo_in_a_yaml_file_names_the_nearest_key(
    call: Callable[..., int], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "my_conf" / "experiment"
    folder.mkdir(parents=True)
    (folder / "mine.yaml").write_text("# @package _global_\ntraining:\n  ngrams:\n    foldz: 3\n")
    assert call("--config-dir", str(folder.parent), "+experiment=mine") == ExitCode.SETTINGS
    assert "'training.ngrams.folds'" in capsys.readouterr().err


def test_a_bug_is_exit_code_1_with_its_traceback(
    call: Callable[..., int], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError("secret-free message")

    monkeypatch.setattr("batch_nlp.runner.run_stages", broken)
    assert call() == ExitCode.BUG
    message = capsys.readouterr().err
    assert_names(message, "Traceback", "ZeroDivisionError")


def test_no_raw_files_is_a_data_error(call: Callable[..., int], capsys: pytest.CaptureFixture[str]) -> None:
    assert call("dataset=yelp", "dataset.raw_dir=nowhere") == ExitCode.DATA
    message = capsys.readouterr().err
    assert_names(message, "nowhere", "dataset.raw_dir")


@pytest.mark.usefixtures("used")
def test_new_messages_without_a_champion_are_a_data_error(
    call: Callable[..., int], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    inbox = tmp_path / "data" / "09_inference" / "inbox"
    inbox.mkdir(parents=True)
    (inbox / "review.json").write_text('{"review_id": "a", "text": "b", "date": "2020-01-01"}\n')
    assert call("pipeline=inference") == ExitCode.DATA
    assert "pipeline=training" in capsys.readouterr().err


@pytest.mark.usefixtures("used")
def test_an_empty_inbox_is_a_normal_day(call: Callable[..., int], tmp_path: Path) -> None:
    """Guarantee 7."""
    assert call("pipeline=inference") == ExitCode.DONE
    line = json.loads((tmp_path / "data" / "08_reporting" / "decisions.jsonl").read_text())
    assert line["verdict"]["status"] == "skipped"


def test_a_missing_class_stops_training_by_name(
    call: Callable[..., int], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Guarantee 15."""
    raw = tmp_path / "raw"
    raw.mkdir()
    rows = [
        {"review_id": f"r{i}", "text": f"text {i}", "date": f"2020-01-{i % 28 + 1:02d}", "stars": 1 if i % 2 else 5}
        for i in range(200)
    ]
    (raw / "review.json").write_text("".join(json.dumps(row) + "\n" for row in rows))
    arguments = ("dataset=yelp", f"dataset.raw_dir={raw}", "features.embedding.backend=minilm")
    assert call("pipeline=training", *arguments) == ExitCode.DATA
    assert_names(capsys.readouterr().err, "neutral", 0)


def test_input_that_is_mostly_broken_stops_before_a_model_learns_from_the_rest(
    call: Callable[..., int], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    raw = tmp_path / "raw"
    raw.mkdir()
    dates = ["2020-01-01", *["never"] * 199]
    lines = [json.dumps({"review_id": f"r{number}", "text": "t", "date": date}) for number, date in enumerate(dates)]
    (raw / "review.json").write_text("\n".join(lines))
    assert call("pipeline=fti", "dataset=yelp", f"dataset.raw_dir={raw}", "features=none", *LIGHT) == ExitCode.DATA
    message = capsys.readouterr().err
    assert_names(message, 199, 200, "quarantine.max_share")


@pytest.mark.parametrize("how", ["a flipped bit", "cut short", "gone"])
def test_a_damaged_champion_is_refused_by_name(how: str, project: Project) -> None:
    """Guarantee 2."""
    model = project.models / "v0001" / "model.skops"
    content = bytearray(model.read_bytes())
    content[len(content) // 2] ^= 1
    if how == "a flipped bit":
        model.write_bytes(bytes(content))
    elif how == "cut short":
        model.write_bytes(bytes(content[:1000]))
    else:
        model.unlink()
    (project.inbox / "new_review.json").write_text('{"review_id": "a", "text": "b", "date": "2020-01-01"}\n')
    result = project.here("pipeline=inference")
    assert_ended(result, ExitCode.DATA, project.shown(model), "pipeline=rollback")


def test_drift_with_action_alert_is_exit_code_4(project: Project) -> None:
    result = project.here("pipeline=sample", "sample.part=batch", "sample.class_mix=[0.0,0.0,1.0]")
    assert result.returncode == 0, result.stderr
    result = project.here("pipeline=inference", "drift.response=alert", "drift.low=0.3")
    assert_ended(result, ExitCode.DRIFT, "drift.response=alert")


def test_no_gate_settings_no_promotion(project: Project) -> None:
    """Guarantee 13."""
    off = [f"training.thresholds.{name}=null" for name in ("f1_macro", "f1_weighted", "recall")]
    off += ["training.gate.tolerance=null", "training.gate.max_recall_drop=null"]
    result = project.here("pipeline=training", *LIGHT, *off)
    assert_ended(result, ExitCode.GATE, "training.thresholds", "training.gate")


def test_a_candidate_that_fails_its_gate_does_not_keep_the_champion_from_scoring(project: Project) -> None:
    assert project.here("pipeline=sample", "sample.part=batch").returncode == 0
    result = project.here(*LIGHT, "training.thresholds.f1_macro=0.99")
    assert_ended(result, ExitCode.GATE, "training.thresholds.f1_macro", "0.9900")
    assert json.loads((project.models / "champion.json").read_text())["version"] == "v0001"
    batches = [json.loads(path.read_text()) for path in (project.data / "09_inference" / "batches").glob("*.json")]
    assert [batch["state"] for batch in batches] == ["done", "done"]


def test_while_another_run_works_the_exit_code_says_try_later(project: Project) -> None:
    """Guarantee 3."""
    with (project.data / ".lock").open("w") as lock:
        lock.write("4711")
        lock.flush()
        fcntl.flock(lock, fcntl.LOCK_EX)
        result = project.run("pipeline=inference")
    assert_ended(result, ExitCode.LOCKED, 4711)
    # a lock file that a killed process left does not lock
    assert project.here("pipeline=inference").returncode == ExitCode.DONE


def test_a_registry_of_another_dataset_is_refused_before_any_work(project: Project) -> None:
    """A champion trained on generated data may be replaced; nothing may be scored by it."""
    raw = project.data / "01_raw" / "sample"
    result = project.here("pipeline=inference", "dataset=yelp", f"dataset.raw_dir={raw}")
    assert_ended(result, ExitCode.SETTINGS, "sample", "yelp")
    assert project.here(*LIGHT, "dataset=yelp", f"dataset.raw_dir={raw}").returncode == 0
    back = project.here("pipeline=fti")
    assert_ended(back, ExitCode.SETTINGS, "sample", "yelp", "paths.models")
    borrowed = project.here("pipeline=inference", "inference.champion_of=yepl")
    assert_ended(borrowed, ExitCode.SETTINGS, "inference.champion_of=yelp")
    allowed = project.here("pipeline=training", *LIGHT, "training.gate.replace_other_dataset=true")
    assert allowed.returncode == 0, allowed.stderr


def test_a_file_that_cannot_be_written_is_no_bug(project: Project) -> None:
    folder = project.data / "08_reporting" / "batches"
    shutil.rmtree(folder)
    folder.write_text("a file where a folder belongs")
    assert project.here("pipeline=sample", "sample.part=batch").returncode == 0
    result = project.here("pipeline=inference")
    assert_ended(result, ExitCode.DATA, project.shown(folder))
    assert "Traceback" not in result.stderr
    folder.unlink()
    assert project.here("pipeline=inference").returncode == 0


def test_it_works_from_any_directory(project: Project, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    shutil.move(project.data / "01_raw" / "sample", elsewhere / "raw")
    result = project.run("pipeline=feature", "dataset.raw_dir=raw", cwd=elsewhere)
    assert result.returncode == 0, result.stderr


def test_help_fits_a_screen_and_shows_groups_examples_and_exit_codes(project: Project) -> None:
    result = project.here_as_written("--help")
    assert result.returncode == 0
    lines = result.stdout.splitlines()
    assert len(lines) <= 50
    assert max(map(len, lines)) <= 100
    listed = result.stdout.partition("\n  dataset: ")[2].partition("\n  drift: ")[0]
    assert set(DATASETS) <= set(re.findall(r"[\w-]+", listed))
    assert_names(result.stdout, "pipeline=status", "+search=xgboost", "--cfg job", 75, 130)


def test_all_settings_are_listed_with_their_meaning(project: Project) -> None:
    result = project.here_as_written("--help-all")
    assert result.returncode == 0
    assert_names(result.stdout, "training.gate.tolerance", "dataset.messages.columns.*.role", "drift.low")


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["-m", "--cfg", "job"], ["--cfg", "--multirun"]),
        (["--help", "seed=1"], ["--help", "seed=1"]),
        (["--help", "junk"], ["--help", "junk"]),
        (["-m", "pipeline=status"], ["--multirun", "pipeline=status"]),
        (["--resolve"], ["--cfg job"]),
        (["--cfg", "jb"], ["'jb'", "'job'"]),
        (["--cfg", "job", "--package", "nowhere"], ["--package", "nowhere"]),
        (["--cfg", "job", "--package", "hydra.sweeper"], ["--package", "hydra.sweeper"]),
        (["--cfg", "hydra", "--package", "training"], ["--package", "training"]),
        (["--multrun"], ["--multrun", "'--multirun'"]),
        (["--training.holdout=0.3"], ["training.holdout=0.3"]),
        (["--config-dir", "nowhere"], ["--config-dir", "nowhere"]),
        (["--config-dir"], ["--config-dir"]),
        (["--experimental-rerun"], ["--experimental-rerun"]),
        (["seed=1,2"], ["seed=1,2", "-m"]),
    ],
    ids=" ".join,
)
def test_flags_that_cannot_be_are_a_settings_error(arguments: list[str], named: list[str], project: Project) -> None:
    """Guarantee 10."""
    result = project.here_as_written(*arguments)
    assert_ended(result, ExitCode.SETTINGS, *named)
    assert "Traceback" not in result.stderr


def test_the_composed_settings_can_be_printed(project: Project) -> None:
    result = project.run("--cfg", "job", "--resolve", "pipeline=training")
    assert result.returncode == 0
    assert f"data: {project.data}" in result.stdout
    assert "if_store_empty:" in result.stdout


@pytest.mark.usefixtures("used")
def test_settings_may_stand_on_both_sides_of_a_flag_and_name_any_parameter(call: Callable[..., int]) -> None:
    assert call("pipeline=inference", "-m", "model.params.gamma=0.5") == ExitCode.DONE


def test_shell_completion_can_be_installed(project: Project) -> None:
    command = [sys.executable, str(cli.PROJECT_ROOT / "start_batch_nlp.py"), "-sc", "install=bash"]
    result = subprocess.run(command, cwd=project.folder, capture_output=True, text=True, check=False)
    assert result.returncode == 0
    assert "complete" in result.stdout


@pytest.mark.parametrize(("argument", "code"), [("pipeline=trainin", ExitCode.SETTINGS), ("training.metric=x", 2)])
def test_a_log_on_a_full_disk_does_not_change_the_exit_code(argument: str, code: int, tmp_path: Path) -> None:
    full = Path("/dev/full")
    if not full.exists():
        pytest.skip("this system has no /dev/full")
    with full.open("w") as log:
        command = [sys.executable, str(cli.PROJECT_ROOT / "start_batch_nlp.py"), *Project(tmp_path).arguments(argument)]
        assert subprocess.run(command, stdout=log, stderr=log, check=False).returncode == code
