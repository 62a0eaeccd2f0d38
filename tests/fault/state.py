"""Read back everything that a run may have left, and summarise it."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pyarrow.parquet as pq
from deltalake import DeltaTable
from tests.projects import LIGHT, Project

from batch_nlp.inference.batch_records import Batch, BatchRecords, BatchState
from batch_nlp.storage.layers import Layers
from batch_nlp.storage.manifest import read_manifest
from batch_nlp.storage.registry import Registry

# a run takes a second or two, and still makes several commits
SMALL = (
    *LIGHT,
    "sample.messages=600",
    "sample.batch_messages=150",
    "engine.batch_rows=100",
    "engine.commit_rows=200",
    "model.params.n_estimators=5",
    "training.gate.tolerance=1.0",
    "training.gate.max_recall_drop=null",
)


@dataclass(frozen=True)
class State:
    """What a project holds.

    Parameters
    ----------
    features : dict of str to str
        Message -> hash of its features, but for when and by whom they were stored.
    labels : dict of str to str
        Message -> its latest label.
    predicted : dict of str to str
        Message -> batch.
    accounts : dict of str to dict
        Batch -> where its messages went; only of batches that are finished.
    """

    features: dict[str, str]
    labels: dict[str, str]
    predicted: dict[str, str]
    accounts: dict[str, dict[str, int]]

    @property
    def outcome(self) -> tuple[object, ...]:
        """What does not depend on the time of the runs: two ways to the same end have the same."""
        return self.features, self.labels, sorted(self.predicted), sorted(map(str, self.accounts.values()))


_MODELS: set[str] = set()


def read_state(project: Project, dataset: str = "sample") -> State:
    """Read everything that the product has written, and check that it is whole.

    A killed run leaves temporary names, which start with a dot and which nobody reads; all else must be sound.
    """
    layers, registry = Layers(project.data, dataset), Registry(project.models)
    _check_files(project)
    _check_models(registry)
    records, removed = BatchRecords(layers.batches).all(), BatchRecords(layers.batches).past(dataset).removed()
    records = [record for record in records if record.name > removed]  # before that, retention is at work
    predicted: dict[str, str] = {}
    for record in records:
        if record.state is not BatchState.CLAIMED:
            predicted.update(_predictions(layers, record, predicted))
    accounts = {record.name: record.accounts for record in records if record.state is BatchState.DONE}
    for name, found in accounts.items():
        assert found["in"] == found["predicted"] + found["duplicates"] + found["quarantined"], name
        assert found["predicted"] == sum(batch == name for batch in predicted.values())
    return State(_features(layers), _labels(layers), predicted, accounts)


def _check_files(project: Project) -> None:
    for folder in (project.data, project.models):
        for path in folder.rglob("*"):
            parts = path.relative_to(folder).parts
            written_by_others = parts[0] == "01_raw" or "inbox" in parts or "_delta_log" in parts
            if path.is_dir() or written_by_others or any(part.startswith(".") for part in parts):
                continue
            if path.suffix == ".json":
                json.loads(path.read_text())
            elif path.suffix == ".parquet" and not any(part.startswith(("features-", "labels")) for part in parts):
                pq.read_table(path, page_checksum_verification=True)
            elif path.name == "decisions.jsonl":
                for line in path.read_text().splitlines():
                    json.loads(line)


def _check_models(registry: Registry) -> None:
    champion = registry.champion_version()
    if champion is None:
        return
    pointer = json.loads((registry.root / "champion.json").read_text())
    for version in (champion, *pointer["previous"]):
        manifest = read_manifest(registry.root / version)
    digest = str(manifest["files"])
    if digest not in _MODELS:  # loading one takes a while
        registry.load(champion)
        _MODELS.add(digest)


def _predictions(layers: Layers, record: Batch, before: dict[str, str]) -> dict[str, str]:
    table = pq.read_table(layers.predictions / record.name / "predictions.parquet", page_checksum_verification=True)
    ids = table["message_id"].to_pylist()
    assert len(ids) == len(set(ids)), f"{record.name}: a message is predicted twice"
    assert not set(ids) & set(before), f"{record.name}: predicts what another batch has predicted"
    return dict.fromkeys(ids, record.name)


def _features(layers: Layers) -> dict[str, str]:
    features: dict[str, str] = {}
    for folder in sorted(layers.feature_store.glob("features-*")):
        if not DeltaTable.is_deltatable(str(folder)):
            continue  # killed before the first commit
        rows = DeltaTable(str(folder)).to_pyarrow_table().to_pylist()
        for row in rows:
            assert row["message_id"] not in features, "stored twice"
            features[row["message_id"]] = hashlib.sha256(repr(sorted(row.items())).encode()).hexdigest()
    return features


def _labels(layers: Layers) -> dict[str, str]:
    folder = layers.feature_store / "labels"
    if not DeltaTable.is_deltatable(str(folder)):
        return {}
    labels = DeltaTable(str(folder)).to_pyarrow_table()  # noqa: F841 for the query below
    rows = duckdb.sql("SELECT message_id, last(target ORDER BY arrived_at), count(*) FROM labels GROUP BY 1").fetchall()
    assert Counter(count for *_, count in rows).keys() == {1}, "a label is stored twice"
    return {message: target for message, target, _ in rows}


def left_over(project: Project) -> list[Path]:
    """Return temporary files in the folders that only runs write to."""
    found = [*project.data.rglob(".*.tmp"), *project.models.rglob(".*.tmp")]
    return [path for path in found if "01_raw" not in path.parts and "inbox" not in path.parts]
