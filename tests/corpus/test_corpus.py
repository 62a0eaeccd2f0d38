"""Guarantees 5 and 16: whatever a file holds, each of its rows is stored and predicted, quarantined, or a duplicate."""

from __future__ import annotations

import os
import shutil
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from loguru import logger
from tests.corpus.cases import COMMITTED, REFUSED, UNFINISHED, Case, large, row
from tests.naming import assert_names, refusal

from batch_nlp.config import Config
from batch_nlp.errors import DataError
from batch_nlp.inference.batch_records import BatchRecords
from batch_nlp.runner.context import RunContext
from batch_nlp.runner.infer import infer
from batch_nlp.runner.train import take_in

OF_ANOTHER_SCHEMA = ("header_of_another_table.csv", "other_columns.json")
CASES = [*COMMITTED, *large()]
NOW = datetime(2026, 3, 4, tzinfo=UTC)
MakeRun = Callable[..., RunContext]


@dataclass(frozen=True)
class Fate:
    """What became of the rows of all files."""

    ids: list[str]
    quarantine: list[dict[str, Any]]
    accounts: dict[str, int]
    log: str

    def of(self, case: Case) -> tuple[list[str], Counter[str]]:
        """Return what is stored or predicted of a case, and why rows are not."""
        rows = [row for row in self.quarantine if row["source_file"] == case.file]
        return [name for name in self.ids if name in case.stored], Counter(
            row["reason"].split()[0].rstrip(":") for row in rows
        )


@pytest.fixture(scope="module")
def make_run(make_config: Callable[..., Config], world: Any, tmp_path_factory: pytest.TempPathFactory) -> MakeRun:
    """Return a function that gives a run in a folder of its own, with a small champion."""

    def make(*overrides: str, now: datetime = NOW) -> RunContext:
        folder = tmp_path_factory.mktemp("corpus")
        shutil.copytree(world.config.paths.models, folder / "models")
        # the champion was trained on the sample; it is its features that count here
        config = make_config(folder, "quarantine.max_share=1.0", "drift.response=none", "drift.sample=100", *overrides)
        run = RunContext.of(config, now)
        for where in (Path(config.dataset.raw_dir), run.inbox):
            where.mkdir(parents=True, exist_ok=True)
        return run

    return make


def write_all(folder: Path) -> None:
    for case in CASES:
        case.write(folder)
    for name in UNFINISHED:
        (folder / name).write_bytes(COMMITTED[0].content)


@pytest.fixture(scope="module")
def logged() -> Iterator[list[str]]:
    lines: list[str] = []
    sink = logger.add(lambda message: lines.append(str(message)), level="DEBUG")
    yield lines
    logger.remove(sink)


@pytest.fixture(scope="module")
def fates(make_run: MakeRun, logged: list[str]) -> dict[str, Fate]:
    """Return what the feature pipeline and inference make of all files."""
    run, found = make_run(), {}
    write_all(Path(run.config.dataset.raw_dir))
    take_in(run)
    stored = run.store.ids(run.definition.version)
    assert stored is not None
    quarantine = pq.read_table(run.layers.feature_quarantine / f"{run.name}.parquet").to_pylist()
    found["feature"] = Fate(stored.read_all()["message_id"].to_pylist(), quarantine, {}, "".join(logged))
    logged.clear()
    run = make_run()
    write_all(run.inbox)
    infer(run)
    batch = BatchRecords(run.layers.batches).all()[0]
    predictions = pq.read_table(run.layers.predictions / batch.name / "predictions.parquet")
    quarantine = pq.read_table(run.layers.inference_quarantine / f"{batch.name}.parquet").to_pylist()
    found["inference"] = Fate(predictions["message_id"].to_pylist(), quarantine, batch.accounts, "".join(logged))
    return found


def of_labels(reason: str) -> bool:
    return reason.startswith("target")


@pytest.mark.parametrize("pipeline", ["feature", "inference"])
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.file)
def test_each_row_has_the_fate_that_the_table_says(fates: dict[str, Fate], case: Case, pipeline: str) -> None:
    """Guarantees 5 and 16."""
    stored, reasons = fates[pipeline].of(case)
    expected, quarantined = set(case.stored), Counter(case.quarantined)
    if pipeline == "inference":  # which reads no labels
        quarantined = Counter({reason: rows for reason, rows in quarantined.items() if not of_labels(reason)})
    assert reasons == quarantined
    assert sorted(stored) == sorted(expected)


