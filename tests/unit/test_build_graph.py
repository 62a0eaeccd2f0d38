"""tools/build_graph.py: the graph in the package is the one that it builds."""

from __future__ import annotations

import pytest

pytest.importorskip("onnx", reason="onnx is not installed: uv sync --group onnx")

from tools.build_graph import FILE, build


def test_the_committed_graph_is_what_the_script_builds() -> None:
    assert FILE.read_bytes() == build().SerializeToString(deterministic=True), "run python -m tools.build_graph"


def test_the_graph_carries_no_weights() -> None:
    assert FILE.stat().st_size < 50_000
