"""What a person gets of a batch through the real command line: predictions as CSV, snippets, commands that work."""

from __future__ import annotations

import csv
import json
import os
import re
import shlex
import subprocess
import sys
from html import unescape

import pyarrow.parquet as pq
import pytest
from tests.naming import assert_ended, assert_names
from tests.projects import LIGHT, Project

from batch_nlp.cli import PROJECT_ROOT

IDS = ["007", 'a "b" ${seed}\\', "null"]


def test_a_batch_as_people_read_it(project: Project) -> None:
    rows = [
        {"review_id": name, "text": "<b>Never</b> again, it was awful", "date": "2026-01-02", "shop": "=1+1"}
        for name in IDS
    ]
    file = project.inbox / "new_review.json"
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    told = project.here("pipeline=inference", "inference.output.keep=[shop, nothing]")
    assert_ended(told, 3, "nothing")
    output = ("inference.output.format=csv", "inference.output.keep=[shop, text]", "report.snippets=20")
    done = project.here("pipeline=inference", *output)
    assert done.returncode == 0
    (record,) = sorted((project.data / "09_inference" / "predictions").glob("*/predictions.csv"))
    assert_names(done.stderr, project.shown(record))
    with record.open(encoding="utf-8", newline="") as opened:
        copy = list(csv.DictReader(opened))
    assert [(row["message_id"], row["shop"]) for row in copy] == [(name, "=1+1") for name in IDS]
    parquet = pq.read_table(record.with_suffix(".parquet")).to_pylist()
    assert [row["predicted_label"] for row in copy] == [row["predicted_label"] for row in parquet]
    assert {row["text"] for row in parquet} == {rows[0]["text"]}
    page = (project.data / "08_reporting" / "batches" / f"{record.parent.name}.html").read_text()
    assert "&lt;b&gt;Never&lt;/b&gt; again,…" in page
    (card,) = set(re.findall(r'href="([^"]*08_reporting/cards[^"]*|[^"]*cards/[^"]*)"', page))
    # a copy: it is there when the version is not any more
    linked, card_file = project.data / "08_reporting" / "batches" / card, project.models / "v0001" / "model_card.html"
    home = '<a href="../index.html">All reports</a>'
    assert linked.is_relative_to(project.data)
    assert linked.read_text().replace(home, "") == card_file.read_text()
    assert home in linked.read_text()
    entry = (project.data / "08_reporting" / "index.html").read_text()
    assert all(f'href="{place}"' in entry for place in (f"cards/{linked.name}", f"batches/{record.parent.name}.html"))
    assert "08_reporting/cards" in linked.resolve().as_posix()
    commands = sorted(
        {unescape(found) for found in re.findall(r"<code>([^<]*uv run [^<]*pipeline=explain[^<]*)<", page)}
    )
    assert len(commands) == len(IDS)
    for line in commands:
        words = shlex.split(line)
        assert words[0] in ("uv", ".uv/bin/uv")
        assert words[1:3] == ["run", "start_batch_nlp.py"]
        result = project.here_as_written(*words[3:])
        assert result.returncode == 0, result.stderr
    explained = {json.loads(path.read_text())["message_id"] for path in project.data.rglob("explanations/*.json")}
    assert explained == set(IDS)
    # an edited copy is reported and can be repaired; it is a warning, not an error
    before = record.read_bytes()
    record.write_text("mine")
    looked = project.here("pipeline=verify")
    assert (looked.returncode, "predictions.csv" in looked.stdout) == (0, True)
    assert project.here("pipeline=verify", "verify.repair=true").returncode == 0
    assert record.read_bytes() == before


def test_the_commands_of_the_readme_that_need_a_champion_run(project: Project) -> None:
    """In the order in which a person pastes them; the baseline passes its gate, so there is a version to go back to."""
    easy = (
        "~model.params.n_estimators",
        "training.thresholds.f1_weighted=0.1",
        "training.gate.tolerance=1.0",
        "training.gate.max_recall_drop=1.0",
    )
    trained = project.here("pipeline=training", "model=ngram_baseline", *LIGHT[1:3], *easy)
    assert trained.returncode == 0, trained.stderr
    back = project.here("pipeline=rollback")
    assert back.returncode == 0, back.stderr
    (word,) = re.findall(r"message_id=\S+", (PROJECT_ROOT / "README.md").read_text())
    explained = project.here("pipeline=explain", word)
    assert explained.returncode == 0, explained.stderr


@pytest.mark.parametrize("arguments", [("pipeline=status",), ("--cfg", "job")])
def test_a_reader_that_wants_no_more_changes_no_exit_code(project: Project, arguments: tuple[str, ...]) -> None:
    command = [sys.executable, str(PROJECT_ROOT / "start_batch_nlp.py"), *project.arguments(*arguments)]
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "w") as closed:
        told = subprocess.run(
            command, cwd=project.folder, stdout=closed, stderr=subprocess.PIPE, text=True, check=False
        )
    assert told.returncode == 0, told.stderr
    assert "Broken pipe" not in told.stderr


def test_a_run_without_streams_works(project: Project) -> None:
    command = [sys.executable, str(PROJECT_ROOT / "start_batch_nlp.py"), *project.arguments("pipeline=status")]
    told = subprocess.run(["/bin/sh", "-c", 'exec "$0" "$@" >&- 2>&-', *command], cwd=project.folder, check=False)
    assert told.returncode == 0
