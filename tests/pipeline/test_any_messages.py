"""Messages of any kind, end to end, with a short dataset file in the user's own folder."""

from __future__ import annotations

import csv
import itertools
import json
import random
from collections.abc import Callable, Iterator
from pathlib import Path

import pandas as pd
import pytest
from tests.naming import assert_line_names
from tests.projects import LIGHT, Project

from batch_nlp.errors import ExitCode

# texts and a category: no id, no time, no list of the classes
FILE = """\
defaults:
  - override /drift@_global_.drift: reference
name: of_tests
messages:
  files: "*tickets*"
  columns: {body: {role: text}, shop: {role: category}}
label: {column: topic}
"""
SETTINGS = (
    *LIGHT,
    "features=none",
    "training.inputs=[tabular,ngrams]",
    "training.ngrams.folds=2",
    "model.params.n_estimators=10",
    # so few messages
    "model.params.learning_rate=0.3",
    "model.params.min_child_weight=1",
    "drift.response=alert",
)
SYLLABLES = ["ba", "de", "ki", "lo", "mu", "na", "po", "ri", "su", "ta"]


def tickets(classes: int, each: int, seed: int) -> Iterator[tuple[str, str, str]]:
    """Yield texts whose last word gives the class, with a shop and the class."""
    drawn = random.Random(seed)
    words = ["".join(pair) for pair in itertools.product(SYLLABLES, repeat=2)]
    for number in range(classes * each):
        label = number % classes
        text = [*drawn.choices(words[classes:], k=8), words[label]]
        yield " ".join(text), drawn.choice(["north", "south"]), f"00{label}"


def write(path: Path, rows: Iterator[tuple[str, str, str]], columns: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([("body", "shop", "topic")[:columns], *(row[:columns] for row in rows)])


@pytest.mark.parametrize(
    "classes", [pytest.param(2, marks=pytest.mark.long), 5, pytest.param(23, marks=pytest.mark.long)]
)
def test_texts_and_a_category_run_end_to_end(
    tmp_path: Path, new_project: Callable[[Path], Project], classes: int
) -> None:
    project = new_project(tmp_path / "project")
    own = project.folder / "my_conf"
    (own / "dataset").mkdir(parents=True)
    (own / "dataset" / "of_tests.yaml").write_text(FILE)
    assert len(FILE.splitlines()) <= 8
    # of few classes some more, so that the hold-out can tell anything
    write(project.data / "01_raw" / "of_tests" / "tickets.csv", tickets(classes, max(30, 200 // classes), 1), 3)
    inbox = project.inbox
    write(inbox / "new_tickets.csv", tickets(classes, max(10, 100 // classes), 2), 2)
    sent = list(tickets(classes, max(10, 100 // classes), 2))

    def call(*arguments: str) -> str:
        result = project.here("--config-dir", str(own), "dataset=of_tests", *SETTINGS, *arguments)
        assert result.returncode == ExitCode.DONE, result.stdout + result.stderr
        return result.stdout + result.stderr

    said = call("pipeline=fti")
    assert f"{classes} classes" in said
    manifest = json.loads((project.models / "v0001" / "manifest.json").read_bytes())
    assert manifest["classes"] == sorted(f"00{label}" for label in range(classes))
    assert [field["name"] for field in manifest["fields"] if field["role"] == "category"] == ["shop"]
    assert not {"year", "hour"} & {field["name"] for field in manifest["fields"]}
    assert manifest["split"]["by"] == "random"
    [predictions] = project.data.glob("09_inference/predictions/*/predictions.parquet")
    found = pd.read_parquet(predictions)
    assert len(found) == len(sent)
    assert found["message_id"].is_unique
    assert found.filter(like="probability_").sum(axis=1).to_numpy() == pytest.approx(1)
    right = (found["predicted_label"].to_numpy() == [label for _, _, label in sent]).mean()
    assert right > 0.5, "the last word says it"
    [report] = project.data.glob("08_reporting/batches/2*.html")
    assert len(report.read_text()) > 1000
    call("pipeline=explain", f"message_id={found['message_id'][0]}")
    assert list(project.data.glob("08_reporting/explanations/*.html"))
    # the messages come again with their labels, as given by a person to what was predicted: they are known
    write(project.data / "01_raw" / "of_tests" / "labelled_tickets.csv", iter(sent), 3)
    assert_line_names(call("pipeline=feature"), f"{len(sent):,} labels")
    call("pipeline=status")
    call("pipeline=verify")
