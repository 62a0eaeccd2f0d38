"""Guarantee 19: nothing is embedded twice."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from loguru import logger
from tests.naming import assert_names

from batch_nlp.steps.embedding.cache import CachedEmbedder
from batch_nlp.steps.embedding.embedder import FloatMatrix
from batch_nlp.steps.embedding.step import Embedding


class Counting:
    """An embedder that remembers what it was asked for."""

    def __init__(self, dims: int = 4) -> None:
        self.dims = dims
        self.asked: list[str] = []

    def encode(self, texts: Sequence[str]) -> FloatMatrix:
        self.asked += texts
        values = [[len(text), sum(text.encode()), *range(self.dims - 2)] for text in texts]
        return np.array(values, np.float32).reshape(len(texts), self.dims)


@pytest.fixture
def warnings() -> list[str]:
    said: list[str] = []
    logger.add(said.append, level="WARNING", format="{message}")
    return said


def again(folder: Path, texts: list[str], fingerprint: str = "counting-1", max_mb: int = 1) -> Counting:
    """Embed texts as a new process would, check the vectors, and return the embedder that was asked."""
    embedder = Counting()
    found = CachedEmbedder(embedder, folder, fingerprint, max_mb).encode(texts)
    np.testing.assert_array_equal(found, Counting().encode(texts))
    return embedder


def test_a_text_is_embedded_once_for_a_model(tmp_path: Path) -> None:
    assert again(tmp_path, ["a", "b", "a"]).asked == ["a", "b"]
    assert again(tmp_path, ["c", "b", "a", "", "c"]).asked == ["c", ""]
    assert again(tmp_path, ["a", "b", "c", ""]).asked == []
    assert again(tmp_path, ["a"], fingerprint="counting-2").asked == ["a"]
    assert again(tmp_path, []).asked == []


# a process of its own: the child of a fork shares the threads' locks of libraries without their threads
_KILLED = """
import os, sys
from pathlib import Path
from batch_nlp.steps.embedding.cache import CachedEmbedder
from tests.unit.steps.embedding.test_cache import Counting

class Killed(Counting):
    def encode(self, texts):
        return super().encode(texts) if len(self.asked) < 2000 else os._exit(9)

CachedEmbedder(Killed(), Path(sys.argv[1]), "counting-1", 1).encode([f"text {number}" for number in range(2500)])
"""


def test_a_killed_run_goes_on_where_it_stopped(tmp_path: Path) -> None:
    """What was embedded before the kill was committed piece by piece."""
    texts = [f"text {number}" for number in range(2500)]
    project = Path(__file__).parents[4]
    killed = subprocess.run([sys.executable, "-c", _KILLED, str(tmp_path)], cwd=project, check=False)
    assert killed.returncode == 9
    assert again(tmp_path, texts).asked == texts[2000:]


def test_the_oldest_vectors_go_when_the_cache_is_full(tmp_path: Path) -> None:
    rows = 2**20 // 16
    texts = [f"text {number}" for number in range(rows)]
    again(tmp_path, texts)
    again(tmp_path, ["one more"])
    assert "text 0" in again(tmp_path, ["text 0", texts[-1], "one more"]).asked
    assert again(tmp_path, [texts[-1], "one more"]).asked == []
    (file,) = tmp_path.iterdir()
    with sqlite3.connect(file) as database:
        assert database.execute("SELECT count(*) FROM vectors").fetchone()[0] <= rows


def test_a_damaged_vector_is_made_again(tmp_path: Path, warnings: list[str]) -> None:
    again(tmp_path, ["a", "b"])
    (file,) = tmp_path.iterdir()
    with sqlite3.connect(file) as database:
        database.execute("UPDATE vectors SET vector = zeroblob(16) WHERE rowid = 1")
    assert again(tmp_path, ["a", "b"]).asked == ["a"]
    assert_names(warnings[0], 1)
    assert again(tmp_path, ["a", "b"]).asked == []


@pytest.mark.parametrize("damage", [b"no database at all" * 100, b""])
def test_a_damaged_file_is_begun_anew(tmp_path: Path, warnings: list[str], damage: bytes) -> None:
    again(tmp_path, ["a", "b"])
    (file,) = tmp_path.iterdir()
    file.write_bytes(damage)
    assert again(tmp_path, ["a", "b"]).asked == ["a", "b"]
    assert again(tmp_path, ["a", "b"]).asked == []
    if damage:
        assert_names(warnings[0], file.name)


def test_a_cache_that_cannot_be_written_keeps_nobody_from_working(tmp_path: Path, warnings: list[str]) -> None:
    again(tmp_path, ["a"])
    (file,) = tmp_path.iterdir()
    file.unlink()
    file.mkdir()
    assert again(tmp_path, ["a", "b"]).asked == ["a", "b"]
    assert_names(warnings[0], file.name)


def test_the_step_gives_the_models_own_vectors_and_keeps_static_ones_nowhere(tmp_path: Path) -> None:
    texts = pd.DataFrame({"text": ["Great tacos!", "Never again.", "Great tacos!"]})
    plain = Embedding(backend="minilm", cache_dir=tmp_path / "none").transform(texts)["embedding"]
    for _ in range(2):
        kept = Embedding(backend="minilm", cache_dir=tmp_path / "kept", cache_mb=1).transform(texts)["embedding"]
        np.testing.assert_array_equal(np.stack(kept), np.stack(plain))
    assert [path.suffix for path in (tmp_path / "kept").iterdir()] == [".sqlite"]
    assert not (tmp_path / "none").exists()
