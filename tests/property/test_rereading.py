"""Guarantee 23: a file that was touched, copied, packed again or read by another feature version changes no label."""

from __future__ import annotations

import gzip
import json
import os
import shutil
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from batch_nlp.config import EngineConfig
from batch_nlp.storage.feature_store import FeatureStore
from batch_nlp.storage.label_table import LABELS_SCHEMA
from batch_nlp.storage.raw.known_files import RawFile, RawFiles

START = datetime(2026, 1, 1, tzinfo=UTC)
MESSAGES = ("a", "b", "c")

# What files bring, and on which day: label rows in their order; of one day several files, named without zeros
rows = st.lists(st.tuples(st.sampled_from(MESSAGES), st.sampled_from("15")), min_size=1, max_size=3)
days = st.lists(st.lists(rows, min_size=1, max_size=3), min_size=1, max_size=3)
actions = st.lists(
    st.tuples(st.sampled_from(["touch", "copy", "rename", "pack", "remove", "version", "run"]), st.integers(0)),
    max_size=6,
)


class Desk:
    """A raw folder and a store, processed as the feature pipeline does."""

    def __init__(self, folder: Path, engine: EngineConfig) -> None:
        self.raw = folder / "raw"
        self.raw.mkdir()
        self.store = FeatureStore(folder / "store", engine)
        self.version, self.runs, self.written = 1, 0, 7

    def files(self) -> list[Path]:
        return sorted(self.raw.iterdir(), reverse=True)

    def deliver(self, content: list[tuple[str, str]]) -> None:
        """Put down a file; its name says nothing about the order of days, and it differs from all others."""
        self.written += 1
        lines = [json.dumps(row) for row in content] + [f"[{self.written}]"]
        (self.raw / f"{'yxw'[self.runs % 3]}_{self.written}.json").write_text("\n".join(lines))

    def run(self) -> int:
        """Take in what is new, and return how many labels were added."""
        known = RawFiles(self.store, f"v{self.version}", START + timedelta(days=self.runs))
        self.runs += 1
        new = known.new(self.files())
        labels = [row for file in new for row in self._rows(file)]
        added = self.store.labels.append(pa.Table.from_pylist(labels, LABELS_SCHEMA), "run").added
        known.add(new)
        return added

    @staticmethod
    def _rows(file: RawFile) -> list[dict[str, object]]:
        data = file.path.read_bytes()
        lines = (gzip.decompress(data) if file.path.suffix == ".gz" else data).decode().splitlines()
        return [
            {
                "message_id": message_id,
                "target": target,
                "arrived_at": file.first_seen,
                "source_file": file.path.name,
                "source": "given",
                "source_hash": file.digest,
            }
            for message_id, target in map(json.loads, lines[:-1])
        ]

    def change(self, action: str, which: int) -> None:
        files = self.files()
        file = files[which % len(files)]
        name = f"{which % 7}_{file.name}"
        if action == "touch":
            os.utime(file, (which % 1000, which % 1000))
        elif action == "copy":
            shutil.copy(file, self.raw / name)
        elif action == "rename":
            file.rename(self.raw / name)
        elif action == "pack" and file.suffix != ".gz":
            (self.raw / f"{name}.gz").write_bytes(gzip.compress(file.read_bytes()))
            file.unlink()
        elif action == "remove" and len(files) > 1:
            file.unlink()
            # read again without it
            self.version += 1
        elif action == "version":
            self.version += 1


@settings(max_examples=12)
@given(days=days, actions=actions)
def test_what_was_read_before_changes_no_label_however_it_comes_again(
    engine: EngineConfig, days: list[list[list[tuple[str, str]]]], actions: list[tuple[str, int]]
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        desk = Desk(Path(folder), engine)
        expected: dict[str, str] = {}
        for day in days:
            for content in day:
                desk.deliver(content)
                expected |= dict(content)
            desk.run()
            assert desk.store.labels.of(list(MESSAGES)) == expected
        for action, which in actions:
            desk.change(action, which)
            before = desk.store.data_version("any").labels
            assert desk.run() == 0
            assert desk.store.data_version("any").labels == before
            assert desk.store.labels.of(list(MESSAGES)) == expected


@settings(max_examples=8)
@given(days=days)
def test_a_table_of_labels_that_was_removed_comes_back_with_the_same_labels(
    engine: EngineConfig, days: list[list[list[tuple[str, str]]]]
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        desk = Desk(Path(folder), engine)
        for day in days:
            for content in day:
                desk.deliver(content)
            desk.run()
        expected = desk.store.labels.of(list(MESSAGES))
        shutil.rmtree(desk.store.labels.folder)
        desk.run()
        assert desk.store.labels.of(list(MESSAGES)) == expected
