"""The main job through the real command line: messages in, features, a model, predictions and a verdict out."""

from __future__ import annotations

import gzip
import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pandas as pd
import pyarrow.parquet as pq
import pytest
from deltalake import DeltaTable
from tests.conftest import Once
from tests.naming import assert_ended, assert_names
from tests.projects import LIGHT, Project

from batch_nlp.storage.registry import Registry

PREDICTION_COLUMNS = [
    "message_id",
    "predicted_class",
    "predicted_label",
    "probability_negative",
    "probability_neutral",
    "probability_positive",
    "model_version",
    "feature_version",
    "predicted_at",
]


def decisions(project: Project) -> list[dict[str, Any]]:
    lines = (project.data / "08_reporting" / "decisions.jsonl").read_text().splitlines()
    return [json.loads(line) for line in lines]


def champion(project: Project) -> str:
    return str(json.loads((project.models / "champion.json").read_text())["version"])


def predictions(project: Project) -> pd.DataFrame:
    files = sorted((project.data / "09_inference" / "predictions").glob("*/*.parquet"))
    return pd.concat([pq.read_table(file).to_pandas() for file in files], ignore_index=True)


def inbox(project: Project) -> Path:
    return project.inbox


def stored_labels(project: Project) -> list[str]:
    """Return the ids of the messages with stored labels."""
    table = DeltaTable(str(project.data / "04_feature" / "sample" / "labels")).to_pyarrow_table()
    return [str(message_id) for message_id in table["message_id"].to_pylist()]


def write_reviews(path: Path, rows: list[dict[str, Any]]) -> None:
    path.write_bytes(b"".join(orjson.dumps(row) + b"\n" for row in rows))


def test_first_run_ends_with_a_model_predictions_and_a_verdict(
    first_run: tuple[Project, subprocess.CompletedProcess[str]],
) -> None:
    project, result = first_run
    assert result.returncode == 0, result.stderr
    assert champion(project) == "v0001"
    found = predictions(project)
    assert list(found.columns) == PREDICTION_COLUMNS
    assert found["message_id"].is_unique
    probabilities = found[[f"probability_{name}" for name in ("negative", "neutral", "positive")]].to_numpy()
    assert np.allclose(probabilities.sum(axis=1), 1, rtol=0, atol=1e-12)
    model = Registry(project.models).champion()
    assert model is not None
    assert (model.decide(probabilities) == found["predicted_class"]).all()
    assert [decision["decision"] for decision in decisions(project)] == ["gate", "batch"]
    batch = decisions(project)[-1]
    assert batch["verdict"]["status"] in {"ok", "drift"}
    accounts = batch["accounts"]
    assert accounts["in"] == accounts["predicted"] + accounts["duplicates"] + accounts["quarantined"]
    assert accounts["predicted"] == len(found)
    assert "verdict" in result.stderr


def test_every_layer_holds_the_output_of_its_step(first_run: tuple[Project, subprocess.CompletedProcess[str]]) -> None:
    data = first_run[0].data
    extracted = pq.read_table(data / "02_intermediate" / "sample" / "messages")
    clean = pq.read_table(data / "03_primary" / "sample" / "messages")
    assert extracted.num_rows > clean.num_rows > 1400
    for pattern in (
        "04_feature/sample/features-*/_delta_log/*.json",
        "04_feature/sample/labels/_delta_log/*.json",
        "05_model_input/sample/*.parquet",
        "06_models/sample/*/model.skops",
        "07_model_output/sample/*.parquet",
        "08_reporting/pipelines/feature.html",
        "08_reporting/pipelines/training.html",
        "08_reporting/pipelines/inference.html",
        "08_reporting/training/*.json",
        "08_reporting/batches/*.json",
        "09_inference/batches/*.json",
    ):
        assert list(data.glob(pattern)), pattern


def test_a_second_run_does_no_needless_work(project: Project) -> None:
    before = {path: path.stat().st_mtime_ns for path in project.folder.rglob("*.parquet")}
    result = project.here()
    assert result.returncode == 0, result.stderr
    after = {path: path.stat().st_mtime_ns for path in project.folder.rglob("*.parquet")}
    assert after == before
    assert champion(project) == "v0001"
    assert decisions(project)[-1]["verdict"]["status"] == "skipped"


