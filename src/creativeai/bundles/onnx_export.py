"""A generator as an ONNX graph, its weights stored in half precision."""

import logging
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import onnx
import onnx_ir
import torch
from onnx import TensorProto, helper, numpy_helper
from onnxscript import optimizer
from torch import Tensor, nn

from creativeai.bundles.onnx_export_convolutions import with_plain_convolutions
from creativeai.bundles.onnx_export_pictures import interleave_pictures_last
from creativeai.errors import BundleError
from creativeai.models.conditioning import TextTensors
from creativeai.models.generator_output import GeneratorOutput, noise_dim_of

__all__ = ["ExportedGenerator", "generator_to_onnx", "network_to_onnx", "store_weights_in_half"]

_OPSET = 18
_SMALLEST_HALVED = 64
_LARGEST_FOLDED = 4096
"""Numbers: at least the channels of the widest map, whose zero biases are recognised by it."""


@dataclass(frozen=True)
class ExportedGenerator:
    """A generator as a graph, and what it gives."""

    graph: bytes
    resolutions: tuple[int, ...]
    """Side of every stage's pictures, coarse to fine; their outputs are named `image_R`."""
    attention_resolutions: tuple[int, ...]
    """Side of every attention map, coarse to fine; their outputs are named `attention_R`."""


class _PlainInputs(nn.Module):
    """The generator with plain tensors in and out."""

    def __init__(self, generator: nn.Module) -> None:
        super().__init__()
        self.generator = generator

    def forward(self, noise: Tensor, sentence: Tensor, words: Tensor, mask: Tensor) -> tuple[Tensor, ...]:
        output: GeneratorOutput = self.generator(noise, TextTensors(sentence, words, mask))
        return (*output.images, *output.attention)


def generator_to_onnx(generator: nn.Module, text_dim: int, max_words: int) -> ExportedGenerator:
    """The generator in evaluation mode as a serialised graph with weights in half precision.

    The graph's inputs are those of noise [B, Z], sentence [B, D], words [B, T, D] and mask [B, T] that the
    generator makes use of.

    Args:
        generator: Takes noise [B, Z] and text; its `noise_dim` is Z.
        text_dim: D of the sentence and word vectors.
        max_words: T.
    """
    generator = generator.cpu().eval()
    noise_dim = noise_dim_of(generator)
    inputs = {
        "noise": torch.zeros(2, noise_dim),
        "sentence": torch.zeros(2, text_dim),
        "words": torch.zeros(2, max_words, text_dim),
        "mask": torch.ones(2, max_words, dtype=torch.bool),
    }
    noise, *text = inputs.values()
    with torch.no_grad():
        output: GeneratorOutput = generator(noise, TextTensors(*text))
    resolutions = tuple(image.shape[-1] for image in output.images)
    attention_resolutions = tuple(attention.shape[-1] for attention in output.attention)
    names = [f"image_{side}" for side in resolutions]
    names += [f"attention_{side}" for side in attention_resolutions]
    batch = torch.export.Dim("batch")
    shapes = tuple({0: batch} for _ in inputs)
    network = _PlainInputs(with_plain_convolutions(generator))
    model = network_to_onnx(network, inputs, names, shapes, optimize=False)
    # Halved before it is simplified, so that no weight is rounded after it has been merged with another.
    model = _simplified(store_weights_in_half(model))
    _drop_unused_inputs(model.graph)
    # And once more: simplifying has made kernels of pictures.
    graph = store_weights_in_half(model).SerializeToString()
    return ExportedGenerator(graph, resolutions, attention_resolutions)


def network_to_onnx(
    network: nn.Module,
    inputs: Mapping[str, Tensor],
    outputs: Sequence[str],
    dynamic_shapes: tuple[dict[int, Any], ...],
    *,
    optimize: bool,
) -> onnx.ModelProto:
    """A network as an ONNX graph; the exporter's chatter is kept out of the user's terminal.

    Args:
        network: In the mode, and on the device, it is to be exported in.
        inputs: Examples of its inputs by name, in its order.
        outputs: Names of its outputs.
        dynamic_shapes: For each input, the `torch.export.Dim` of every dimension whose size may change.
        optimize: Whether the exporter folds constants and drops what is not needed.
    """
    logger = logging.getLogger("torch.onnx")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            program = torch.onnx.export(
                network,
                tuple(inputs.values()),
                input_names=list(inputs),
                output_names=list(outputs),
                dynamic_shapes=dynamic_shapes,
                opset_version=_OPSET,
                dynamo=True,
                optimize=optimize,
                verbose=False,
            )
    finally:
        logger.setLevel(level)
    assert program is not None
    model: onnx.ModelProto = onnx_ir.to_proto(program.model)
    return model


def _simplified(model: onnx.ModelProto) -> onnx.ModelProto:
    """The graph without useless nodes and zero biases, which keep ONNX Runtime from its fastest convolutions.

    What is computed from the weights stays so, and they as they were trained: ONNX Runtime computes it once,
    when it loads the graph, in full precision. An upsampling kernel would also be larger than its weights.
    """
    model = optimizer.optimize(
        model, input_size_limit=_SMALLEST_HALVED - 1, output_size_limit=_LARGEST_FOLDED
    )
    interleave_pictures_last(model.graph)
    optimizer.remove_unused_nodes(model)
    return model


def _drop_unused_inputs(graph: onnx.GraphProto) -> None:
    used = {name for node in graph.node for name in node.input}
    kept = [value for value in graph.input if value.name in used]
    del graph.input[:]
    graph.input.extend(kept)


def store_weights_in_half(model: onnx.ModelProto) -> onnx.ModelProto:
    """The graph with every float32 weight stored as float16 and cast back to float32 where it is used.

    ONNX Runtime folds the casts when it loads the graph: half the bytes on disk, the speed of float32.

    Raises:
        BundleError: A weight is not finite or beyond the range of float16.
    """
    graph = model.graph
    casts: list[Any] = []
    kept: list[TensorProto] = []
    for weight in graph.initializer:
        values = numpy_helper.to_array(weight)
        if weight.data_type != TensorProto.FLOAT or values.size < _SMALLEST_HALVED:
            kept.append(weight)
            continue
        if not np.abs(values).max() <= np.finfo(np.float16).max:  # NaN is not either
            raise BundleError(
                f"weight {weight.name} is too large for half precision: export another checkpoint"
            )
        half = f"{weight.name}_half"
        kept.append(numpy_helper.from_array(values.astype(np.float16), half))
        casts.append(helper.make_node("Cast", [half], [weight.name], to=TensorProto.FLOAT))
    nodes = list(graph.node)
    del graph.initializer[:], graph.node[:]
    graph.initializer.extend(kept)
    graph.node.extend(casts + nodes)
    # Intermediate shapes and the exporter's notes are for people who debug it, and most of the graph's bytes.
    del graph.value_info[:]
    for node in graph.node:
        del node.metadata_props[:]
        node.doc_string = ""
    onnx.checker.check_model(model)
    return model
