"""Settings may choose among what the project can do; they may not bring code, and they may not hold secrets."""

from __future__ import annotations

from pathlib import Path

import pytest
from omegaconf import OmegaConf
from tests.naming import assert_ended, assert_names, refusal
from tests.projects import Project

from batch_nlp.config.safety import check_composed
from batch_nlp.errors import ExitCode, SettingsError

CALLBACK = "hydra: {callbacks: {evil: {_target_: pathlib.Path.touch, self: MARK}}}"
# How a file in conf/ could have its code run -> the setting that the message names
FILES = {
    "a callback": (CALLBACK, "hydra.callbacks.evil._target_=pathlib.Path.touch"),
    "a launcher": ("hydra: {launcher: {_target_: os.system}}", "hydra.launcher._target_=os.system"),
    "a sweeper": ("hydra: {sweeper: {_target_: os.system}}", "hydra.sweeper._target_=os.system"),
    "through what an allowed module imports": (
        "hydra: {callbacks: {evil: {_target_: batch_nlp.experiments.sweep.Path.touch}}}",
        "batch_nlp.experiments.sweep.Path.touch",
    ),
    "below an allowed class": (
        "hydra: {callbacks: {sweep: {deeper: [{_target_: builtins.eval}]}}}",
        "hydra.callbacks.sweep.deeper.0._target_=builtins.eval",
    ),
    "a node made by a resolver": (
        "hydra: {callbacks: {evil: '${oc.create:{_target_: pathlib.Path.touch}}'}}",
        "hydra.callbacks.evil._target_=pathlib.Path.touch",
    ),
    "a reference to another group": (
        "model: {params: {deep: {_target_: pathlib.Path.touch}}}\nhydra: {callbacks: {evil: '${model.params.deep}'}}",
        "model.params.deep._target_=pathlib.Path.touch",
    ),
    "one of our own groups": ("dataset: {_target_: os.system}", "dataset._target_=os.system"),
    "a factory in the log": (
        "hydra: {job_logging: {version: 1, root: {level: INFO}, handlers: {evil: {(): pathlib.Path.touch}}}}",
        "hydra.job_logging.handlers.evil.()=pathlib.Path.touch",
    ),
    "a class in Hydra's log": (
        "hydra: {hydra_logging: {version: 1, root: {level: INFO}, handlers: {evil: {class: logging.os.system}}}}",
        "hydra.hydra_logging.handlers.evil.class=logging.os.system",
    ),
    "an object in the log": (
        "hydra: {job_logging: {root: {level: INFO}, handlers: {evil: {stream: 'ext://os.environ'}}}}",
        "hydra.job_logging.handlers.evil.stream=ext://os.environ",
    ),
    "a path for Python": ("hydra: {job: {env_set: {PYTHONPATH: /tmp}}}", "hydra.job.env_set"),
}


@pytest.fixture
def project(tmp_path: Path) -> Project:
    (tmp_path / "my_conf" / "experiment").mkdir(parents=True)
    return Project(tmp_path)


def write(project: Project, content: str, name: str = "evil") -> None:
    text = content.replace("MARK", str(project.folder / "mark"))
    (project.folder / "my_conf" / "experiment" / f"{name}.yaml").write_text(f"# @package _global_\n{text}\n")


@pytest.mark.parametrize("kind", FILES)
def test_a_file_of_settings_that_names_code_is_refused_before_anything_is_made_of_it(
    kind: str, project: Project
) -> None:
    """Guarantee 10."""
    content, named = FILES[kind]
    write(project, content)
    result = project.here("--config-dir", "my_conf", "pipeline=inference", "+experiment=evil")
    assert result.returncode == ExitCode.SETTINGS, result.stderr
    assert_names(result.stderr, named)
    assert "Traceback" not in result.stderr
    assert sorted(path.name for path in project.folder.iterdir()) == ["my_conf"]


def test_code_on_the_command_line_is_refused_too(project: Project) -> None:
    for argument in ("+hydra.callbacks.x._target_=os.system", "model.params._target_=os.system"):
        result = project.here("pipeline=inference", argument)
        assert result.returncode == ExitCode.SETTINGS
        assert_names(result.stderr, "_target_=os.system")
    assert not project.data.exists()


