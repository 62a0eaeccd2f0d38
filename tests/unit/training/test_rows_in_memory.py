"""Training on more rows than fit in memory."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from tests.fields import FIELDS
from tests.unit.training.runs import World, train, with_training

from batch_nlp.storage.scratch import arrays_on_disk
from batch_nlp.training import ngram_scores, pipeline
from batch_nlp.training.pipeline import build_training_pipeline, encode, fit_pipeline


def test_arrays_on_disk_give_the_same_model_to_the_byte(tmp_path: Path, world: World) -> None:
    config = with_training(world.config, promote=False, rows_in_memory=100)
    _, candidate = train(world, tmp_path, config)
    in_memory = world.layers.candidates / "run-1"
    for name in ("model.skops", "check.parquet", "reference.parquet", "words.parquet"):
        assert (candidate / name).read_bytes() == (in_memory / name).read_bytes(), name
    manifests = [json.loads((folder / "manifest.json").read_text()) for folder in (candidate, in_memory)]
    assert [manifest["arrays_on_disk"] for manifest in manifests] == [True, False]
    # the same training: a champion of the one is up to date for the other
    assert len({manifest["training_fingerprint"] for manifest in manifests}) == 1
    assert [path.name for path in (tmp_path / "data" / "05_model_input" / "sample").iterdir()] == ["run-1.parquet"]


def test_messages_are_the_same_from_disk(tmp_path: Path, world: World, messages: pd.DataFrame) -> None:
    with arrays_on_disk(tmp_path):
        found = world.store.labelled(world.store.data_version(world.definition.version))
    pd.testing.assert_frame_equal(found.drop(columns="embedding"), messages.drop(columns="embedding"))
    np.testing.assert_array_equal(np.stack(found["embedding"]), np.stack(messages["embedding"]))


@pytest.mark.parametrize("disk", [False, True])
def test_rows_that_are_worked_on_in_parts_give_the_same_model(
    tmp_path: Path,
    world: World,
    messages: pd.DataFrame,
    labels: pd.Series[int],
    disk: bool,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """But for the last digits of the scales, which 32 bits do not show."""
    train_on, others = messages[FIELDS.names][:600], messages[FIELDS.names][600:]
    at_once = build_training_pipeline(world.config, FIELDS).fit(train_on, labels[:600].to_numpy())
    monkeypatch.setattr(pipeline, "ROWS", 70)
    monkeypatch.setattr(ngram_scores, "_TEXTS", 90)
    in_parts = build_training_pipeline(world.config, FIELDS)
    with arrays_on_disk(tmp_path if disk else None):
        fit_pipeline(in_parts, train_on, labels[:600].to_numpy())
        encoded = encode(in_parts, others)
    np.testing.assert_allclose(in_parts.predict_proba(others), at_once.predict_proba(others), atol=1e-6)
    np.testing.assert_allclose(encoded, at_once[:-1].transform(others), rtol=1e-5, atol=1e-5)
    alone = np.vstack([in_parts.predict_proba(others[row : row + 1]) for row in range(0, len(others), 40)])
    np.testing.assert_array_equal(alone, in_parts.predict_proba(others)[::40])
