"""Guarantee 2: what is damaged on disk is refused with the file's name; it is never read back as other data."""

from __future__ import annotations

import os
import random
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from tests.projects import LIGHT, Project
from tests.settings import default

from batch_nlp.config import EngineConfig
from batch_nlp.errors import BatchNlpError
from batch_nlp.inference.batch_records import PREDICTIONS_FILE, BatchRecords
from batch_nlp.monitoring.decisions import DecisionLog
from batch_nlp.storage.feature_store import FeatureStore
from batch_nlp.storage.layers import Layers
from batch_nlp.storage.raw.known_files import FILES, read_list
from batch_nlp.storage.registry import Registry
from batch_nlp.storage.samples import read_sample
from batch_nlp.storage.seal import checked_files

# BATCH_NLP_DAMAGES=1000 for a longer look
DAMAGES = int(os.environ.get("BATCH_NLP_DAMAGES", "120"))
WAYS = ("flipped", "truncated", "emptied", "removed")

Read = Callable[[], Any]


def flip(content: bytes, draw: random.Random) -> bytes:
    place, bit = draw.randrange(len(content)), 1 << draw.randrange(8)
    return content[:place] + bytes([content[place] ^ bit]) + content[place + 1 :]


@contextmanager
def damaged(file: Path, way: str, draw: random.Random) -> Iterator[None]:
    """Damage a file for as long as the block lasts."""
    content = file.read_bytes()
    if way == "removed":
        file.unlink()
    elif way == "emptied":
        file.write_bytes(b"")
    elif way == "truncated":
        file.write_bytes(content[: draw.randrange(1, len(content))])
    else:
        file.write_bytes(flip(content, draw))
    yield
    file.write_bytes(content)


class Kept:
    """What a project keeps: each kind of files, and all that reads it."""

    def __init__(self, project: Project) -> None:
        layers = Layers(project.data, "sample")
        engine = default(EngineConfig, name="local", threads=1, temp_directory=str(project.data / ".spill"))
        store = FeatureStore(layers.feature_store, engine)
        registry = Registry(project.models)
        (table,) = layers.feature_store.glob("features-*")
        version = table.name.partition("-")[2]
        predictions = layers.predictions.glob(f"*/{PREDICTIONS_FILE}")
        samples = sorted(layers.samples.glob("*.parquet"))
        assert samples

        def labelled() -> pd.DataFrame:
            return store.labelled(store.data_version(version)).drop(columns="embedding")

        def handed_over() -> list[tuple[str, str, str, int]]:
            return store.labels.confusion(checked_files(layers.predictions, PREDICTIONS_FILE, but=""))

        def files(folder: Path, pattern: str) -> list[Path]:
            return sorted(path for path in folder.glob(pattern) if path.is_file())

        self.kinds: dict[str, tuple[list[Path], list[Read]]] = {
            "features": (
                files(table, "**/*"),
                [labelled, lambda: store.count(version), lambda: store.count_labelled(version)],
            ),
            "labels": (files(layers.feature_store / "labels", "**/*"), [labelled, lambda: store.labels.of(["x"])]),
            "raw files": ([layers.feature_store / FILES], [lambda: read_list(layers.feature_store)]),
            "registry": (files(project.models, "v0001/*"), [registry.champion_manifest]),
            "pointer": ([project.models / "champion.json"], [registry.champion_version]),
            "predictions": (
                sorted([*predictions, *layers.predictions.glob("*/seal.json")]),
                [handed_over],
            ),
            "samples": (
                files(layers.samples, "*"),
                [lambda: [read_sample(path) for path in samples]],
            ),
            "records": (files(layers.batches, "*.json"), [BatchRecords(layers.batches).all]),
            "decisions": (files(layers.reporting, "decisions*"), [DecisionLog(layers.decisions).read]),
        }


def same(found: Any, expected: Any) -> bool:
    if isinstance(expected, list) and expected and isinstance(expected[0], pd.DataFrame):
        return len(found) == len(expected) and all(map(same, found, expected))
    if isinstance(expected, pd.DataFrame):
        return str(found.to_dict()) == str(expected.to_dict())
    return bool(found == expected)


def test_damaged_files_are_refused_by_name_and_never_read_as_other_data(project: Project) -> None:
    draw = random.Random(1)
    kept = Kept(project).kinds
    expected = {kind: [read() for read in reads] for kind, (_, reads) in kept.items()}
    noticed: Counter[str] = Counter()
    harmless = []
    kinds = list(kept)
    for number in range(DAMAGES):
        kind = kinds[number % len(kinds)]
        way = WAYS[number // len(kinds) % len(WAYS)]
        files, reads = kept[kind]
        if way == "removed":
            # a seal says nothing itself; what the others say is, after that, done again
            files = [file for file in files if "seal" not in file.name and kind not in {"raw files", "records"}]
        if not files:
            files, way = kept[kind][0], "flipped"
        file = draw.choice(files)
        problems = []
        with damaged(file, way, draw):
            for read, before in zip(reads, expected[kind], strict=True):
                try:
                    found = read()
                except BatchNlpError as error:
                    problems.append(str(error))
                else:
                    assert same(found, before), f"{way} {file} was read as other data"
        assert all(str(file) in problem for problem in problems), f"{way} {file}: {problems}"
        # all that reads a kind notices, or nothing does
        assert len(problems) in {0, len(reads)}, f"{way} {file}: {problems}"
        if problems:
            noticed[kind] += 1
        else:
            harmless.append(f"{way} {file.name}")
    print(f"{noticed.total()} of {DAMAGES - len(harmless)} damaged files noticed, each by name: {dict(noticed)}")
    # a document whose last line end is gone is whole
    assert all(name.startswith("truncated") and name.endswith(".json") for name in harmless), harmless
    assert len(harmless) <= DAMAGES // 50
    assert [read() for read in kept["pointer"][1]] == expected["pointer"]


@pytest.mark.parametrize("part", ["features", "predictions"])
def test_a_run_on_damaged_data_ends_with_exit_code_3_and_says_what_to_do(project: Project, part: str) -> None:
    assert project.here("pipeline=sample", "sample.part=batch").returncode == 0
    kind = Kept(project).kinds[part][0]
    file = next(path for path in kind if path.suffix == ".parquet")
    file.write_bytes(flip(file.read_bytes(), random.Random(2)))
    versions = sorted(path.name for path in project.models.iterdir())
    stage = "training" if part == "features" else "inference"
    result = project.here(f"pipeline={stage}", *LIGHT)
    assert result.returncode == 3, result.stderr
    assert project.shown(file) in result.stderr
    assert "Restore" in result.stderr
    assert "backup" in result.stderr
    assert sorted(path.name for path in project.models.iterdir()) == versions
