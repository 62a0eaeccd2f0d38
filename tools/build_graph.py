"""Builds ``minilm.onnx``: the graph of all-MiniLM-L6-v2 without its weights.

Run ``python -m tools.build_graph`` (dependency group ``onnx``) after a change here. The file holds only operators and
the names and shapes of the weights in ``model.safetensors``; the values are supplied when the model is loaded.
The operators of domain ``com.microsoft`` are ONNX Runtime's fused ones; none of them approximates. The network is BERT
(Devlin et al. 2019), averaged over a text's tokens (Reimers and Gurevych 2019).

Between the layers, each token of any text is a row of one matrix: ONNX Runtime multiplies, adds and normalises
matrices faster than its fused operator handles three dimensions.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from loguru import logger
from onnx import ModelProto, NodeProto, TensorProto, helper

from batch_nlp.steps import embedding
from batch_nlp.steps.embedding.minilm import DIMS, MAX_POSITIONS

FILE = Path(embedding.__file__).with_name("minilm.onnx")
LAYERS, HEADS, INNER, VOCABULARY = 6, 12, 1536, 30522
EPSILON = 1e-12  # layer_norm_eps of the official config.json
FUSED = "com.microsoft"


class _Graph:
    """Collects nodes and the weights that they name."""

    def __init__(self) -> None:
        self.nodes: list[NodeProto] = []
        self.weights: list[TensorProto] = []

    def weight(self, name: str, *shape: int) -> str:
        """Declare a weight whose values are supplied when the model is loaded."""
        tensor = TensorProto(name=name, data_type=TensorProto.FLOAT, dims=shape)
        tensor.data_location = TensorProto.EXTERNAL
        # required by the format; never opened, because the session gets the values themselves
        tensor.external_data.add(key="location", value="model.safetensors")
        self.weights.append(tensor)
        return name

    def add(self, operator: str, inputs: list[str], *outputs: str, domain: str = "", **attributes: Any) -> str:
        """Append a node; return the name of its first output."""
        self.nodes.append(helper.make_node(operator, inputs, outputs, name=outputs[0], domain=domain, **attributes))
        return outputs[0]

    def constant(self, name: str, *values: int) -> str:
        """Append a vector of integers."""
        return self.add("Constant", [], name, value_ints=values)

    def transposed(self, name: str, inputs: int, outputs: int) -> str:
        """Declare a linear layer's weight; PyTorch stores (outputs, inputs). ONNX Runtime folds the transposition."""
        return self.add("Transpose", [self.weight(name, outputs, inputs)], f"{name}.T", perm=[1, 0])

    def linear(self, rows: str, name: str, inputs: int, outputs: int, parts: Sequence[str] = (), bias: str = "") -> str:
        """Append rows times a matrix, or several side by side, and the bias if there is one."""
        parts = parts or [name]
        each = [self.transposed(f"{part}.weight", inputs, outputs // len(parts)) for part in parts]
        weight = self.add("Concat", each, f"{name}.weight", axis=1) if len(each) > 1 else each[0]
        return self.add("Gemm", [rows, weight, bias], name) if bias else self.add("MatMul", [rows, weight], name)

    def normalised(self, rows: str, name: str, output: str) -> str:
        """Append a layer normalisation."""
        scale, shift = self.weight(f"{name}.weight", DIMS), self.weight(f"{name}.bias", DIMS)
        return self.add("LayerNormalization", [rows, scale, shift], output, axis=-1, epsilon=EPSILON)

    def linear_add_and_norm(self, rows: str, residual: str, name: str, inputs: int, output: str) -> str:
        """Append a linear layer, the residual connection and layer normalisation."""
        bias = self.weight(f"{name}.dense.bias", DIMS)
        update = self.linear(rows, f"{name}.dense", inputs, DIMS, bias=bias)
        return self.normalised(self.add("Add", [update, residual], f"{name}.sum"), f"{name}.LayerNorm", output)


def _embeddings(graph: _Graph) -> str:
    words = graph.add(
        "Gather", [graph.weight("embeddings.word_embeddings.weight", VOCABULARY, DIMS), "input_ids"], "words"
    )
    tokens = graph.add("Shape", ["input_ids"], "tokens", start=1)
    table = graph.weight("embeddings.position_embeddings.weight", MAX_POSITIONS, DIMS)
    positions = graph.add("Slice", [table, graph.constant("first", 0), tokens, graph.constant("rows", 0)], "positions")
    # there is only one segment per text, so all tokens have the first type
    kinds = graph.weight("embeddings.token_type_embeddings.weight", 2, DIMS)
    kind = graph.add("Gather", [kinds, graph.constant("one_text", 0)], "kind")
    places = graph.add("Add", [positions, kind], "places")
    total = graph.add("Reshape", [graph.add("Add", [words, places], "placed"), "as_rows"], "embedded")
    return graph.normalised(total, "embeddings.LayerNorm", "embeddings")


def _layer(graph: _Graph, number: int, hidden: str) -> str:
    name = f"encoder.layer.{number}"
    attention = f"{name}.attention.self"
    parts = [f"{attention}.{part}" for part in ("query", "key", "value")]
    bias = graph.add("Concat", [graph.weight(f"{part}.bias", DIMS) for part in parts], f"{attention}.bias", axis=0)
    together = graph.linear(hidden, attention, DIMS, 3 * DIMS, parts)
    graph.add("Split", [graph.add("Reshape", [together, "as_texts"], f"{attention}.texts")], *parts, axis=2)
    context = graph.add("MultiHeadAttention", [*parts, bias], f"{attention}.context", domain=FUSED, num_heads=HEADS)
    rows = graph.add("Reshape", [context, "as_rows"], f"{attention}.rows")
    attended = graph.linear_add_and_norm(rows, hidden, f"{name}.attention.output", DIMS, f"{name}.attention")

    inner = f"{name}.intermediate.dense"
    wide = graph.linear(attended, inner, DIMS, INNER)
    active = graph.add("BiasGelu", [wide, graph.weight(f"{inner}.bias", INNER)], f"{name}.intermediate", domain=FUSED)
    return graph.linear_add_and_norm(active, attended, f"{name}.output", INNER, name)


def build() -> ModelProto:
    """Build the graph.

    Returns
    -------
    ModelProto
        Input ``input_ids`` (int32, texts x tokens: texts of one length); output ``mean`` (float32, texts x 384), not
        yet of unit length.
    """
    graph = _Graph()
    graph.constant("as_rows", -1, DIMS)
    shape = graph.add("Shape", ["input_ids"], "shape")
    graph.add("Concat", [shape, graph.constant("the_rest", -1)], "as_texts", axis=0)
    hidden = _embeddings(graph)
    for number in range(LAYERS):
        hidden = _layer(graph, number, hidden)
    texts = graph.add("Reshape", [hidden, "as_texts"], "texts")
    graph.add("ReduceMean", [texts], "mean", axes=[1], keepdims=0)
    return helper.make_model(
        helper.make_graph(
            graph.nodes,
            "all-MiniLM-L6-v2",
            [helper.make_tensor_value_info("input_ids", TensorProto.INT32, ["texts", "tokens"])],
            [helper.make_tensor_value_info("mean", TensorProto.FLOAT, ["texts", DIMS])],
            graph.weights,
        ),
        # the oldest versions with every operator, so that older releases of ONNX Runtime read the file
        opset_imports=[helper.make_opsetid("", 17), helper.make_opsetid(FUSED, 1)],
        ir_version=8,
        producer_name="batch_nlp tools.build_graph",
    )


if __name__ == "__main__":
    FILE.write_bytes(build().SerializeToString(deterministic=True))
    logger.info("{}: {:,} bytes", FILE, FILE.stat().st_size)
