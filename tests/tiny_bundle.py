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


def make_tiny_bundle(folder: Path, name: str = "tiny", resolution: int = 32, **manifest_fields: Any) -> Path:
    """Write the bundle `folder/name`, whose pictures change with text and seed.

    Args:
        folder: Where to put it.
        name: Name of folder and model.
        resolution: Height and width of the last stage; the first has half of it.
        manifest_fields: Replace those of the manifest.
    """
    encoder = load_text_encoder("minilm")
    fields: dict[str, Any] = {
        "name": name,
        "title": "Tiny test model",
        "description": "Coloured blots that change with text and seed.",
        "recipe": "projected_gan",
        "preset": "debug",
        "created": 1_700_000_000,
        "noise_dim": NOISE_DIM,
        "stages": [{"output": f"image_{size}", "resolution": size} for size in (resolution // 2, resolution)],
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
        "metrics": {"fd_lite0": 123.4, "text_match": 0.5},
        "default_truncation": 0.8,
        "examples": ["a small red bird with black wings", "a blue bird on a branch"],
    }
    files: dict[str, bytes | Path] = {
        "generator.onnx": tiny_generator(resolution, encoder.dim),
        "MODEL_CARD.md": b"# Tiny test model\n\nDraws blots.\n",
        "samples.webp": _samples(resolution),
    }
    return write_bundle(folder / name, fields | manifest_fields, files).path


def tiny_generator(resolution: int, text_dim: int, noise_dim: int = NOISE_DIM) -> bytes:
    """Noise [B, Z] and sentence [B, D] -> two stages [B, 3, R, R]: a projection to 4 x 4 blots, resized."""
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
    outputs = []
    for size in (resolution // 2, resolution):
        scales = numpy_helper.from_array(np.array([1, 1, size / 4, size / 4], np.float32), f"scales_{size}")
        initializers.append(scales)
        nodes.append(
            helper.make_node("Resize", ["blots_4", "", f"scales_{size}"], [f"image_{size}"], mode="linear")
        )
        outputs.append(
            helper.make_tensor_value_info(f"image_{size}", TensorProto.FLOAT, ["B", 3, size, size])
        )
    inputs = [
        helper.make_tensor_value_info("noise", TensorProto.FLOAT, ["B", noise_dim]),
        helper.make_tensor_value_info("sentence", TensorProto.FLOAT, ["B", text_dim]),
    ]
    graph = helper.make_graph(nodes, "tiny", inputs, outputs, initializers)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    return bytes(model.SerializeToString())


def _samples(resolution: int) -> bytes:
    buffer = BytesIO()
    Image.new("RGB", (4 * resolution, 2 * resolution), (200, 80, 60)).save(buffer, "WEBP")
    return buffer.getvalue()
