"""tools/build_graph.py: the graphs in the package are those that it builds."""

from __future__ import annotations

import pytest

pytest.importorskip("onnx", reason="onnx is not installed: uv sync --group onnx")

from tools.build_graph import build_all


def test_the_committed_graphs_are_what_the_script_builds() -> None:
    for file, model in build_all().items():
        assert file.read_bytes() == model.SerializeToString(deterministic=True), "run python -m tools.build_graph"


def test_the_graphs_carry_no_weights() -> None:
    for file in build_all():
        assert file.stat().st_size < 50_000
