from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace

import pytest

from batch_nlp.config import Config
from batch_nlp.runner.context import RunContext
from batch_nlp.runner.train import take_in


@pytest.mark.parametrize(("features", "is_taken"), [("default", True), ("none", False)])
def test_the_table_of_the_project_is_taken_where_vectors_are_made_of_it(
    features: str, is_taken: bool, tmp_path: Path, make_config: Callable[..., Config], monkeypatch: pytest.MonkeyPatch
) -> None:
    table = tmp_path / "project" / "data" / "04_feature" / "embedding_cache" / "static-x.safetensors"
    table.parent.mkdir(parents=True)
    table.touch()
    own = (f"paths.root={tmp_path / 'project'}", f"features={features}", "training.inputs=[tabular]")
    config = make_config(tmp_path, *own)
    run = RunContext.of(config, datetime(2026, 1, 1, tzinfo=UTC))
    monkeypatch.setattr("batch_nlp.feature.run.run_feature_pipeline", lambda *_: SimpleNamespace(set_aside=[]))
    take_in(run)
    assert (run.layers.embedding_cache / table.name).exists() == is_taken
