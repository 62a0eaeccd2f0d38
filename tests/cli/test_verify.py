"""``pipeline=verify`` through the real command line: a sound state passes, each damage is reported with its file."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import fields, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from tests.naming import assert_line_names, assert_names, names
from tests.projects import Project
from tests.settings import default

from batch_nlp.config import EngineConfig
from batch_nlp.errors import ExitCode
from batch_nlp.inference.batch_records import Batch, BatchRecords, BatchState
from batch_nlp.monitoring.decisions import DecisionLog
from batch_nlp.storage.feature_store import FeatureStore
from batch_nlp.storage.label_table import LABELS_SCHEMA
from batch_nlp.storage.manifest import write_manifest
from batch_nlp.storage.seal import read_sealed, write_sealed, write_sealed_parquet


class State(NamedTuple):
    """A project and its folders, ready to be damaged."""

    project: Project

    @property
    def inference(self) -> Path:
        return self.project.data / "09_inference"

    @property
    def reports(self) -> Path:
        return self.project.data / "08_reporting" / "batches"

    @property
    def decisions(self) -> Path:
        return self.project.data / "08_reporting" / "decisions.jsonl"

    @property
    def store(self) -> FeatureStore:
        engine = default(EngineConfig, name="local", threads=1, temp_directory=str(self.project.data / ".spill"))
        return FeatureStore(self.project.data / "04_feature" / "sample", engine)

    @property
    def features(self) -> Path:
        """The folder of the table that the champion was trained on."""
        manifest = json.loads((self.project.models / "v0001" / "manifest.json").read_bytes())
        return self.store.folder / f"features-{manifest['data_version']['feature_version']}"

    def record(self, name: str) -> Path:
        return self.inference / "batches" / f"{name}.json"

    def predictions(self, name: str) -> Path:
        return self.inference / "predictions" / name / "predictions.parquet"

    def quarantine(self, name: str) -> Path:
        return self.inference / "quarantine" / f"{name}.parquet"

    def sample(self, name: str) -> Path:
        return self.project.data / "07_model_output" / "sample" / "samples" / f"{name}.parquet"

    def write(self, name: str, change: Callable[[pa.Table], pa.Table]) -> None:
        """Write predictions anew as an earlier release did, which sealed none."""
        path = self.predictions(name)
        table = change(pq.read_table(path))
        (path.parent / "seal.json").unlink(missing_ok=True)
        pq.write_table(table, path, write_page_checksum=True)

    def batch(self, name: str) -> Batch:
        values = json.loads(self.record(name).read_bytes())
        return Batch(**{field.name: values[field.name] for field in fields(Batch)})

    def enter(self, name: str, /, **changes: Any) -> None:
        """Change the record of a batch."""
        BatchRecords(self.record(name).parent).write(replace(self.batch(name), **changes))

    def another_batch(self, name: str) -> str:
        """Add a batch like the first, with messages of its own."""
        first = min(path.stem for path in (self.inference / "batches").glob("*.json"))
        for path in (self.predictions(first), *self.reports.glob(f"{first}.*"), self.sample(first)):
            to = path.parent / path.name.replace(first, name)
            if path.name == "predictions.parquet":
                to = self.predictions(name)
            to.parent.mkdir(exist_ok=True)
            shutil.copyfile(path, to)
        self.write(
            name, lambda rows: _with(rows, "message_id", pc.binary_join_element_wise(name, rows["message_id"], ""))
        )
        shutil.copyfile(self.record(first), self.record(name))
        self.enter(name, name=name, files={f"{name}.json": hashlib.sha256(name.encode()).hexdigest()})
        report = self.reports / f"{name}.json"
        write_sealed(report, {**read_sealed(report, ""), **self.batch(name).facts()})
        log = DecisionLog(self.decisions)
        (decision,) = [found for found in log.read() if found.get("batch") == first]
        log.append({**decision, "batch": name})
        return name


def _with(rows: pa.Table, column: str, values: Any) -> pa.Table:
    position = rows.schema.get_field_index(column)
    field = rows.schema.field(position)
    arrow = values if isinstance(values, pa.ChunkedArray) else pa.array(values, field.type)
    return rows.set_column(position, field, arrow)


def _flip(path: Path) -> Path:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    return path


def _first_row_twice(state: State, name: str) -> Path:
    state.write(name, lambda rows: pa.concat_tables([rows.slice(0, 1), rows.slice(0, 1), rows.slice(2)]))
    return state.predictions(name)


def _messages_of_another_batch(state: State, name: str) -> Path:
    state.another_batch(f"{name}2")
    other = pq.read_table(state.predictions(name))["message_id"]
    state.write(f"{name}2", lambda rows: _with(rows, "message_id", other))
    return state.predictions(f"{name}2")


def _wrong_sum(state: State, name: str) -> Path:
    state.write(name, lambda rows: _with(rows, "probability_negative", np.full(rows.num_rows, 0.999)))
    return state.predictions(name)


def _wrong_label(state: State, name: str) -> Path:
    state.write(name, lambda rows: _with(rows, "predicted_label", ["neutral"] * rows.num_rows))
    return state.predictions(name)


def _fewer_rows(state: State, name: str) -> Path:
    state.write(name, lambda rows: rows.slice(3))
    return state.predictions(name)


def _accounts(state: State, name: str) -> Path:
    accounts = state.batch(name).accounts
    state.enter(name, accounts={**accounts, "in": accounts["in"] + 1})
    return state.record(name)


def _flipped_bit(state: State, name: str) -> Path:
    return _flip(state.predictions(name))


def _no_predictions(state: State, name: str) -> Path:
    shutil.rmtree(state.predictions(name).parent)
    return state.predictions(name)


def _no_record(state: State, name: str) -> Path:
    state.record(name).unlink()
    (state.reports / f"{name}.json").unlink()
    return state.predictions(name).parent


def _broken_record(state: State, name: str) -> Path:
    state.record(name).write_text("{")
    (state.reports / f"{name}.json").unlink()
    return state.record(name)


def _quarantine_rows(state: State, name: str) -> Path:
    state.quarantine(name).parent.mkdir(exist_ok=True)
    pq.write_table(pa.table({"row": ["a", "b"]}), state.quarantine(name))
    return state.quarantine(name)


def _requeued_rows(state: State, name: str) -> Path:
    path = state.quarantine(name).parent / "requeued" / f"{name}.parquet"
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.table({"row": ["a", "b", "c"]}), path)
    return path


def _second_prediction(state: State, name: str) -> Path:
    other = state.predictions(name).with_name("rescored-v0009.parquet")
    pq.write_table(pq.read_table(state.predictions(name)).slice(1), other)
    return other


def _unfinished_without_sample(state: State, name: str) -> Path:
    state.enter(name, state=BatchState.SCORED)
    state.sample(name).unlink()
    return state.sample(name)


def _no_decision(state: State, name: str) -> Path:
    lines = state.decisions.read_text().splitlines(keepends=True)
    state.decisions.write_text("".join(line for line in lines if name not in line))
    state.decisions.with_name("decisions.seal.json").unlink()
    return state.decisions


def _damaged_archive(state: State, name: str) -> Path:
    path = state.decisions.with_suffix("") / "2030-01.jsonl"
    path.parent.mkdir()
    path.write_text("{\n")
    return path


def _cut_line(state: State, name: str) -> Path:
    with state.decisions.open("a") as log:
        log.write('{"decision": "bat')
    return state.decisions


def _no_facts(state: State, name: str) -> Path:
    (state.reports / f"{name}.json").unlink()
    return state.reports / f"{name}.json"


def _other_facts(state: State, name: str) -> Path:
    path = state.reports / f"{name}.json"
    write_sealed(path, {**read_sealed(path, ""), "counts": [1, 2, 3]})
    return path


def _damaged_facts(state: State, name: str) -> Path:
    return _flip(state.reports / f"{name}.json")


def _no_page(state: State, name: str) -> Path:
    (state.reports / f"{name}.html").unlink()
    return state.reports / f"{name}.html"


def _features_twice(state: State, name: str) -> Path:
    version = state.features.name.removeprefix("features-")
    part = next(path for path in sorted(state.features.glob("*.parquet")))
    state.store.append_features(version, pq.read_table(part).slice(0, 2), "twice")
    return state.features


def _unknown_label(state: State, name: str) -> Path:
    row = {"message_id": "m", "target": "9.5", "arrived_at": datetime(2026, 1, 1, tzinfo=UTC), "source_file": "f"}
    state.store.labels.append(pa.Table.from_pylist([row], schema=LABELS_SCHEMA), "unknown")
    return state.store.folder / "labels"


def _damaged_sample(state: State, name: str) -> Path:
    write_sealed_parquet(state.sample(name), pq.read_table(state.sample(name)))
    return _flip(state.sample(name))


def _damaged_users(state: State, name: str) -> Path:
    path = state.project.data / "02_intermediate" / "sample" / "user.parquet"
    write_sealed_parquet(path, pq.read_table(path))
    return _flip(path)


def _damaged_table(state: State, name: str) -> Path:
    shutil.copytree(state.features, state.store.folder / "features-aaaaaaaaaaaa")
    return _flip(sorted((state.store.folder / "features-aaaaaaaaaaaa").glob("*.parquet"))[0])


def _uncommitted_rows(state: State, name: str) -> Path:
    path = state.store.folder / "labels" / "part-killed.parquet"
    pq.write_table(pa.table({"a": [1]}), path)
    return path


def _unused_features(state: State, name: str) -> Path:
    shutil.copytree(state.features, state.store.folder / "features-bbbbbbbbbbbb")
    return state.store.folder / "features-bbbbbbbbbbbb"


def _raw_files(state: State, name: str) -> Path:
    path = state.store.folder / "files.json"
    path.write_text("{")
    return path


def _damaged_version(state: State, name: str) -> Path:
    shutil.copytree(state.project.models / "v0001", state.project.models / "v0002")
    return _flip(state.project.models / "v0002" / "model.skops")


def _champion_predicts_otherwise(state: State, name: str) -> Path:
    folder = state.project.models / "v0001"
    check = pq.read_table(folder / "check.parquet")
    turned = pa.array([values[::-1] for values in check["probabilities"].to_pylist()], check["probabilities"].type)
    pq.write_table(_with(check, "probabilities", turned), folder / "check.parquet")
    manifest = json.loads((folder / "manifest.json").read_bytes())
    write_manifest(folder, {name: value for name, value in manifest.items() if name not in {"files", "sha256"}})
    return folder


def _no_previous(state: State, name: str) -> Path:
    (state.project.models / "champion.json").write_text('{"version": "v0001", "previous": ["v0007"]}')
    return state.project.models / "v0007"


def _temporary(state: State, name: str) -> Path:
    path = state.inference / "predictions" / f".{name}.0123abcd.tmp"
    path.mkdir()
    return path


class Damage(NamedTuple):
    apply: Callable[[State, str], Path]
    severity: str
    named: list[object]


# Each in a batch of its own, so that all can be shown by one call
DAMAGES = [
    Damage(_first_row_twice, "error", [1]),
    Damage(_messages_of_another_batch, "error", [300]),
    Damage(_wrong_sum, "error", [300, 1]),
    Damage(_wrong_label, "error", []),
    Damage(_fewer_rows, "error", [297, 300]),
    Damage(_flipped_bit, "error", []),
    Damage(_no_predictions, "error", []),
    Damage(_accounts, "error", [304, 303]),
    Damage(_broken_record, "error", []),
    Damage(_no_record, "error", []),
    Damage(_quarantine_rows, "error", [2, 0]),
    Damage(_requeued_rows, "error", [3, 0]),
    Damage(_second_prediction, "error", [1, 300]),
    Damage(_unfinished_without_sample, "warning", []),
    Damage(_damaged_sample, "error", []),
    Damage(_damaged_users, "warning", []),
    Damage(_no_decision, "error", ["batch"]),
    Damage(_damaged_archive, "error", ["line 1"]),
    Damage(_cut_line, "warning", [1]),
    Damage(_no_facts, "warning", []),
    Damage(_other_facts, "warning", ["counts"]),
    Damage(_damaged_facts, "warning", []),
    Damage(_no_page, "warning", []),
    Damage(_features_twice, "error", [2]),
    Damage(_unknown_label, "error", [1, "dataset.label.classes", "9.5"]),
    Damage(_damaged_table, "error", []),
    Damage(_uncommitted_rows, "warning", []),
    Damage(_raw_files, "error", []),
    Damage(_damaged_version, "error", []),
    Damage(_champion_predicts_otherwise, "error", ["check.parquet"]),
    Damage(_no_previous, "warning", []),
    Damage(_temporary, "warning", []),
]


def batch_name(number: int) -> str:
    return f"20300101T0000{number:02}Z-{number:08x}"


def content(folder: Path) -> dict[str, str]:
    """Return the hash of every file except the logs of runs."""
    return {
        str(path): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*")
        if path.is_file() and "runs" not in path.parts
    }


def findings(project: Project) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads((project.data / "08_reporting" / "verify.json").read_bytes())["findings"]
    return found


Damaged = tuple[dict[int, Path], list[dict[str, Any]], "subprocess.CompletedProcess[str]"]


@pytest.fixture(scope="module")
def damaged(
    tmp_path_factory: pytest.TempPathFactory, first_run: tuple[Project, subprocess.CompletedProcess[str]]
) -> Damaged:
    """Return the path of every damage, and the findings with all damages at once."""
    folder = tmp_path_factory.mktemp("damaged") / "project"
    shutil.copytree(first_run[0].folder, folder, symlinks=True)
    state = State(Project(folder))
    for number in range(len(DAMAGES)):
        state.another_batch(batch_name(number))
    paths = {number: damage.apply(state, batch_name(number)) for number, damage in enumerate(DAMAGES)}
    result = state.project.here("pipeline=verify", "verify.report=true")
    return paths, findings(state.project), result


@pytest.mark.parametrize("number", range(len(DAMAGES)), ids=lambda n: DAMAGES[n].apply.__name__.strip("_"))
def test_each_damage_is_named_with_its_file_and_what_to_do(number: int, damaged: Damaged) -> None:
    """Guarantee 2."""
    paths, found, _ = damaged
    fitting = [finding for finding in found if finding["path"] == str(paths[number])]
    fitting = [finding for finding in fitting if all(names(finding["problem"], n) for n in DAMAGES[number].named)]
    assert fitting, [finding for finding in found if paths[number].name in str(finding)]
    assert fitting[0]["severity"] == DAMAGES[number].severity
    assert fitting[0]["action"]
    # neither place nor action twice
    assert str(paths[number]) not in fitting[0]["problem"]
    assert fitting[0]["action"] not in fitting[0]["problem"]


def test_errors_end_it_with_exit_code_3_and_the_first_is_in_the_message(damaged: Damaged) -> None:
    _, found, result = damaged
    assert result.returncode == ExitCode.DATA
    errors = [finding for finding in found if finding["severity"] == "error"]
    assert_line_names(result.stderr, len(errors), Path(errors[0]["path"]))
    assert found[: len(errors)] == errors
    assert_names(result.stdout, len(found) - 20)


def test_a_sound_state_is_reported_and_left_unchanged(project: Project) -> None:
    before = content(project.folder)
    result = project.here("pipeline=verify")
    assert result.returncode == ExitCode.DONE, result.stdout + result.stderr
    assert content(project.folder) == before
    told = {line.split()[0]: line.split()[1] for line in result.stdout.splitlines()[2:] if not line.startswith(" ")}
    assert told == dict.fromkeys(
        ("format", "store", "registry", "batches", "predictions", "decisions", "reports", "unfinished"), "ok"
    )
    assert_line_names(result.stdout, 300, 1)
    assert_line_names(result.stdout, "champion", "v0001")
    assert max(map(len, result.stdout.splitlines())) <= 80


def test_a_project_in_which_nothing_ran_is_sound(tmp_path: Path, new_project: Callable[[Path], Project]) -> None:
    project = new_project(tmp_path / "project")
    result = project.here("pipeline=verify")
    assert result.returncode == ExitCode.DONE, result.stdout + result.stderr
    assert not project.models.exists()
    assert not (project.data / "09_inference").exists()


def test_a_repair_fixes_orphans_and_loses_nothing(project: Project) -> None:
    state = State(project)
    lost, garbled, orphan, page = (state.another_batch(batch_name(number)) for number in range(4))
    records = {name: state.record(name).read_bytes() for name in (lost, garbled)}
    state.record(lost).unlink()
    _flip(state.record(garbled))
    predictions = state.predictions(orphan).read_bytes()
    state.record(orphan).unlink()
    (state.reports / f"{orphan}.json").unlink()
    _no_page(state, page)
    (state.reports / "index.html").unlink()
    state.sample("20200101T000000Z-01234567").write_bytes(state.sample(page).read_bytes())
    _uncommitted_rows(state, "")
    for folder in (project.models, state.features, state.inference / "batches"):
        (folder / ".left.json.0123abcd.tmp").write_text("half")
    kept = [state.features, state.predictions(lost).parent, state.predictions(page).parent, project.models / "v0001"]
    before = {folder: content(folder) for folder in kept}
    result = project.here("pipeline=verify", "verify.repair=true")
    assert result.returncode == ExitCode.DONE, result.stdout + result.stderr
    assert result.stdout.count("\n- ") == 11
    assert not findings(project)
    assert {name: state.record(name).read_bytes() for name in (lost, garbled)} == records
    assert (state.reports / f"{page}.html").exists()
    assert page in (state.reports / "index.html").read_text()
    (aside,) = (state.inference / "orphans").iterdir()
    assert (aside / "09_inference" / "predictions" / orphan / "predictions.parquet").read_bytes() == predictions
    assert len(list(aside.rglob("*.parquet"))) == 4
    assert not list(project.folder.rglob("*.tmp"))
    for folder, files in before.items():
        assert content(folder) == {path: digest for path, digest in files.items() if not path.endswith(".tmp")}


def test_unfinished_work_of_a_running_job_is_not_judged_and_nothing_is_repaired_beside_it(project: Project) -> None:
    """Guarantee 3."""
    left = project.models / ".v0002.0123abcd.tmp"
    left.mkdir()
    code = (
        "import sys; from pathlib import Path; from batch_nlp.storage.lock import writer_lock\n"
        "with writer_lock(*map(Path, sys.argv[1:])): print('held', flush=True); sys.stdin.read()"
    )
    command = [sys.executable, "-c", code, str(project.data), str(project.models)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as run:
        assert run.stdout is not None
        assert run.stdout.readline() == "held\n"
        result = project.here("pipeline=verify")
        refused = project.here("pipeline=verify", "verify.repair=true")
        run.communicate("")
    assert result.returncode == ExitCode.DONE, result.stdout + result.stderr
    assert_names(result.stdout, run.pid)
    assert left.name not in result.stdout
    assert refused.returncode == ExitCode.LOCKED
    assert left.exists()
