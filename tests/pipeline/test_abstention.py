"""Abstention end to end: trained with out-of-scope messages, in predictions, rule, reports and explanations."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path

import pandas as pd
from tests.pipeline.test_any_messages import tickets
from tests.projects import Project

from batch_nlp.errors import ExitCode

FILE = """\
name: of_tests
messages:
  files: "*tickets*"
  columns: {body: {role: text}, shop: {role: category}}
label: {column: topic, out_of_scope: [outside]}
"""
SETTINGS = (
    # a small model may learn from few messages
    "model.params.min_child_weight=1",
    "model.params.learning_rate=0.3",
    "features=none",
    "training.thresholds.f1_macro=0.1",
    "training.thresholds.f1_weighted=0.1",
    "training.thresholds.recall=0.0",
    "inference.min_age_seconds=0",
    "drift.response=reweight",
)
ON = "training.decision.abstain={as: unsure}"


def write(path: Path, *, inside: int, outside: int, seed: int, labels: bool) -> int:
    """Write messages of three classes and messages of other words."""
    rows = list(tickets(3, inside // 3, seed))
    rows += [
        (f"something else {number}", shop, "outside")
        for number, (_, shop, _) in enumerate(tickets(3, outside // 3, seed + 1), seed * 1000)
    ]
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="") as file:
        columns = 3 if labels else 2
        csv.writer(file).writerows([("body", "shop", "topic")[:columns], *(row[:columns] for row in rows)])
    return len(rows)


def test_messages_of_no_class_are_told_apart_and_counted(
    tmp_path: Path, new_project: Callable[[Path], Project]
) -> None:
    project = new_project(tmp_path / "project")
    own = project.folder / "my_conf"
    (own / "dataset").mkdir(parents=True)
    (own / "dataset" / "of_tests.yaml").write_text(FILE)

    def call(*arguments: str, code: ExitCode = ExitCode.DONE) -> str:
        result = project.here("--config-dir", str(own), "dataset=of_tests", *SETTINGS, *arguments)
        assert result.returncode == code, result.stdout + result.stderr
        return result.stdout + result.stderr

    write(project.data / "01_raw" / "of_tests" / "tickets.csv", inside=240, outside=60, seed=1, labels=True)
    call("pipeline=feature")
    call("pipeline=training", ON)
    folder = project.models / "v0001"
    manifest = json.loads((folder / "manifest.json").read_bytes())
    assert (manifest["classes"], manifest["abstained"]) == (["000", "001", "002"], "unsure")
    found = manifest["metrics"]["abstention"]
    assert found["out_of_scope"] > 5
    assert found["out_of_scope_recall"] > 0.5
    assert found["auc"] > 0.8
    assert found["accuracy"] > 0.6
    assert list(manifest["reference"]["predicted_shares"]) == ["000", "001", "002", "unsure"]
    for card in ("model_card.md", "model_card.html"):
        assert f"{found['auc']:.3f}" in (folder / card).read_text()

    # the upper bound applies to messages of no class, and the lower one does not
    sent = write(project.inbox / "more_tickets.csv", inside=6, outside=120, seed=7, labels=False)
    call("pipeline=inference", ON, "drift.high=0.6")
    [path] = project.data.glob("09_inference/predictions/*/predictions.parquet")
    predictions = pd.read_parquet(path)
    assert len(predictions) == sent
    assert list(predictions.filter(like="probability_")) == [f"probability_{name}" for name in manifest["classes"]]
    unsure = predictions[predictions["predicted_label"] == "unsure"]
    assert len(unsure) > 0.6 * sent
    assert set(unsure["predicted_class"]) == {3}
    assert (predictions["predicted_label"] == "unsure").tolist() == (predictions["predicted_class"] == 3).tolist()
    # predicted again for other shares, too, they may be unsure
    again = pd.read_parquet(path.with_name("reweighted.parquet"))
    assert set(again["predicted_label"]) <= {*manifest["classes"], "unsure"}
    assert again["message_id"].tolist() == predictions["message_id"].tolist()
    [report] = project.data.glob("08_reporting/batches/2*.json")
    document = json.loads(report.read_bytes())
    assert sum(document["counts"]) == sent
    shares = {share["name"]: share for share in document["analysis"]["verdict"]["shares"]}
    assert shares["unsure"]["out"]
    assert document["band"]["of"] == {"unsure": [0.0, 0.6]}
    # to be looked at first
    assert document["analysis"]["examples"][0]["predicted_label"] == "unsure"
    assert "unsure" in report.with_suffix(".html").read_text()
    message = unsure["message_id"].iloc[0]
    call("pipeline=explain", f"message_id={message}")
    [explanation] = project.data.glob("08_reporting/explanations/*.json")
    assert json.loads(explanation.read_bytes())["decided"] == "unsure"
    call("pipeline=verify")
    call("pipeline=status")
