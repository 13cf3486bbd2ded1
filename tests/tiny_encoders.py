"""Run-time encoders with graphs that take microseconds, written by hand; what they compute means nothing."""

import hashlib
import json
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

WORDS = ["<end>", "a", "bird", "black", "pere", "red", "with", "wings"]
DIM = 6


def make_damsm(folder: Path, max_words: int = 4) -> Path:
    """Word vectors are the words' own; the sentence vector their normalised sum."""
    table = np.random.default_rng(0).standard_normal((len(WORDS), DIM)).astype(np.float32)
    nodes = [
        helper.make_node("Gather", ["table", "ids"], ["words"]),
        helper.make_node("ReduceSum", ["words", "axis"], ["sum"], keepdims=0),
        helper.make_node("LpNormalization", ["sum"], ["sentence"], axis=1),
    ]
    inputs = {"ids": ["batch", "words"], "lengths": ["batch"]}
    outputs = {"words": ["batch", "words", DIM], "sentence": ["batch", DIM]}
    graph = _graph(nodes, inputs, outputs, {"table": table, "axis": np.array([1])})
    files = {"model.onnx": _model(graph, {"max_words": str(max_words)})}
    files["vocab.txt"] = "".join(f"{word}\n" for word in WORDS).encode()
    return write_encoder(folder, "damsm", files)


def make_char_cnn_rnn(folder: Path, unknown_characters: str = "port") -> Path:
    """The sentence vector is the normalised sum of vectors of the characters at their places."""
    rng = np.random.default_rng(0)
    nodes = [
        helper.make_node("Gather", ["table", "ids"], ["characters"]),
        helper.make_node("Mul", ["characters", "places"], ["placed"]),
        helper.make_node("ReduceSum", ["placed", "axis"], ["sum"], keepdims=0),
        helper.make_node("LpNormalization", ["sum"], ["sentence"], axis=1),
    ]
    weights = {
        "table": rng.standard_normal((71, DIM)).astype(np.float32),
        "places": rng.standard_normal((1, 201, DIM)).astype(np.float32),
        "axis": np.array([1]),
    }
    graph = _graph(nodes, {"ids": ["batch", 201]}, {"sentence": ["batch", DIM]}, weights)
    files = {"model.onnx": _model(graph, {"unknown_characters": unknown_characters})}
    return write_encoder(folder, "char_cnn_rnn", files)


def write_encoder(folder: Path, name: str, files: dict[str, bytes]) -> Path:
    """These files, and an `encoder.json` that states them."""
    folder.mkdir(parents=True, exist_ok=True)
    for file_name, data in files.items():
        (folder / file_name).write_bytes(data)
    stated = {file_name: {"sha256": hashlib.sha256(data).hexdigest()} for file_name, data in files.items()}
    (folder / "encoder.json").write_text(json.dumps({"name": name, "files": stated}))
    return folder


def _graph(
    nodes: list[onnx.NodeProto],
    inputs: dict[str, list[str | int]],
    outputs: dict[str, list[str | int]],
    weights: dict[str, np.ndarray],
) -> onnx.GraphProto:
    return helper.make_graph(
        nodes,
        "tiny",
        [helper.make_tensor_value_info(name, TensorProto.INT64, shape) for name, shape in inputs.items()],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in outputs.items()],
        [numpy_helper.from_array(value, name) for name, value in weights.items()],
    )


def _model(graph: onnx.GraphProto, settings: dict[str, str]) -> bytes:
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)
    helper.set_model_props(model, settings)
    return model.SerializeToString()
