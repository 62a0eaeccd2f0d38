"""Unfinished files through the real runner: nothing is lost, and nothing is scored twice."""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
from collections import Counter
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq
import pytest
from tests.conftest import World
from tests.naming import refusal
from tests.pipeline.nights import START, layers, nightly

from batch_nlp.config import Config
from batch_nlp.errors import DataError, FilesSetAsideError
from batch_nlp.inference import run as inference_run
from batch_nlp.inference.batch_records import BatchRecords
from batch_nlp.runner import run_stages

IDS = [f"m{number}" for number in range(8)]
# writes a part of a file, waits until it is told, and writes the rest
WRITE = """
import sys
name, cut = sys.argv[1], int(sys.argv[2])
content = sys.stdin.buffer.read(int(sys.argv[3]))
with open(name, "ab") as file:
    file.write(content[:cut])
print("half", flush=True)
sys.stdin.buffer.readline()
with open(name, "ab") as file:
    file.write(content[cut:])
"""


def rows() -> list[dict[str, str]]:
    others = {"user_id": "u", "business_id": "b", "date": "2026-01-02"}
    return [{"review_id": name, **others, "text": f"what {name} says of the place"} for name in IDS]


def content(ending: str, folder: Path) -> bytes:
    lines = "".join(json.dumps(row) + "\n" for row in rows()).encode()
    if ending == ".csv":
        return pd.DataFrame(rows()).to_csv(index=False).encode()
    if ending == ".parquet":
        pd.DataFrame(rows()).to_parquet(folder / "whole.parquet")
        return (folder / "whole.parquet").read_bytes()
    return gzip.compress(lines) if ending == ".jsonl.gz" else lines


@pytest.fixture
def config(world: World, tmp_path: Path) -> Config:
    found = nightly(world, tmp_path, min_messages=10_000, window=1)
    Path(found.inference.inbox).mkdir()
    return replace(found, quarantine=replace(found.quarantine, max_share=1.0))


def predicted(config: Config) -> Counter[str]:
    tables = [pq.read_table(path) for path in layers(config).predictions.glob("*/predictions.parquet")]
    return Counter(name for table in tables for name in table["message_id"].to_pylist())


@pytest.mark.parametrize("ending", [".jsonl", ".csv", ".jsonl.gz", ".parquet"])
def test_a_file_that_was_taken_half_is_completed_by_the_next_run(config: Config, tmp_path: Path, ending: str) -> None:
    whole = content(ending, tmp_path)
    # of a CSV, right behind a line: one that breaks off within a line is waited for
    cut = whole.index(b"m5,") if ending == ".csv" else len(whole) * 5 // 8 + 10
    file = Path(config.inference.inbox) / f"review{ending}"
    arguments = [sys.executable, "-c", WRITE, str(file), str(cut), str(len(whole))]
    with subprocess.Popen(arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as writer:
        assert writer.stdin is not None
        assert writer.stdout is not None
        writer.stdin.write(whole)
        writer.stdin.flush()
        assert writer.stdout.readline() == b"half\n"
        if ending in (".jsonl", ".csv"):
            run_stages(config, START)
            assert list(predicted(config)) == IDS[:5]
        else:
            with pytest.raises(FilesSetAsideError):
                run_stages(config, START)
        writer.stdin.write(b"go on\n")
    assert file.read_bytes() == whole
    run_stages(config, START + timedelta(days=1))
    assert predicted(config) == Counter(IDS)
    accounts = [batch.accounts for batch in BatchRecords(layers(config).batches).all()]
    for account in accounts:
        assert account["in"] == account["predicted"] + account["duplicates"] + account["quarantined"]
    broken = 1 if ending == ".jsonl" else 0
    assert sum(account["quarantined"] for account in accounts) == broken
    run_stages(config, START + timedelta(days=2))
    assert len(BatchRecords(layers(config).batches).names()) == len(accounts)


def test_a_file_that_grows_while_it_is_read_is_left_to_the_next_run(
    config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    file, lines = Path(config.inference.inbox) / "review.csv", content(".csv", Path())
    cut = lines.index(b"m5,") + 40
    file.write_bytes(lines[:cut])
    read = inference_run.read_messages

    def read_and_grow(*arguments: object, **settings: object) -> object:
        yield from read(*arguments, **settings)  # type: ignore[arg-type]
        file.write_bytes(lines)

    monkeypatch.setattr(inference_run, "read_messages", read_and_grow)
    with refusal(DataError, 1, file.name):
        run_stages(config, START)
    monkeypatch.undo()
    assert not predicted(config)
    run_stages(config, START + timedelta(days=1))
    assert predicted(config) == Counter(IDS)
    (batch,) = BatchRecords(layers(config).batches).all()
    assert batch.accounts == {"in": 8, "predicted": 8, "duplicates": 0, "quarantined": 0}
