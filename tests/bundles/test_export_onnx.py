import numpy as np
import onnx
import onnxruntime as ort
import pytest
from onnx import TensorProto, helper, numpy_helper

from creativeai.bundles.onnx_export import store_weights_in_half
from creativeai.errors import BundleError


def graph_with(weight: np.ndarray) -> onnx.ModelProto:
    """y = x * weight + 1, the 1 a weight too small to be worth halving."""
    nodes = [
        helper.make_node("Mul", ["x", "weight"], ["scaled"]),
        helper.make_node("Add", ["scaled", "one"], ["y"], doc_string="for people"),
    ]
    shape = list(weight.shape)
    graph = helper.make_graph(
        nodes,
        "test",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, shape)],
        [
            numpy_helper.from_array(weight, "weight"),
            numpy_helper.from_array(np.array([1 / 3], np.float32), "one"),
        ],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)


def test_large_weights_are_stored_in_half_and_computed_in_full_precision() -> None:
    weight = np.random.default_rng(0).normal(size=(8, 16)).astype(np.float32)
    model = store_weights_in_half(graph_with(weight))
    stored = {tensor.name: numpy_helper.to_array(tensor) for tensor in model.graph.initializer}
    assert {name: values.dtype for name, values in stored.items()} == {
        "weight_half": np.float16,
        "one": np.float32,
    }
    session = ort.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    x = np.full((8, 16), 3, np.float32)
    [y] = session.run(["y"], {"x": x})
    assert y.dtype == np.float32
    np.testing.assert_allclose(
        y, 3 * weight.astype(np.float16).astype(np.float32) + np.float32(1 / 3), rtol=1e-6
    )


def test_notes_for_people_are_left_out() -> None:
    model = store_weights_in_half(graph_with(np.ones((8, 16), np.float32)))
    assert not any(node.doc_string for node in model.graph.node)


@pytest.mark.parametrize("value", [1e5, np.inf, np.nan])
def test_weights_beyond_half_precision_are_refused(value: float) -> None:
    weight = np.ones((8, 16), np.float32)
    weight[2, 3] = value
    with pytest.raises(BundleError, match="weight weight is too large for half precision"):
        store_weights_in_half(graph_with(weight))
