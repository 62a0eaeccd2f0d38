"""Retention through the real runner."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from deltalake import DeltaTable
from tests.conftest import World
from tests.naming import refusal
from tests.pipeline.nights import START, decisions, layers, nightly
from tests.settings import default

from batch_nlp.config import Config, PipelineConfig, RequeueConfig, RetentionConfig, Stage
from batch_nlp.errors import DataError
from batch_nlp.inference.batch_records import PREDICTIONS_FILE, Batch, BatchRecords, BatchState
from batch_nlp.monitoring.decisions import DecisionLog
from batch_nlp.runner import run_stages
from batch_nlp.runner.context import RunContext
from batch_nlp.runner.requeue import requeue
from batch_nlp.storage import compaction
from batch_nlp.storage.delta_files import data_files
from batch_nlp.storage.feature_store import DataVersion, FeatureStore
from batch_nlp.storage.manifest import read_manifest
from batch_nlp.storage.registry import Registry
from batch_nlp.storage.run_clock import run_name

Night = Callable[..., list[str]]
Jobs = Callable[..., Config]


@pytest.fixture
def job(world: World, tmp_path: Path) -> Jobs:
    base = nightly(world, tmp_path, min_messages=10_000, window=1)

    def make(**retention: Any) -> Config:
        return replace(base, retention=default(RetentionConfig, **retention))

    return make


def deliver(config: Config, number: int, *ids: str) -> None:
    rows = [
        {"review_id": name, "user_id": "u", "business_id": "b", "text": f"text of {name}", "date": "2026-01-02"}
        for name in ids
    ]
    Path(config.inference.inbox).mkdir(exist_ok=True)
    file = Path(config.inference.inbox) / f"review_{number}.json"
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))


def night(config: Config, number: int, *ids: str, days: float | None = None) -> list[str]:
    """Score new messages, and return the batches that are kept then."""
    deliver(config, number, *(ids or (f"m{number}",)))
    run_stages(config, START + timedelta(days=number if days is None else days))
    return [batch.name for batch in BatchRecords(layers(config).batches).all()]


def left_by(config: Config, batch: str) -> list[Path]:
    return [path for path in Path(config.paths.data).rglob(f"*{batch}*") if "known" not in path.parts]


def test_the_oldest_batches_over_the_limit_are_removed_with_all_their_files(job: Jobs) -> None:
    config = job(batches=3)
    names = [night(config, number)[-1] for number in range(5)]
    assert [batch.name for batch in BatchRecords(layers(config).batches).all()] == names[2:]
    for name in names[:2]:
        assert left_by(config, name) == []
    for name in names[2:]:
        assert (layers(config).predictions / name / PREDICTIONS_FILE).exists()
        assert (layers(config).batch_reports / f"{name}.html").exists()


@pytest.mark.long
def test_a_tenth_is_removed_at_a_time(job: Jobs) -> None:
    config = job(batches=20)
    kept = [len(night(config, number)) for number in range(24)]
    assert kept == [*range(1, 21), 18, 19, 20, 18]


def test_batches_over_the_age_limit_are_removed_however_few_there_are(job: Jobs) -> None:
    config = job(days=10)
    first, second = night(config, 0)[-1], night(config, 1, days=4)[-1]
    assert night(config, 2, days=9.9)[:2] == [first, second]
    assert night(config, 3, days=10.1)[:1] == [second]
    run_stages(config, START + timedelta(days=40))  # nothing new in the inbox
    assert len(BatchRecords(layers(config).batches).all()) == 1, "the newest stays"


def test_without_limits_nothing_is_removed(job: Jobs) -> None:
    config = job(batches=None, days=None, samples=None, runs=None)
    assert len([night(config, number, days=500 * number) for number in range(3)][-1]) == 3


def test_scored_messages_stay_known_after_their_batch_is_removed(job: Jobs) -> None:
    """Guarantees 5 and 6: no file and no message is scored twice."""
    config = job(batches=1)
    night(config, 0, "a", "b")
    night(config, 1, "c")
    inbox = Path(config.inference.inbox)
    (inbox / "review_copy.json").write_bytes((inbox / "review_0.json").read_bytes())
    assert len(night(config, 2, "b", "d")) == 1
    (batch,) = BatchRecords(layers(config).batches).all()
    assert list(batch.files) == ["review_2.json"]
    assert batch.accounts == {"in": 2, "predicted": 1, "duplicates": 1, "quarantined": 0}


def test_files_are_scored_again_after_their_record_and_predictions_are_removed(job: Jobs) -> None:
    config = job()
    name, _ = night(config, 0, "a")[-1], night(config, 1, "b")
    (layers(config).batches / f"{name}.json").unlink()
    for path in (layers(config).predictions / name).iterdir():
        path.unlink()
    (layers(config).predictions / name).rmdir()
    again = night(config, 2, "c")[-1]
    predicted = pq.read_table(layers(config).predictions / again / PREDICTIONS_FILE)["message_id"].to_pylist()
    assert sorted(predicted) == ["a", "c"]


def test_state_of_a_release_without_a_history_is_migrated(job: Jobs) -> None:
    config = job(batches=2)
    night(config, 0, "a"), night(config, 1, "b")
    known = layers(config).known
    for path in sorted(known.rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()
    night(config, 2, "a", "c")
    assert BatchRecords(layers(config).batches).all()[-1].accounts["duplicates"] == 1
    night(config, 3, "a", "b", "d")
    last = BatchRecords(layers(config).batches).all()[-1]
    assert (list(last.files), last.accounts["duplicates"]) == (["review_3.json"], 2)


def test_an_unfinished_batch_and_those_of_the_window_stay(job: Jobs) -> None:
    config = job(batches=1)
    window = replace(config, drift=replace(config.drift, window=3))
    names = [night(window, number)[-1] for number in range(4)]
    records = BatchRecords(layers(config).batches)
    assert records.names() == names[1:]
    assert len(list(layers(config).samples.glob("*.parquet"))) == 3
    batch: Batch = records.all()[-1]
    batch.state = BatchState.JUDGED
    records.write(batch)
    run_stages(config, START + timedelta(days=9))
    assert records.all()[-1].state is BatchState.DONE
    assert records.names() == names[-1:]


def test_decisions_are_kept_apart_and_their_totals_in_the_metrics(job: Jobs) -> None:
    config = job(batches=2)
    names = [night(config, number, f"a{number}", f"b{number}")[-1] for number in range(5)]
    run_stages(config, START + timedelta(days=6))  # nothing new
    log = decisions(config, "batch")
    assert [found["batch"] for found in log] == [*names[3:], None]
    archive = sorted((layers(config).decisions.with_suffix("")).glob("*.jsonl"))
    moved = [json.loads(line)["batch"] for path in archive for line in path.read_text().splitlines()]
    assert moved == names[:3]
    metrics = (layers(config).metrics / "sample.prom").read_text()
    assert 'batch_nlp_batches_total{dataset="sample"} 5.0' in metrics
    assert 'batch_nlp_messages_total{dataset="sample",outcome="predicted"} 10.0' in metrics


def test_the_log_stays_short_though_all_batches_are_kept(job: Jobs, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("batch_nlp.monitoring.archive._NEWEST", 2)
    monkeypatch.setattr("batch_nlp.monitoring.decisions._MOST_OLD", 1)
    config = job()
    names = [night(config, number, f"a{number}", f"b{number}")[-1] for number in range(5)]
    assert [found["batch"] for found in decisions(config, "batch")] == names[2:]
    assert 'batch_nlp_batches_total{dataset="sample"} 5.0' in (layers(config).metrics / "sample.prom").read_text()
    judged = {record.name: record.accounts for record in BatchRecords(layers(config).batches).all()}
    log, archive = DecisionLog(layers(config).decisions), layers(config).decisions.with_suffix("") / "2026-02.jsonl"
    assert log.problems(judged) == []
    archive.write_text(archive.read_text().replace("insufficient", "stable", 1))
    assert [problem.path for problem in log.problems(judged)] == [archive]
    archive.unlink()
    assert log.problems(judged) == []


def test_pages_do_not_link_to_removed_batches(job: Jobs) -> None:
    config = job(batches=2)
    names = [night(config, number, days=14 * number)[-1] for number in range(5)]  # five fortnights from 1 February
    folder = layers(config).batch_reports
    assert sorted(path.name for path in folder.glob("month-*")) == ["month-2026-03.html"]
    for page in (folder / "index.html", folder / "month-2026-03.html"):
        text = page.read_text()
        assert [name in text for name in names] == [False, False, False, True, True]
    assert "month-2026-03.html" in (folder / "index.html").read_text()


def test_a_run_that_scores_nothing_leaves_no_link_to_a_removed_batch(job: Jobs) -> None:
    config = job(days=10)
    names = [night(config, number, days=6 * number)[-1] for number in range(2)]
    feature = replace(config, pipeline=default(PipelineConfig, name="feature", stages=[Stage.feature]))
    run_stages(feature, START + timedelta(days=12))
    assert BatchRecords(layers(config).batches).names() == names[1:]
    text = (layers(config).batch_reports / "index.html").read_text()
    assert [name in text for name in names] == [False, True]


def test_requeueing_rows_of_a_removed_batch_is_an_error(job: Jobs, tmp_path: Path) -> None:
    config = job(batches=1)
    names = [night(config, number)[-1] for number in range(2)]
    copy = tmp_path / f"{names[0]}-corrected.csv"
    copy.write_text("text\nmended\n")
    for file in (layers(config).inference_quarantine / f"{names[0]}.parquet", copy):
        asked = replace(config, requeue=RequeueConfig(str(file)))
        with refusal(DataError, names[0], "retention.batches=1"):
            requeue(RunContext.of(asked, START))
    kept = replace(config, requeue=RequeueConfig(f"{names[1]}.parquet"))
    with refusal(DataError, f"{names[1]}.parquet"):
        requeue(RunContext.of(kept, START))


def test_folders_of_runs_are_kept_by_number_and_by_age(job: Jobs) -> None:
    config = job(runs=3, days=30)
    runs = layers(config).reporting / "runs"
    for day in ("2025-12-01", "2026-01-30", "2026-01-31"):
        for time in ("01-00-00-000000", "02-00-00-000000"):
            (runs / day / time / ".hydra").mkdir(parents=True)
            (runs / day / time / "run.log").touch()
    night(config, 0)
    assert sorted(str(path.relative_to(runs)) for path in runs.glob("*/*")) == [
        "2026-01-30/02-00-00-000000",
        "2026-01-31/01-00-00-000000",
        "2026-01-31/02-00-00-000000",
    ]
    assert not (runs / "2025-12-01").exists()


def test_training_output_is_removed_except_that_of_the_newest_and_of_published_versions(job: Jobs) -> None:
    config = job()
    config = replace(config, training=replace(config.training, keep_versions=2))
    registry, folders = Registry(Path(config.paths.models)), layers(config)
    published = run_name(datetime.fromisoformat(read_manifest(registry.root / "v0001")["created_at"]))
    names = [published, *(run_name(START + timedelta(days=day)) for day in range(4))]
    for name in names:
        for file in (
            folders.model_input / f"{name}.parquet",
            folders.model_input / f"{name}-quarantine.parquet",
            folders.model_output / f"{name}.parquet",
            folders.reporting / "training" / name / "mistakes.html",
            folders.reporting / "training" / f"{name}.json",
        ):
            file.parent.mkdir(exist_ok=True, parents=True)
            file.touch()
    night(config, 0)
    kept = [published, *names[-2:]]
    left = {path.name[:22] for path in folders.model_input.iterdir() if path.name.startswith("202602")}
    assert left == set(names[-2:])
    for folder in (folders.model_input, folders.model_output, folders.reporting / "training"):
        there = [path.name for path in folder.iterdir() if path.suffix != ".json"]
        assert {name for name in names if any(found.startswith(name) for found in there)} == set(kept)
    assert len(list((folders.reporting / "training").glob("2026*.json"))) == len(names), "what a candidate was stays"


def test_quarantined_rows_without_a_batch_are_kept_by_number_and_age(job: Jobs) -> None:
    config = job(batches=4, days=30)
    feature, inference = layers(config).feature_quarantine, layers(config).inference_quarantine
    runs = [run_name(START - timedelta(days=days)) for days in (31, 3, 2, 1)]
    for folder in (feature, feature / "refused", feature / "requeued"):
        folder.mkdir(parents=True, exist_ok=True)
        for name in runs:
            (folder / f"{name}.parquet").touch()
    (inference / "refused").mkdir(parents=True)
    batches = [f"202602{day:02}T000000Z-0123abcd" for day in range(1, 7)]
    for name in batches:
        (inference / "refused" / f"{name}.parquet").touch()
    night(config, 0)
    for folder in (feature, feature / "refused", feature / "requeued"):
        assert sorted(path.stem for path in folder.glob("202*.parquet")) == sorted(runs[1:])
    assert sorted(path.stem for path in (inference / "refused").iterdir()) == batches[2:]


@pytest.mark.long
def test_what_a_model_was_trained_on_stays_readable(job: Jobs, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compaction, "_COMMITS", 6)
    config = job(batches=2)
    registry, store = Registry(Path(config.paths.models)), FeatureStore(layers(config).feature_store, config.engine)
    pinned = DataVersion(**read_manifest(registry.root / "v0001")["data_version"])
    before = store.labelled(pinned)
    for number in range(8):
        night(config, number)
    table = DeltaTable(str(store.folder / f"features-{pinned.feature_version}"))
    assert table.version() == pinned.features + 9, "eight batches, and one compaction"
    assert len(data_files(table)) <= 5
    assert store.labelled(pinned).equals(before)
    assert store.count(pinned.feature_version) == len(before) + 8


def test_an_archive_that_was_killed_is_completed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def decision(number: int) -> dict[str, Any]:
        return {
            "at": f"2026-01-0{number}T00:00:00+00:00",
            "decision": "batch",
            "dataset": "sample",
            "batch": f"b{number}",
            "verdict": {"status": "stable"},
            "accounts": {"predicted": 10},
        }

    log = DecisionLog(tmp_path / "decisions.jsonl")
    for number in range(1, 5):
        log.append(decision(number))

    def killed(source: Path, target: Path) -> None:
        if Path(target) == log.path:
            raise KeyboardInterrupt
        replace(source, target)

    replace = os.replace
    monkeypatch.setattr(os, "replace", killed)
    with pytest.raises(KeyboardInterrupt):
        log.archive("sample", "b2", whole=True)
    monkeypatch.undo()
    log = DecisionLog(log.path)
    assert [found["batch"] for found in log.read()] == ["b1", "b2", "b3", "b4"]
    log.archive("sample", "b3", whole=True)
    lines = (tmp_path / "decisions" / "2026-01.jsonl").read_text().splitlines()
    assert [json.loads(line)["batch"] for line in lines] == ["b1", "b2", "b3"]
    first, last = DecisionLog(log.path).read()
    assert (first["totals"]["batches"], first["totals"]["predicted"], last["batch"]) == (3, 30, "b4")
