from collections import Counter

import numpy as np
import onnx
import onnxruntime as ort
import pytest
import torch
from onnx import TensorProto, helper, numpy_helper
from torch import Tensor, nn

from creativeai.bundles.onnx_export import ExportedGenerator, generator_to_onnx, store_weights_in_half
from creativeai.errors import BundleError
from creativeai.models.conditioning import TextTensors
from creativeai.models.generator_output import GeneratorOutput
from creativeai.models.layers.blocks import conv_block, to_image, upsample_block


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


TEXT_DIM, NUM_WORDS = 5, 3


class TinyGenerator(nn.Module):
    """Noise and a sentence to one picture of 16 px, by the classic family's blocks."""

    def __init__(self) -> None:
        super().__init__()
        self.noise_dim = 6
        self.initial = nn.Linear(6 + TEXT_DIM, 16 * 64)
        self.body = nn.Sequential(
            *conv_block(16, 16, "batch", "glu"), *upsample_block(16, 16, "batch", "glu")
        )
        self.to_image = to_image(16)

    def forward(self, noise: Tensor, text: TextTensors) -> GeneratorOutput:
        x = self.initial(torch.cat([noise, text.sentence], dim=1)).unflatten(1, (16, 8, 8))
        return GeneratorOutput((self.to_image(self.body(x)),))


def random_inputs(batch: int) -> tuple[Tensor, TextTensors]:
    words, mask = torch.randn(batch, NUM_WORDS, TEXT_DIM), torch.ones(batch, NUM_WORDS, dtype=torch.bool)
    return torch.randn(batch, 6), TextTensors(torch.randn(batch, TEXT_DIM), words, mask)


@pytest.fixture(scope="module")
def tiny_export() -> tuple[nn.Module, ExportedGenerator]:
    torch.manual_seed(0)
    generator = TinyGenerator()
    with torch.no_grad():  # batch normalisation has statistics, as after some training
        for _ in range(10):
            generator.train()(*random_inputs(4))
    return generator.eval(), generator_to_onnx(generator, TEXT_DIM, NUM_WORDS)


def test_the_graph_has_neither_transposed_convolutions_nor_zero_biases(
    tiny_export: tuple[nn.Module, ExportedGenerator],
) -> None:
    graph = onnx.load_from_string(tiny_export[1].graph).graph
    kinds = Counter(node.op_type for node in graph.node)
    # Values and gates; the same for each of four pixels; the picture of the four.
    assert (kinds["Conv"], kinds["ConvTranspose"], kinds["DepthToSpace"]) == (2 + 2 * 4 + 4, 0, 1)
    assert not kinds["BatchNormalization"] + kinds["Pad"] + kinds["Expand"]
    [drawn] = [node for node in graph.node if node.op_type == "DepthToSpace"]
    [after] = [node.op_type for node in graph.node if drawn.output[0] in node.input]
    assert after == "Tanh"


def test_a_picture_of_the_graph_is_torch_s_whatever_else_is_in_the_batch(
    tiny_export: tuple[nn.Module, ExportedGenerator],
) -> None:
    generator, exported = tiny_export
    session = ort.InferenceSession(exported.graph, providers=["CPUExecutionProvider"])
    noise, text = random_inputs(5)
    with torch.no_grad():
        expected = generator(noise, text).images[0].numpy()
    inputs = {"noise": noise.numpy(), "sentence": text.sentence.numpy()}
    [pictures] = session.run(["image_16"], inputs)
    np.testing.assert_allclose(pictures, expected, atol=1e-2)
    [alone] = session.run(["image_16"], {name: values[3:4] for name, values in inputs.items()})
    np.testing.assert_allclose(alone, pictures[3:4], atol=1e-6)


def test_exporting_leaves_the_generator_as_it_is(tiny_export: tuple[nn.Module, ExportedGenerator]) -> None:
    body = tiny_export[0].body
    assert [type(module) for module in body] == [type(module) for module in TinyGenerator().body]