def _drawn(project: Project, counts: dict[str, int]) -> list[dict[str, Any]]:
    """Return messages of the history, under new ids, that the champion predicts in just these numbers."""
    history = project.data / "01_raw" / "sample" / "yelp_academic_dataset_review.json"
    rows = {}
    for line in history.read_bytes().splitlines():
        try:
            row = orjson.loads(line)
            rows[row["review_id"]] = {key: row[key] for key in ("review_id", "user_id", "business_id", "text", "date")}
        except (orjson.JSONDecodeError, KeyError):
            continue
    write_reviews(
        inbox(project) / "survey_review.json", [{**row, "review_id": f"survey-{key}"} for key, row in rows.items()]
    )
    assert project.here("pipeline=inference", "drift.response=none").returncode == 0
    found = predictions(project)
    found = found[found["message_id"].str.startswith("survey-")]
    drawn = []
    for label, count in counts.items():
        ids = found.loc[found["predicted_label"] == label, "message_id"].iloc[:count]
        assert len(ids) == count
        drawn += [{**rows[key.removeprefix("survey-")], "review_id": f"d{key}"} for key in ids]
    return drawn


@pytest.fixture(scope="session")
def drawn_batches(
    once: Once, first_run: tuple[Project, subprocess.CompletedProcess[str]]
) -> dict[str, list[dict[str, Any]]]:
    def make(folder: Path) -> None:
        shutil.copytree(first_run[0].folder, folder / "project", symlinks=True)
        rows = _drawn(Project(folder / "project"), {"negative": 100, "neutral": 60, "positive": 540})
        (folder / "rows.json").write_bytes(orjson.dumps(rows))

    rows = orjson.loads((once("drawn_batches", make) / "rows.json").read_bytes())
    negative, neutral, positive = rows[:100], rows[100:160], rows[160:]
    return {
        "5/5/90": negative[:30] + neutral[:30] + positive[:540],
        "balanced": negative[:60] + neutral[:60] + positive[:60],
    }


def test_a_batch_at_5_5_90_percent_runs_feature_and_training_again(
    project: Project, drawn_batches: dict[str, list[dict[str, Any]]]
) -> None:
    # labels of the first batch have come meanwhile, so that there is something new to learn from
    assert project.here("pipeline=sample", "sample.part=labels").returncode == 0
    write_reviews(inbox(project) / "new_review.json", drawn_batches["5/5/90"][::6])
    result = project.here("pipeline=inference")
    log = decisions(project)
    batch = next(entry for entry in log if entry["decision"] == "batch" and entry["accounts"]["predicted"] == 100)
    assert [round(share["share"], 4) for share in batch["verdict"]["shares"]] == [0.05, 0.05, 0.9]
    assert batch["verdict"]["status"] == "drift"
    assert_names(batch["verdict"]["reason"], "negative", "neutral", "5.0%", "10%")
    gate, retraining = log[-2:]
    assert retraining["decision"] == "retraining"
    assert batch["batch"] in retraining["trigger"]
    assert gate["decision"] == "gate"
    assert gate["reason"] == retraining["trigger"]
    assert gate["candidate"]
    # the gate decides, and the exit code and the pointer follow it
    assert result.returncode == (0 if gate["passed"] else 5), result.stderr
    assert champion(project) == gate["champion"] == ("v0002" if gate["passed"] else "v0001")


def test_a_balanced_batch_does_not_retrain(project: Project, drawn_batches: dict[str, list[dict[str, Any]]]) -> None:
    write_reviews(inbox(project) / "new_review.json", drawn_batches["balanced"])
    result = project.here("pipeline=inference")
    assert result.returncode == 0, result.stderr
    assert decisions(project)[-1]["verdict"]["status"] == "ok"
    assert decisions(project)[-1]["action"] == "none"
    assert champion(project) == "v0001"


def test_one_change_of_the_data_leads_to_one_retraining(
    project: Project, drawn_batches: dict[str, list[dict[str, Any]]]
) -> None:
    """Guarantee 11: the first alarm retrains, the next one on the same data is an alert. No prediction is a label."""
    rows = drawn_batches["5/5/90"][::6]
    codes, labels = [], len(stored_labels(project))
    for number in range(3):
        write_reviews(
            inbox(project) / f"new_{number}_review.json",
            [{**row, "review_id": f"{number}{row['review_id']}"} for row in rows],
        )
        codes.append(project.here("pipeline=inference").returncode)
    # on unchanged data the candidate is the champion over again, so its gate refuses it
    assert codes == [5, 4, 4]
    kinds = [decision["decision"] for decision in decisions(project)]
    assert kinds.count("retraining") == 1
    assert kinds.count("held back") == 2
    assert champion(project) == "v0001"
    assert len(stored_labels(project)) == labels


