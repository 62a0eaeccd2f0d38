"""Explanations and learning curves through the real command line."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pytest
from deltalake import DeltaTable, write_deltalake
from tests.naming import assert_ended, assert_line_names, assert_names
from tests.projects import Project

from batch_nlp.storage.lock import writer_lock

HOSTILE = "../../x/<b>y</b> z"


@pytest.fixture(scope="module")
def studied(
    tmp_path_factory: pytest.TempPathFactory, first_run: tuple[Project, subprocess.CompletedProcess[str]]
) -> Project:
    """Return a copy of the project after its first run, with a hostile id in its store."""
    folder = tmp_path_factory.mktemp("studied") / "project"
    shutil.copytree(first_run[0].folder, folder, symlinks=True)
    project = Project(folder)
    table = features(project).slice(0, 1)
    column = table.schema.get_field_index("message_id")
    write_deltalake(
        str(table_path(project)), table.set_column(column, "message_id", pa.array([HOSTILE])), mode="append"
    )
    return project


def table_path(project: Project) -> Path:
    (path,) = (project.data / "04_feature" / "sample").glob("features-*")
    return path


def features(project: Project) -> pa.Table:
    return DeltaTable(str(table_path(project))).to_pyarrow_table()


def labelled(project: Project) -> pd.DataFrame:
    labels = DeltaTable(str(project.data / "04_feature" / "sample" / "labels")).to_pyarrow_table().to_pandas()
    found: pd.DataFrame = features(project).to_pandas().merge(labels[["message_id", "target"]])
    return found


def test_a_known_message_is_explained_beside_another_reader(studied: Project) -> None:
    message = labelled(studied).iloc[-1]
    before = sorted(path.name for path in studied.models.rglob("*"))
    with writer_lock(studied.data, studied.models, shared=True):
        result = studied.here("pipeline=explain", f"message_id={message['message_id']}")
    assert result.returncode == 0, result.stderr
    folder = studied.data / "08_reporting" / "explanations"
    facts = json.loads((folder / f"{message['message_id']}.json").read_text())
    assert facts["base"] + sum(part["effect"] for part in facts["parts"]) == pytest.approx(facts["margin"], abs=1e-5)
    stars = {"1": "negative", "2": "negative", "3": "neutral", "4": "positive", "5": "positive"}
    assert facts["truth"] == stars[message["target"]]
    assert_names(result.stdout, message["message_id"], facts["truth"], "TreeSHAP", "n-grams")
    page = (folder / f"{message['message_id']}.html").read_text()
    assert "<svg" not in page
    assert_names(page, *stars.values())
    # the text of a message is in the explanation and in no log
    assert message["text"][:60] in " ".join(result.stdout.split())
    logs = [path.read_text() for path in (studied.data / "08_reporting" / "runs").rglob("run.log")]
    assert not [log for log in [*logs, result.stderr] if message["text"][:60] in log]
    assert sorted(path.name for path in studied.models.rglob("*")) == before


def test_a_hostile_id_stays_in_its_folder_and_is_escaped(studied: Project) -> None:
    outside = {path for path in studied.folder.rglob("*") if "explanations" not in path.parts and path.is_file()}
    result = studied.here("pipeline=explain", f'message_id="{HOSTILE}"')
    assert result.returncode == 0, result.stderr
    folder = studied.data / "08_reporting" / "explanations"
    (page,) = (path for path in folder.glob("*.html") if "~" in path.name)
    assert "<b>y" not in page.read_text()
    assert json.loads(page.with_suffix(".json").read_text())["message_id"] == HOSTILE
    new = {path for path in studied.folder.rglob("*") if path.is_file() and path not in outside}
    assert {path.parent for path in new if path.suffix in {".html", ".json"}} == {folder}


def test_an_unknown_message_ends_with_what_to_do(studied: Project) -> None:
    result = studied.here("pipeline=explain", "message_id=nobody-knows")
    assert_ended(result, 3, "message_id='nobody-knows'", "pipeline=feature")


def test_a_missing_id_is_told_before_any_work(tmp_path: Path) -> None:
    project = Project(tmp_path)
    result = project.here("pipeline=explain")
    assert_ended(result, 2, "message_id", "pipeline=explain")
    assert not (project.data / "04_feature").exists()


def test_a_learning_curve_publishes_nothing(studied: Project) -> None:
    before = (studied.models / "champion.json").read_bytes()
    quick = ("training.inputs=[tabular]", "training.decision.calibration=none", "training.decision.metric=null")
    result = studied.here("pipeline=learning_curve", "learning_curve.shares=[0.5,1.0]", *quick)
    assert_ended(result, 0, "xgboost")
    assert_line_names(result.stderr, 4)
    folder = studied.data / "08_reporting" / "learning_curve"
    assert sorted(path.suffix for path in folder.iterdir()) == [".html", ".json", ".md"]
    (report,) = folder.glob("*.json")
    sizes = [point["messages"] for point in json.loads(report.read_text())["points"]]
    assert sizes[0] == pytest.approx(sizes[1] / 2, abs=1)
    assert (studied.models / "champion.json").read_bytes() == before
