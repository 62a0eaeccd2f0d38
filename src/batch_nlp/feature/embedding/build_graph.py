"""Builds ``minilm.onnx``: the graph of all-MiniLM-L6-v2 without its weights.

Run ``python -m batch_nlp.feature.embedding.build_graph`` (dependency group ``onnx``) after a change here. The file
holds only operators and the names and shapes of the weights, which are those of the official ``model.safetensors``;
the weights are handed in when the model is loaded. The operators of domain ``com.microsoft`` are ONNX Runtime's
fused ones. All of them compute what the separate operators would, none approximates: BERT, Devlin et al. 2019,
with the mean over a text's tokens, Reimers and Gurevych 2019.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from loguru import logger
from onnx import ModelProto, NodeProto, TensorProto, helper

from batch_nlp.feature.embedding.weights import DIMS, MAX_POSITIONS

GRAPH_FILE = Path(__file__).with_name("minilm.onnx")
LAYERS, HEADS, INNER, VOCABULARY = 6, 12, 1536, 30522
EPSILON = 1e-12  # layer_norm_eps of the official config.json
FUSED = "com.microsoft"


class _Graph:
    """Collects nodes and the weights that they name."""

    def __init__(self) -> None:
        self.nodes: list[NodeProto] = []
        self.weights: list[TensorProto] = []

    def weight(self, name: str, *shape: int) -> str:
        """Declare a weight that is handed in at load."""
        tensor = TensorProto(name=name, data_type=TensorProto.FLOAT, dims=shape)
        tensor.data_location = TensorProto.EXTERNAL
        # required by the format; never opened, because the session gets the values themselves
        tensor.external_data.add(key="location", value="model.safetensors")
        self.weights.append(tensor)
        return name

    def add(self, operator: str, inputs: list[str], output: str, domain: str = "", **attributes: Any) -> str:
        """Append a node with one output."""
        self.nodes.append(helper.make_node(operator, inputs, [output], name=output, domain=domain, **attributes))
        return output

    def transposed(self, name: str, inputs: int, outputs: int) -> str:
        """Declare a linear layer's weight; PyTorch stores (outputs, inputs). ONNX Runtime folds the transposition."""
        return self.add("Transpose", [self.weight(name, outputs, inputs)], f"{name}.T", perm=[1, 0])

    def add_and_norm(self, update: str, residual: str, dense: str, norm: str, output: str) -> str:
        """Append bias, residual connection and layer normalisation."""
        scale, shift = self.weight(f"{norm}.weight", DIMS), self.weight(f"{norm}.bias", DIMS)
        inputs = [update, residual, scale, shift, self.weight(f"{dense}.bias", DIMS)]
        return self.add("SkipLayerNormalization", inputs, output, FUSED, epsilon=EPSILON)


def _embeddings(graph: _Graph) -> str:
    segments = graph.add("Sub", ["attention_mask", "attention_mask"], "token_type_ids")  # one text, so all zero
    inputs = [
        "input_ids",
        segments,
        graph.weight("embeddings.word_embeddings.weight", VOCABULARY, DIMS),
        graph.weight("embeddings.position_embeddings.weight", MAX_POSITIONS, DIMS),
        graph.weight("embeddings.token_type_embeddings.weight", 2, DIMS),
        graph.weight("embeddings.LayerNorm.weight", DIMS),
        graph.weight("embeddings.LayerNorm.bias", DIMS),
        "attention_mask",
    ]
    graph.nodes.append(
        helper.make_node(
            "EmbedLayerNormalization",
            inputs,
            ["embeddings", "lengths"],
            name="embeddings",
            domain=FUSED,
            epsilon=EPSILON,
        )
    )
    return "embeddings"


def _layer(graph: _Graph, number: int, hidden: str) -> str:
    name = f"encoder.layer.{number}"
    attention = f"{name}.attention"
    parts = [f"{attention}.self.{part}" for part in ("query", "key", "value")]
    weight = graph.add(
        "Concat", [graph.transposed(f"{part}.weight", DIMS, DIMS) for part in parts], f"{attention}.weight", axis=1
    )
    bias = graph.add("Concat", [graph.weight(f"{part}.bias", DIMS) for part in parts], f"{attention}.bias", axis=0)
    context = graph.add("Attention", [hidden, weight, bias, "lengths"], f"{attention}.self", FUSED, num_heads=HEADS)

    dense = f"{attention}.output.dense"
    update = graph.add("MatMul", [context, graph.transposed(f"{dense}.weight", DIMS, DIMS)], dense)
    attended = graph.add_and_norm(update, hidden, dense, f"{attention}.output.LayerNorm", f"{attention}.output")

    inner = f"{name}.intermediate.dense"
    wide = graph.add("MatMul", [attended, graph.transposed(f"{inner}.weight", DIMS, INNER)], inner)
    active = graph.add("BiasGelu", [wide, graph.weight(f"{inner}.bias", INNER)], f"{name}.intermediate", FUSED)

    dense = f"{name}.output.dense"
    update = graph.add("MatMul", [active, graph.transposed(f"{dense}.weight", INNER, DIMS)], dense)
    return graph.add_and_norm(update, attended, dense, f"{name}.output.LayerNorm", name)


def _mean_over_tokens(graph: _Graph, hidden: str) -> None:
    mask = graph.add("Cast", ["attention_mask"], "mask", to=TensorProto.FLOAT)
    token_axis = graph.add("Constant", [], "token_axis", value_ints=[1])
    column = graph.add("Unsqueeze", [mask, graph.add("Constant", [], "last_axis", value_ints=[-1])], "mask_column")
    masked = graph.add("Mul", [hidden, column], "masked")
    total = graph.add("ReduceSum", [masked, token_axis], "total", keepdims=0)
    count = graph.add("ReduceSum", [mask, token_axis], "count", keepdims=1)
    graph.add("Div", [total, count], "mean")


def build() -> ModelProto:
    """Build the graph.

    Returns
    -------
    ModelProto
        Inputs ``input_ids`` and ``attention_mask`` (int32, texts x tokens, padded on the right); output ``mean``
        (float32, texts x 384), not yet of unit length.
    """
    graph = _Graph()
    hidden = _embeddings(graph)
    for number in range(LAYERS):
        hidden = _layer(graph, number, hidden)
    _mean_over_tokens(graph, hidden)
    return helper.make_model(
        helper.make_graph(
            graph.nodes,
            "all-MiniLM-L6-v2",
            [
                helper.make_tensor_value_info(name, TensorProto.INT32, ["texts", "tokens"])
                for name in ("input_ids", "attention_mask")
            ],
            [helper.make_tensor_value_info("mean", TensorProto.FLOAT, ["texts", DIMS])],
            graph.weights,
        ),
        # the oldest versions that have every operator, so that any ONNX Runtime of the last years reads the file
        opset_imports=[helper.make_opsetid("", 17), helper.make_opsetid(FUSED, 1)],
        ir_version=8,
        producer_name="batch_nlp.feature.embedding.build_graph",
    )


if __name__ == "__main__":
    GRAPH_FILE.write_bytes(build().SerializeToString(deterministic=True))
    logger.info("{}: {:,} bytes", GRAPH_FILE, GRAPH_FILE.stat().st_size)