def test_the_accounts_are_exact(fates: dict[str, Fate]) -> None:
    """Guarantee 5."""
    accounts, rows = fates["inference"].accounts, sum(case.rows for case in CASES)
    assert accounts["in"] == rows == sum(accounts[name] for name in ("predicted", "duplicates", "quarantined"))
    stored = sum(len(case.stored) for case in CASES)
    labels = sum(count for case in CASES for reason, count in case.quarantined.items() if of_labels(reason))
    # of the rows that break only the contract of their label, one is a copy of a sound one
    assert stored < accounts["predicted"] <= stored + labels
    assert len(fates["feature"].ids) == stored


@pytest.mark.parametrize("pipeline", ["feature", "inference"])
def test_no_text_of_a_message_is_logged(fates: dict[str, Fate], pipeline: str) -> None:
    """The summary leads to rows by file and line."""
    log = fates[pipeline].log
    assert_names(log, "quarantine", "review_broken_lines.json:2")
    for words in ("never closed", "another text", "say ", "HYPERLINK", "cut of", "etc/passwd"):
        assert words not in log


@pytest.mark.parametrize("name", OF_ANOTHER_SCHEMA)
def test_a_file_of_another_schema_is_refused_by_name(make_run: MakeRun, name: str) -> None:
    """Guarantees 2 and 17."""
    run = make_run()
    (Path(run.config.dataset.raw_dir) / f"review_{name}").write_bytes(REFUSED[name])
    with refusal(DataError, f"review_{name}"):
        take_in(run)


@pytest.mark.parametrize("name", sorted(set(REFUSED) - set(OF_ANOTHER_SCHEMA)))
def test_a_file_that_is_none_is_set_aside_by_name(make_run: MakeRun, warnings: list[str], name: str) -> None:
    """Guarantees 2 and 16."""
    run = make_run()
    (Path(run.config.dataset.raw_dir) / f"review_{name}").write_bytes(REFUSED[name])
    take_in(run)
    assert run.left_out == [f"review_{name}"]
    assert any(f"review_{name}: " in line for line in warnings)
    assert run.store.count(run.definition.version) == 0


@pytest.mark.parametrize("pipeline", ["feature", "inference"])
def test_of_a_damaged_file_nothing_is_kept_and_of_the_others_everything(make_run: MakeRun, pipeline: str) -> None:
    """Guarantees 1 and 2."""
    run = make_run()
    folder, act = (Path(run.config.dataset.raw_dir), take_in) if pipeline == "feature" else (run.inbox, infer)
    COMMITTED[4].write(folder)
    damaged = folder / "review_cut.json.gz"
    damaged.write_bytes(REFUSED[damaged.name.removeprefix("review_")])
    for _ in range(2):
        act(run)
        assert run.store.count(run.definition.version) == 1
    assert run.left_out == [damaged.name] * 2


@pytest.mark.parametrize(
    ("rows", "named"),
    [
        ([row(f"m{number}", {"en": "fine"}) for number in range(25)], ["text"]),
        ([row(f"m{number}", None if number % 2 else "fine") for number in range(120)], [60, 120]),
    ],
)
def test_a_batch_that_was_refused_is_scored_when_its_file_was_mended(
    make_run: MakeRun, rows: list[bytes], named: list[object]
) -> None:
    """Guarantees 1 and 17: nothing was handed over, so the next run needs nobody's help."""
    run = make_run("quarantine.max_share=0.2", "engine.batch_rows=50", "engine.commit_rows=10")
    records = BatchRecords(run.layers.batches)
    (run.inbox / "review.json").write_bytes(b"".join(rows))
    with refusal(DataError, *named):
        infer(run)
    assert (records.all(), run.store.count(run.definition.version)) == ([], 0)
    mended = [row(f"m{number}", "another text") for number in range(len(rows))]
    (run.inbox / "review.json").write_bytes(b"".join(mended))
    infer(run)
    assert [batch.accounts["predicted"] for batch in records.all()] == [len(rows)]


def test_a_file_that_changed_a_moment_ago_waits_if_asked_to(make_run: MakeRun) -> None:
    run = make_run("inference.min_age_seconds=60")
    file = COMMITTED[0].write(run.inbox)
    infer(run)
    assert BatchRecords(run.layers.batches).all() == []
    hour = time.time() - 3600
    os.utime(file, (hour, hour))
    infer(run)
    assert len(BatchRecords(run.layers.batches).all()) == 1
