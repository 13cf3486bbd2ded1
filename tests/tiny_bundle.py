"""A little bundle that is quick to make and draws something: what engine, server and page are tested with."""

from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from onnx import TensorProto, helper, numpy_helper
from PIL import Image

from creativeai.bundles import write_bundle
from creativeai.text import load_text_encoder

NOISE_DIM = 16


def make_tiny_bundle(
    folder: Path,
    name: str = "tiny",
    resolution: int = 32,
    num_stages: int = 2,
    attends: bool = False,
    **manifest_fields: Any,
) -> Path:
    """Write the bundle `folder/name`, whose pictures change with text and seed.

    Args:
        folder: Where to put it.
        name: Name of folder and model.
        resolution: Height and width of the last stage; each before it has half of the next.
        num_stages: Number of stages.
        attends: Whether each stage but the last gives a map of where it looked for each word.
        manifest_fields: Replace those of the manifest.
    """
    encoder = load_text_encoder("minilm")
    sizes = stage_sizes(resolution, num_stages)
    fields: dict[str, Any] = {
        "name": name,
        "title": "Tiny test model",
        "description": "Coloured blots that change with text and seed.",
        "recipe": "projected_gan",
        "preset": "debug",
        "created": 1_700_000_000,
        "noise_dim": NOISE_DIM,
        "stages": [{"output": f"image_{size}", "resolution": size} for size in sizes],
        "text_encoder": {"name": encoder.name, "digest": encoder.digest, "folder": None},
        "dataset": {
            "name": "blots",
            "title": "Blots",
            "digest": "0" * 64,
            "licence": "CC0-1.0",
            "num_train": 10,
            "num_val": 2,
            "description": "Made for tests.",
        },
        "training": {"steps": 2, "images_seen": 16, "seconds": 1.5, "hyperparameters": {"batch_size": 8}},
        "metrics": {"kid": 123.4, "text_match": 0.5},
        "default_truncation": 0.8,
        "examples": ["a small red bird with black wings", "a blue bird on a branch"],
    }
    if attends:
        fields["attention"] = [{"output": f"attention_{size}", "resolution": size} for size in sizes[:-1]]
    graph = tiny_generator(
        resolution, encoder.dim, num_stages=num_stages, max_words=encoder.max_words if attends else None
    )
    files: dict[str, bytes | Path] = {
        "generator.onnx": graph,
        "MODEL_CARD.md": b"# Tiny test model\n\nDraws blots.\n",
        "samples.webp": _samples(resolution),
    }
    return write_bundle(folder / name, fields | manifest_fields, files).path


def stage_sizes(resolution: int, num_stages: int) -> list[int]:
    return [resolution >> (num_stages - 1 - stage) for stage in range(num_stages)]


def tiny_generator(
    resolution: int,
    text_dim: int,
    noise_dim: int = NOISE_DIM,
    num_stages: int = 2,
    max_words: int | None = None,
) -> bytes:
    """Noise [B, Z] and sentence [B, D] -> stages [B, 3, R, R]: a projection to 4 x 4 blots, resized.

    With `max_words` T, also attention [B, T, R, R] of all stages but the last: a softmax over the words'
    projections to 4 x 4, resized; it makes no difference to the pictures.
    """
    random = np.random.default_rng(0)
    weights = {
        "from_noise": random.normal(0, 0.25, (noise_dim, 48)),
        # All blots of a colour channel share the sentence's part, so that the text shows as a colour.
        "from_text": np.repeat(random.normal(0, 1.0, (text_dim, 3)), 16, axis=1),
    }
    initializers = [
        numpy_helper.from_array(values.astype(np.float16), name) for name, values in weights.items()
    ]
    initializers.append(numpy_helper.from_array(np.array([0, 3, 4, 4], np.int64), "shape"))
    nodes = [helper.make_node("Cast", [name], [f"{name}_f32"], to=TensorProto.FLOAT) for name in weights]
    nodes += [
        helper.make_node("MatMul", ["noise", "from_noise_f32"], ["noise_part"]),
        helper.make_node("MatMul", ["sentence", "from_text_f32"], ["text_part"]),
        helper.make_node("Add", ["noise_part", "text_part"], ["blots"]),
        helper.make_node("Reshape", ["blots", "shape"], ["blots_4"]),
    ]
    sizes = stage_sizes(resolution, num_stages)
    resized = [("blots_4", f"image_{size}", size, 3) for size in sizes]
    inputs = [
        helper.make_tensor_value_info("noise", TensorProto.FLOAT, ["B", noise_dim]),
        helper.make_tensor_value_info("sentence", TensorProto.FLOAT, ["B", text_dim]),
    ]
    if max_words is not None:
        keys = random.normal(0, 1.0, (text_dim, 16)).astype(np.float32)
        constants: dict[str, Any] = {
            "keys": keys,
            "last_axis": np.array([2], np.int64),
            "nothing": np.array(-np.inf, np.float32),
            "map_shape": np.array([0, 0, 4, 4], np.int64),
        }
        initializers += [numpy_helper.from_array(values, name) for name, values in constants.items()]
        nodes += [
            helper.make_node("MatMul", ["words", "keys"], ["scores"]),
            helper.make_node("Unsqueeze", ["mask", "last_axis"], ["is_word"]),
            helper.make_node("Where", ["is_word", "scores", "nothing"], ["word_scores"]),
            helper.make_node("Softmax", ["word_scores"], ["weights"], axis=1),
            helper.make_node("Reshape", ["weights", "map_shape"], ["word_maps"]),
        ]
        resized += [("word_maps", f"attention_{size}", size, max_words) for size in sizes[:-1]]
        inputs += [
            helper.make_tensor_value_info("words", TensorProto.FLOAT, ["B", max_words, text_dim]),
            helper.make_tensor_value_info("mask", TensorProto.BOOL, ["B", max_words]),
        ]
    for size in sizes:
        scales = np.array([1, 1, size / 4, size / 4], np.float32)
        initializers.append(numpy_helper.from_array(scales, f"scales_{size}"))
    outputs = []
    for source, name, size, num_channels in resized:
        nodes.append(helper.make_node("Resize", [source, "", f"scales_{size}"], [name], mode="linear"))
        outputs.append(
            helper.make_tensor_value_info(name, TensorProto.FLOAT, ["B", num_channels, size, size])
        )
    graph = helper.make_graph(nodes, "tiny", inputs, outputs, initializers)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    return bytes(model.SerializeToString())


def _samples(resolution: int) -> bytes:
    buffer = BytesIO()
    Image.new("RGB", (4 * resolution, 2 * resolution), (200, 80, 60)).save(buffer, "WEBP")
    return buffer.getvalue()