def test_a_small_batch_does_not_decide(project: Project, drawn_batches: dict[str, list[dict[str, Any]]]) -> None:
    """Guarantee 8."""
    write_reviews(inbox(project) / "new_review.json", drawn_batches["5/5/90"][-29:])
    result = project.here("pipeline=inference")
    assert result.returncode == 0, result.stderr
    assert decisions(project)[-1]["verdict"]["status"] == "insufficient"


def test_predictions_do_not_depend_on_the_batch(
    project: Project, drawn_batches: dict[str, list[dict[str, Any]]]
) -> None:
    """Guarantee 4, through files: alone, and shuffled among others, cut into chunks of another size."""
    rows = drawn_batches["balanced"][::3]
    order = np.random.default_rng(0).permutation(len(rows))
    write_reviews(inbox(project) / "a_review.json", [{**row, "review_id": f"a{row['review_id']}"} for row in rows])
    assert project.here("pipeline=inference").returncode == 0
    shuffled = [{**rows[i], "review_id": f"b{rows[i]['review_id']}"} for i in order]
    write_reviews(inbox(project) / "b_review.json", shuffled)
    assert project.here("pipeline=inference", "engine.batch_rows=7").returncode == 0
    write_reviews(inbox(project) / "c_review.json", [{**rows[5], "review_id": f"c{rows[5]['review_id']}"}])
    assert project.here("pipeline=inference").returncode == 0
    found = predictions(project).set_index("message_id").filter(like="probability")
    for row in rows:
        assert (found.loc[f"a{row['review_id']}"] == found.loc[f"b{row['review_id']}"]).all()
    alone = found.loc[f"c{rows[5]['review_id']}"]
    assert (alone == found.loc[f"a{rows[5]['review_id']}"]).all()


def test_labels_that_arrive_after_scoring_join_their_message(project: Project) -> None:
    assert project.here("pipeline=sample", "sample.part=labels").returncode == 0
    result = project.here("pipeline=feature")
    assert result.returncode == 0, result.stderr
    assert set(predictions(project)["message_id"]) <= set(stored_labels(project))
    # nothing was computed twice: the messages were in the store since they were scored
    assert_names(result.stderr, "0 new")


def test_files_in_every_format_are_scored_and_never_twice(
    project: Project, drawn_batches: dict[str, list[dict[str, Any]]]
) -> None:
    rows = drawn_batches["balanced"]
    frame = pd.DataFrame(rows)
    folder = inbox(project)
    write_reviews(folder / "one.jsonl", rows[:40])
    (folder / "two.json.gz").write_bytes(gzip.compress(b"".join(orjson.dumps(row) + b"\n" for row in rows[40:80])))
    frame[80:120].to_csv(folder / "three.csv", index=False)
    frame[120:].to_parquet(folder / "four.parquet", index=False)
    assert project.here("pipeline=inference").returncode == 0
    assert decisions(project)[-1]["accounts"] == {"in": 180, "predicted": 180, "duplicates": 0, "quarantined": 0}
    (folder / "one.jsonl").rename(folder / "renamed.jsonl")
    assert project.here("pipeline=inference").returncode == 0
    assert decisions(project)[-1]["verdict"]["status"] == "skipped"
    # the same messages in a new file are duplicates, whatever the format
    write_reviews(folder / "again.json", rows[70:100])
    assert project.here("pipeline=inference").returncode == 0
    assert decisions(project)[-1]["accounts"] == {"in": 30, "predicted": 0, "duplicates": 30, "quarantined": 0}


def test_rollback_goes_back_one_version(project: Project) -> None:
    open_gate = ("training.gate.tolerance=1.0", "training.gate.max_recall_drop=1.0")
    result = project.here("pipeline=training", *LIGHT, *open_gate)
    assert result.returncode == 0, result.stderr
    assert champion(project) == "v0002"
    assert project.here("pipeline=rollback").returncode == 0
    assert champion(project) == "v0001"
    assert decisions(project)[-1]["decision"] == "rollback"
    again = project.here("pipeline=rollback")
    assert_ended(again, 3, "v0001")


def test_a_multirun_trains_every_job_that_can_be_and_publishes_none(project: Project) -> None:
    result = project.here("-m", "pipeline=training", *LIGHT, "dataset.raw_dir=/nowhere", "drift.low=0.5,0.1,0.2")
    assert_ended(result, 2, "drift.low=0.5")
    assert len(list((project.data / "08_reporting" / "training").glob("*.json"))) == 3
    assert champion(project) == "v0001"
