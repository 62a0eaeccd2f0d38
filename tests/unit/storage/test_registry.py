from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tests.fields import FIELDS
from tests.naming import refusal

from batch_nlp.errors import DataError, ExitCode
from batch_nlp.storage.atomic import write_json
from batch_nlp.storage.feature_store import features_frame
from batch_nlp.storage.manifest import read_manifest, write_manifest
from batch_nlp.storage.parquet import write_parquet
from batch_nlp.storage.registry import Registry

pytestmark = pytest.mark.usefixtures("fresh_process")
NOW = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)


class World(Protocol):
    layers: Any
    registry: Registry


@pytest.fixture
def candidate(tmp_path: Path, world: World) -> Path:
    """Return a trained candidate of our own."""
    return shutil.copytree(world.layers.candidates / "run-1", tmp_path / "candidate")


def snapshot(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def with_versions(root: Path, *versions: str, champion: str, previous: list[str]) -> Registry:
    """Make a registry whose models are stand-ins: enough for everything but loading them."""
    for version in versions:
        folder = root / version
        folder.mkdir(parents=True)
        (folder / "model.skops").write_text(f"model {version}")
        write_manifest(
            folder, {"fields": [], "code": {}, "metrics": {"f1_macro": 0.75}, "classes": ["negative", "positive"]}
        )
    write_json(root / "champion.json", {"version": champion, "previous": previous, "published_at": NOW.isoformat()})
    return Registry(root)


def test_before_the_first_model_there_is_no_champion(tmp_path: Path) -> None:
    registry = Registry(tmp_path / "not yet")
    assert registry.versions() == []
    assert registry.champion_version() is None
    assert registry.champion_manifest() is None
    assert registry.champion() is None
    with refusal(DataError):
        registry.rollback(NOW, sound(registry))


def test_the_first_model_published_is_the_champion_and_predicts_as_it_did_when_trained(world: World) -> None:
    assert world.registry.versions() == ["v0001"]
    champion = world.registry.champion()
    assert champion is not None
    assert champion.version == "v0001"
    check = pq.read_table(world.layers.candidates / "run-1" / "check.parquet")
    rows = features_frame(check.drop_columns(["probabilities"]))[FIELDS.names]
    np.testing.assert_allclose(champion.pipeline.predict_proba(rows), check["probabilities"].to_pylist(), atol=1e-6)


def sound(registry: Registry) -> Callable[[str], object]:
    return lambda version: read_manifest(registry.root / version)


def test_publishing_takes_the_next_number_moves_the_pointer_and_keeps_as_many_versions_as_asked(
    tmp_path: Path, candidate: Path
) -> None:
    root = tmp_path / "models"
    # v0003 was rolled back: its number is not given again, and it goes
    registry = with_versions(root, "v0001", "v0002", "v0003", champion="v0002", previous=["v0001"])
    assert registry.publish(candidate, NOW, keep=2) == "v0004"
    assert sorted(path.name for path in root.iterdir()) == ["champion.json", "v0002", "v0004"]
    assert snapshot(root / "v0004") == snapshot(candidate)
    assert registry.champion_version() == "v0004"
    assert json.loads((root / "champion.json").read_text())["published_at"] == NOW.isoformat()
    assert registry.rollback(NOW, sound(registry)) == ("v0004", "v0002")


def test_a_candidate_that_predicts_otherwise_in_a_fresh_process_is_not_published(
    tmp_path: Path, candidate: Path
) -> None:
    """Guarantee 14."""
    check = pq.read_table(candidate / "check.parquet")
    turned = pa.array([[row[2], row[0], row[1]] for row in check["probabilities"].to_pylist()])
    write_parquet(
        candidate / "check.parquet", check.drop_columns(["probabilities"]).append_column("probabilities", turned)
    )
    reseal(candidate)
    before = with_versions(tmp_path / "models", "v0001", champion="v0001", previous=[])
    state = snapshot(before.root)
    with refusal(DataError, candidate.name) as refused:
        before.publish(candidate, NOW, keep=5)
    assert refused.value.exit_code is ExitCode.DATA
    assert snapshot(before.root) == state


def reseal(folder: Path) -> None:
    """Bring a manifest's hashes up to date, as one would who changes a model on purpose."""
    manifest = json.loads((folder / "manifest.json").read_text())
    del manifest["files"], manifest["sha256"]
    write_manifest(folder, manifest)


def test_a_candidate_that_does_not_load_is_not_published(tmp_path: Path, candidate: Path) -> None:
    """Guarantee 14."""
    (candidate / "model.skops").write_bytes((candidate / "model.skops").read_bytes()[:-100])
    reseal(candidate)
    registry = Registry(tmp_path / "models")
    with refusal(DataError, "model.skops"):
        registry.publish(candidate, NOW, keep=5)
    assert registry.versions() == []
    assert registry.champion_version() is None


def test_rolling_back_goes_one_version_at_a_time_until_there_is_none(tmp_path: Path) -> None:
    registry = with_versions(tmp_path, "v0001", "v0002", "v0003", champion="v0003", previous=["v0002", "v0001"])
    assert registry.rollback(NOW, sound(registry)) == ("v0003", "v0002")
    assert registry.rollback(NOW, sound(registry)) == ("v0002", "v0001")
    with refusal(DataError, "v0001"):
        registry.rollback(NOW, sound(registry))
    assert registry.champion_version() == "v0001"


def test_rolling_back_passes_over_a_damaged_version(tmp_path: Path) -> None:
    registry = with_versions(tmp_path, "v0001", "v0002", "v0003", champion="v0003", previous=["v0002", "v0001"])
    (tmp_path / "v0002" / "model.skops").write_text("model v0009")
    assert registry.rollback(NOW, sound(registry)) == ("v0003", "v0001")


def test_without_a_sound_version_to_go_back_to_the_champion_stays(tmp_path: Path) -> None:
    registry = with_versions(tmp_path, "v0001", "v0002", champion="v0002", previous=["v0001"])
    (tmp_path / "v0001" / "model.skops").write_text("model v0009")
    with refusal(DataError, "v0002"):
        registry.rollback(NOW, sound(registry))
    assert registry.champion_version() == "v0002"


def test_versions_are_ordered_by_number_and_other_folders_are_none(tmp_path: Path) -> None:
    registry = with_versions(tmp_path, "v0002", "v10000", "v0010", champion="v0010", previous=[])
    (tmp_path / "v0003.txt").touch()
    (tmp_path / "notes").mkdir()
    (tmp_path / ".v0004.abc.tmp").mkdir()
    assert registry.versions() == ["v0002", "v0010", "v10000"]


@pytest.mark.parametrize("name", ["model.skops", "check.parquet", "model_card.md"])
@pytest.mark.parametrize("how", ["flipped", "cut", "empty", "gone"])
def test_a_damaged_file_of_the_champion_is_noticed_by_name_and_nothing_is_loaded(
    tmp_path: Path, candidate: Path, name: str, how: str
) -> None:
    """Guarantee 2."""
    registry = with_versions(tmp_path / "models", champion="v0001", previous=[])
    file = shutil.copytree(candidate, tmp_path / "models" / "v0001") / name
    data = bytearray(file.read_bytes())
    data[len(data) // 2] ^= 4
    if how == "gone":
        file.unlink()
    else:
        file.write_bytes({"flipped": bytes(data), "cut": bytes(data[:-1]), "empty": b""}[how])
    for use in (registry.champion, registry.champion_manifest):
        with refusal(DataError, name, "pipeline=rollback"):
            use()


@pytest.mark.parametrize("content", ["", "{", "[]", '{"created_at": 1}', '{"files": 5}', '{"files": ["a"]}', "null"])
def test_a_damaged_manifest_is_refused_by_name(tmp_path: Path, content: str) -> None:
    (tmp_path / "manifest.json").write_text(content)
    with refusal(DataError, tmp_path / "manifest.json") as found:
        read_manifest(tmp_path)
    assert "indices" not in str(found.value)  # Python's own words


def test_a_manifest_of_undecodable_bytes_is_refused_by_name(tmp_path: Path) -> None:
    (tmp_path / "manifest.json").write_bytes(b'{"files": "\xff"}')
    with refusal(DataError, tmp_path / "manifest.json"):
        read_manifest(tmp_path)


def test_a_flipped_bit_anywhere_in_pointer_or_manifest_is_noticed_by_name(tmp_path: Path) -> None:
    """Guarantee 2."""
    registry = with_versions(tmp_path, "v0001", "v0002", "v0003", champion="v0003", previous=["v0002", "v0001"])
    registry.rollback(NOW, sound(registry))
    random = np.random.default_rng(2)
    before = registry.champion_manifest()
    for file in (tmp_path / "champion.json", tmp_path / "v0002" / "manifest.json"):
        whole = file.read_bytes()
        for place in range(len(whole)):
            damaged = bytearray(whole)
            damaged[place] ^= 1 << int(random.integers(8))
            file.write_bytes(damaged)
            try:
                found = registry.champion_version(), registry.champion_manifest()
            except DataError as error:
                assert file.name in str(error)  # noqa: PT017 both outcomes are right, and only these two
            else:  # white space, or the name of the seal
                assert found == ("v0002", before)
        file.write_bytes(whole)


def test_a_pointer_written_by_hand_is_followed(tmp_path: Path) -> None:
    registry = with_versions(tmp_path, "v0001", "v0002", champion="v0002", previous=["v0001"])
    (tmp_path / "champion.json").write_text('{"version": "v0001", "previous": []}')
    assert registry.champion_version() == "v0001"


def test_a_champion_whose_folder_is_gone_is_refused_by_name(tmp_path: Path) -> None:
    registry = with_versions(tmp_path, "v0001", champion="v0002", previous=["v0001"])
    with refusal(DataError, "v0002/manifest.json"):
        registry.champion()


@pytest.mark.parametrize(
    "content",
    [
        "", "{", "[]", "{}", '"v0001"', '{"version": "v0001"}', '{"version": null, "previous": []}', "null",
        '{"version": "../../etc", "previous": []}', '{"version": "v0001", "previous": "v0002"}',
        '{"version": "v0001", "previous": [7]}', '{"version": ["v0001"], "previous": []}', "\x00\x00\x00",
    ],
)  # fmt: skip
def test_a_damaged_pointer_is_refused_by_name_with_the_versions_that_exist(tmp_path: Path, content: str) -> None:
    """Guarantee 2."""
    registry = with_versions(tmp_path, "v0001", "v0002", champion="v0002", previous=["v0001"])
    (tmp_path / "champion.json").write_text(content)
    for use in (registry.champion_version, registry.champion, lambda: registry.rollback(NOW, sound(registry))):
        with refusal(DataError, "champion.json", "v0001", "v0002") as found:
            use()
        assert "indices" not in str(found.value)  # Python's own words
    assert (tmp_path / "champion.json").read_text() == content


def test_a_pointer_that_is_gone_is_missed(tmp_path: Path) -> None:
    """Guarantee 2: without it, any candidate would be the first one, for which there is no gate."""
    registry = with_versions(tmp_path, "v0001", "v0002", champion="v0002", previous=["v0001"])
    (tmp_path / "champion.json").unlink()
    for use in (registry.champion_version, registry.champion, lambda: registry.rollback(NOW, sound(registry))):
        with refusal(DataError, "champion.json", "v0001", "v0002", "decisions.jsonl", '{"version": "v0002"'):
            use()