@pytest.mark.parametrize("plus", ["", "+", "++"])
def test_a_package_of_settings_is_not_imported(plus: str, project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    (project.folder / "evil.py").write_text("raise SystemExit(77)\n")
    monkeypatch.syspath_prepend(str(project.folder))
    result = project.here("pipeline=status", f"{plus}hydra.searchpath=[pkg://evil]")
    assert_ended(result, ExitCode.SETTINGS, "pkg://evil", "--config-dir")


@pytest.mark.parametrize("folder", ["../../outside", "/tmp/outside", "a/../../outside"])  # noqa: S108 never written
def test_a_log_of_settings_stays_in_the_folder_of_its_run(project: Project, folder: str) -> None:
    result = project.here("pipeline=rollback", f"hydra.output_subdir={folder}")
    assert_ended(result, ExitCode.SETTINGS, "hydra.output_subdir", folder)
    assert not [*project.folder.rglob("outside")]


def test_a_search_space_may_not_be_a_function() -> None:
    """Of Optuna's sweeper, which is an extra."""
    search = {"hydra": {"runtime": {"output_dir": "???"}, "sweeper": {"custom_search_space": "os.system"}}}
    with refusal(SettingsError, "custom_search_space"):
        check_composed(OmegaConf.create(search))


def test_code_in_a_job_of_a_sweep_is_refused_too(project: Project) -> None:
    """Each job is composed anew, after the sweep has begun."""
    write(project, "seed: 1", "harmless")
    write(project, "hydra: {job_logging: {root: {level: INFO}, handlers: {h: {(): pathlib.Path.touch}}}}")
    result = project.here(
        "--config-dir", "my_conf", "-m", "pipeline=rollback", "+experiment=harmless,evil", "hydra.output_subdir=.hydra"
    )
    assert result.returncode == ExitCode.SETTINGS, result.stderr
    assert "hydra.job_logging.handlers.h.()=pathlib.Path.touch" in result.stderr


def test_files_that_name_code_only_together_are_refused(project: Project) -> None:
    """Each is sound beside the other choices of its sweep; the log of one job would name code."""
    logs = "hydra: {job_logging: {root: {level: INFO}, handlers: {h: '${model.params.handler}'}}}"
    write(project, f"model: {{params: {{handler: {{class: logging.StreamHandler}}}}}}\n{logs}", "logs")
    (project.folder / "my_conf" / "ablation").mkdir()
    for name, handler in (("fine", "{class: logging.StreamHandler}"), ("evil", "{(): pathlib.Path.touch}")):
        file = project.folder / "my_conf" / "ablation" / f"{name}.yaml"
        file.write_text(f"# @package _global_\nmodel: {{params: {{handler: {handler}}}}}\n")
    result = project.here(
        "--config-dir", "my_conf", "-m", "pipeline=rollback", "+experiment=reduced,logs", "+ablation=fine,evil"
    )
    assert_ended(result, ExitCode.SETTINGS, "hydra.job_logging.handlers.h", "pathlib.Path.touch")


def test_a_pickle_of_an_earlier_run_is_not_run_again(project: Project) -> None:
    """Guarantee 21: Hydra has a flag for it, which may be shortened."""
    for flag in ("--experimental-rerun=config.pickle", "--exp"):
        result = project.here(flag, "config.pickle")
        assert result.returncode == ExitCode.SETTINGS
        assert_names(result.stderr, flag.partition("=")[0], ".hydra/overrides.yaml")


@pytest.mark.parametrize("where", ["command line", "file"])
@pytest.mark.parametrize(
    ("key", "address"),
    [
        ("notify.url_variable", "https://hooks.example/T0P53CRET"),
        ("tracking.uri", "postgresql://me:T0P53CRET@db.example/runs"),
    ],
)
def test_a_secret_among_the_settings_is_refused_and_neither_shown_nor_kept(
    where: str, key: str, address: str, project: Project
) -> None:
    arguments = [f"{key}={address}"]
    if where == "file":
        group, _, name = key.partition(".")
        write(project, f"{group}: {{{name}: '{address}'}}")
        arguments = ["--config-dir", "my_conf", "+experiment=evil"]
    backend = "tracking.backend=mlflow" if key.startswith("tracking") else "notify=json"
    result = project.here("pipeline=inference", *arguments, backend)
    assert result.returncode == ExitCode.SETTINGS, result.stderr
    assert_names(result.stderr, key)
    assert "T0P53CRET" not in result.stdout + result.stderr
    for file in project.folder.rglob("*"):
        if file.is_file() and "my_conf" not in file.parts:
            assert "T0P53CRET" not in file.read_text(), file


def test_the_projects_own_targets_are_allowed(project: Project) -> None:
    for folder in (project.data, project.models):  # as runs before leave them: there is nothing to score
        folder.mkdir(exist_ok=True)
        (folder / ".lock").touch()
    result = project.here("-m", "pipeline=inference", "seed=1,2", "hydra/launcher=basic", "hydra/sweeper=basic")
    assert result.returncode == ExitCode.DONE, result.stderr
