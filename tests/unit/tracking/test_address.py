from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.naming import refusal
from tests.projects import Project

from batch_nlp.config import Config
from batch_nlp.config.safety import check_arguments
from batch_nlp.errors import ExitCode, SettingsError
from batch_nlp.tracking.address import address_of, check_tracking, masked, model_name

MakeConfig = Callable[..., Config]

WRONG = {
    "unknown kind of address": (["tracking.uri=htp://localhost:5000"], ["htp://localhost:5000", "'http'"]),
    "a folder": (["tracking.uri=/srv/mlruns"], ["/srv/mlruns", "sqlite"]),
    "a database without a file": (["tracking.uri='sqlite:///'"], ["sqlite:///", "file"]),
    "password for a server": (
        ["tracking.uri=https://me:geheim@host"],
        ["https://***@host", "MLFLOW_TRACKING_PASSWORD"],
    ),
    "token for a server": (["tracking.uri=https://geheim@host"], ["https://***@host", "MLFLOW_TRACKING_TOKEN"]),
    "password for a database": (["tracking.uri=postgresql://me:geheim@host/db"], ["***@host/db", "PGPASSWORD"]),
    "password as a parameter": (["tracking.uri='postgresql://host/db?password=geheim'"], ["host/db", "PGPASSWORD"]),
    "experiment that no model can be named after": (["tracking.experiment=a/b"], ["tracking.experiment=a/b"]),
}


@pytest.mark.parametrize("case", WRONG)
def test_a_setting_that_cannot_work_is_named(
    case: str, make_config: MakeConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    arguments, words = WRONG[case]
    with refusal(SettingsError, *words) as error:
        check_tracking(make_config(tmp_path, "tracking=mlflow", *arguments))
    assert "geheim" not in str(error.value)


def test_a_missing_extra_is_named_with_the_command_that_installs_it(
    make_config: MakeConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "mlflow", None)  # as if it were not installed
    with refusal(SettingsError, "uv sync --extra mlflow"):
        check_tracking(make_config(tmp_path, "tracking=mlflow"))
    check_tracking(make_config(tmp_path, "tracking=none"))


def test_two_data_folders_have_two_databases(make_config: MakeConfig, tmp_path: Path) -> None:
    one, two = (address_of(make_config(tmp_path / name, "tracking=mlflow")) for name in ("one", "two"))
    assert one.database == tmp_path / "one" / "data" / "08_reporting" / "mlflow" / "mlflow.db"
    assert one.artefacts == one.database.parent / "artifacts"
    assert one.uri != two.uri
    assert one.artefacts != two.artefacts


def test_files_go_beside_a_database_and_a_server_has_its_own_place(make_config: MakeConfig, tmp_path: Path) -> None:
    database = address_of(make_config(tmp_path, "tracking=mlflow", f"tracking.uri=sqlite:///{tmp_path}/runs.db"))
    assert database.artefacts == tmp_path / "artifacts"
    server = address_of(make_config(tmp_path, "tracking=mlflow", "tracking.uri=http://localhost:5000"))
    assert server.artefacts is None


def test_models_are_named_after_experiment_and_dataset(make_config: MakeConfig, tmp_path: Path) -> None:
    config = make_config(tmp_path, "tracking=mlflow", "tracking.experiment=shop reviews")
    assert model_name(config) == "shop reviews-sample"
    assert model_name(config, "yelp") == "shop reviews-yelp"


def test_credentials_are_masked_wherever_they_stand_in_a_text() -> None:
    text = "refused: https://me:geheim@one/a and mysql+pymysql://you:p%40ss@two:3306/b, not sqlite:////c/d@e:f"
    assert masked(text) == "refused: https://***@one/a and mysql+pymysql://***@two:3306/b, not sqlite:////c/d@e:f"


@pytest.mark.parametrize("argument", ["tracking.uri=https://me:geheim@host", "++tracking.uri='https://geheim@host'"])
def test_a_password_on_the_command_line_is_refused_before_anything_can_save_it(argument: str) -> None:
    with refusal(SettingsError, "***@host") as error:
        check_arguments(["-m", "seed=1,2", argument])
    assert "geheim" not in str(error.value)
    check_arguments(["-m", "tracking.uri=http://host:5000", "tracking.uri=postgresql://me@host/db"])


@pytest.mark.parametrize("mode", [(), ("-m", "seed=1,2")])
def test_a_password_in_a_settings_file_is_refused_before_anything_is_written(
    tmp_path: Path, mode: tuple[str, ...]
) -> None:
    """Settings are checked before Hydra saves them."""
    mine = tmp_path / "my_conf" / "tracking" / "mine.yaml"
    mine.parent.mkdir(parents=True)
    mine.write_text("backend: mlflow\nuri: https://me:geheim@host.example\n")
    result = Project(tmp_path).run(*mode, "--config-dir", str(tmp_path / "my_conf"), "tracking=mine")
    assert result.returncode == ExitCode.SETTINGS
    assert "MLFLOW_TRACKING_PASSWORD" in result.stderr
    assert "geheim" not in result.stderr
    assert [file for file in tmp_path.rglob("*") if file.is_file() and file != mine] == []
