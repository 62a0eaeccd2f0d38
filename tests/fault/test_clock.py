"""Guarantee 1 with a wrong clock: runs are dated in the order in which they happen."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
from deltalake import DeltaTable
from tests.fault.forks import Forks
from tests.fault.state import SMALL, read_state
from tests.naming import assert_line_names, names
from tests.projects import Project

from batch_nlp.inference.batch_records import BatchRecords
from batch_nlp.storage.layers import Layers

DAY = 86_400.0
SCORE = (*SMALL, "pipeline=inference", "drift.response=none")


def _corrected_label(project: Project) -> tuple[str, float]:
    """Put a labelled message with another label into the drop zone; return its id and the new label."""
    raw = project.data / "01_raw" / "sample"
    rows = map(json.loads, (raw / "yelp_academic_dataset_review.json").read_text().splitlines()[:50])
    row = next(row for row in rows if row["stars"] == 5)
    row["stars"] = 1.0
    (raw / "yelp_academic_dataset_review_corrected.json").write_text(json.dumps(row) + "\n")
    return row["review_id"], 1.0


def warns_of_the_clock(err: str) -> bool:
    return any(names(line, "WARNING") and names(line, "clock") for line in err.splitlines())


def test_the_clock_goes_back_between_runs(copy: Callable[[str], Project], forks: Forks) -> None:
    """A batch after another one comes after it, and the label that came last counts."""
    project = copy("project")
    layers = Layers(project.data, "sample")
    assert forks.run(project, *SCORE, clock=(0, 0)).code == 0
    first = BatchRecords(layers.batches).all()[-1].name
    message, label = _corrected_label(project)
    assert forks.run(project, *SMALL, "pipeline=sample", "sample.part=batch").code == 0
    feature = forks.run(project, *SMALL, "pipeline=feature", clock=(-40 * DAY, -40 * DAY))
    assert feature.code == 0, feature.err
    assert warns_of_the_clock(feature.err)
    inference = forks.run(project, *SCORE, clock=(-400 * DAY, -400 * DAY))
    assert inference.code == 0, inference.err
    records = BatchRecords(layers.batches).all()
    assert len(records) == 3
    assert records[-2].name == first, "the batch of the run after it comes last"
    labels = DeltaTable(str(layers.feature_store / "labels")).to_pyarrow_table()  # noqa: F841 for the query below
    ((latest,),) = duckdb.sql(
        "SELECT target FROM labels WHERE message_id = ? ORDER BY arrived_at DESC LIMIT 1", params=[message]
    ).fetchall()
    assert float(latest) == label
    # the clock is right again, and behind the newest run by a second or two: nobody needs to hear of that
    last = forks.run(project, *SMALL, "pipeline=feature")
    assert (last.code, warns_of_the_clock(last.err)) == (0, False)


def test_the_clock_goes_back_within_a_run(copy: Callable[[str], Project], forks: Forks) -> None:
    project = copy("project")
    for arguments in (SCORE, (*SMALL, "pipeline=training", "training.force=true", "seed=5")):
        result = forks.run(project, *arguments, quick_check=True, clock=(0, -DAY))
        assert result.code == 0, result.err
    read_state(project)


def test_a_clock_that_was_in_the_future_is_reported_and_its_file_can_be_lost(
    copy: Callable[[str], Project], forks: Forks
) -> None:
    project = copy("project")
    assert forks.run(project, *SCORE, clock=(100 * DAY, 100 * DAY)).code == 0
    newest = BatchRecords(Layers(project.data, "sample").batches).all()[-1]
    assert datetime.fromisoformat(newest.predicted_at) > datetime.now(UTC) + timedelta(days=99)
    assert warns_of_the_clock(forks.run(project, *SCORE).err)
    (project.data / ".last_run").write_bytes(b"\0\0\0")
    result = forks.run(project, *SCORE)
    assert result.code == 0
    assert_line_names(result.err, "WARNING", ".last_run")
    assert datetime.fromisoformat((project.data / ".last_run").read_text()) < datetime.now(UTC) + timedelta(days=1)


def test_the_same_run_from_another_folder_finds_the_same_project(
    copy: Callable[[str], Project], forks: Forks, tmp_path: Path
) -> None:
    project, elsewhere = copy("project"), tmp_path / "elsewhere"
    elsewhere.mkdir()
    assert forks.start(project, *SCORE, folder=elsewhere).wait().code == 0
    again = forks.run(project, *SCORE)
    assert "skipped" in again.err
    assert list(elsewhere.iterdir()) == [], "a run writes nothing where it is called from"
