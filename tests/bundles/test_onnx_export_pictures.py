from typing import Any

import numpy as np
import onnx
import onnxruntime as ort
import pytest
from onnx import TensorProto, helper, numpy_helper

from creativeai.bundles.onnx_export_pictures import interleave_pictures_last

BATCH, CHANNELS, SIDE = 2, 5, 6


def graph_of_picture(
    shape: tuple[int, ...] = (3, CHANNELS, 3, 3),
    *,
    axis: int = 2,
    unsqueezed: int = 2,
    mode: str = "CRD",
    bias: bool = False,
    half: bool = False,
    inputs: int = 4,
    **attributes: Any,
) -> onnx.ModelProto:
    """Maps interleaved and convolved, as the exporter writes a stack, a pixel shuffle and a convolution."""
    random = np.random.default_rng(0)
    weight = random.normal(size=shape).astype(np.float32)
    maps = [f"x{index}" for index in range(inputs)]
    names = ["map", "weight", *(["bias"] if bias else [])]
    constants = {
        "axes": np.array([unsqueezed]),
        "shape": np.array([BATCH, inputs * CHANNELS, SIDE, SIDE]),
        "weight_half" if half else "weight": weight.astype(np.float16) if half else weight,
        "bias": np.ones(shape[0], np.float32),
    }
    nodes = [
        *(helper.make_node("Unsqueeze", [name, "axes"], [f"{name}_part"]) for name in maps),
        helper.make_node("Concat", [f"{name}_part" for name in maps], ["stack"], axis=axis),
        helper.make_node("Reshape", ["stack", "shape"], ["flat"]),
        helper.make_node("DepthToSpace", ["flat"], ["map"], blocksize=2, mode=mode),
        *([helper.make_node("Cast", ["weight_half"], ["weight"], to=TensorProto.FLOAT)] if half else []),
        helper.make_node("Conv", names, ["y"], **{"pads": [1, 1, 1, 1], **attributes}),
        helper.make_node("Tanh", ["y"], ["picture"]),
    ]
    size = [BATCH, CHANNELS, SIDE, SIDE]
    graph = helper.make_graph(
        nodes,
        "test",
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, size) for name in maps],
        [helper.make_tensor_value_info("picture", TensorProto.FLOAT, [None] * 4)],
        [numpy_helper.from_array(value, name) for name, value in constants.items()],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)


def draw(model: onnx.ModelProto) -> np.ndarray:
    onnx.checker.check_model(model, full_check=True)
    session = ort.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    random = np.random.default_rng(1)
    size = (BATCH, CHANNELS, SIDE, SIDE)
    inputs = {value.name: random.normal(size=size).astype(np.float32) for value in session.get_inputs()}
    [picture] = session.run(None, inputs)
    return np.asarray(picture)


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"half": True},
        {"shape": (1, CHANNELS, 3, 3)},
        {"kernel_shape": [3, 3], "strides": [1, 1], "dilations": [1, 1], "group": 1, "auto_pad": "NOTSET"},
    ],
    ids=["plain", "half", "grey", "attributes"],
)
def test_the_picture_is_the_same_and_interleaved_last(options: dict[str, Any]) -> None:
    model = graph_of_picture(**options)
    expected = draw(model)
    interleave_pictures_last(model.graph)
    [shuffle] = [node for node in model.graph.node if node.output[0] == "y"]
    assert shuffle.op_type == "DepthToSpace"
    assert not any("map" in node.input for node in model.graph.node)
    np.testing.assert_allclose(draw(model), expected, atol=1e-5)


@pytest.mark.parametrize(
    "options",
    [
        {"shape": (5, CHANNELS, 3, 3)},
        {"shape": (3, CHANNELS, 5, 5), "pads": [2, 2, 2, 2]},
        {"pads": [0, 0, 0, 0]},
        {"strides": [2, 2]},
        {"dilations": [2, 2]},
        {"bias": True},
        {"mode": "DCR"},
        {"axis": 1},
        {"unsqueezed": 1},
        {"inputs": 8, "shape": (3, 2 * CHANNELS, 3, 3)},
    ],
    ids=str,
)
def test_everything_else_is_left_as_it_is(options: dict[str, Any]) -> None:
    model = graph_of_picture(**options)
    before = model.SerializeToString(deterministic=True)
    interleave_pictures_last(model.graph)
    assert model.SerializeToString(deterministic=True) == before
