from __future__ import annotations

import pytest

pytest.importorskip("onnx", reason="onnx is not installed: uv sync --group onnx")

from batch_nlp.feature.embedding.build_graph import GRAPH_FILE, build


def test_the_committed_graph_is_what_the_script_builds() -> None:
    assert GRAPH_FILE.read_bytes() == build().SerializeToString(deterministic=True), (
        "run python -m batch_nlp.feature.embedding.build_graph"
    )


def test_the_graph_carries_no_weights() -> None:
    assert GRAPH_FILE.stat().st_size < 40_000
