"""A generator as an ONNX graph, its weights stored in half precision."""

import logging
import warnings
from typing import Any

import numpy as np
import onnx
import onnx_ir
import torch
from onnx import TensorProto, helper, numpy_helper
from torch import Tensor, nn

from creativeai.errors import BundleError
from creativeai.models.conditioning import TextTensors

__all__ = ["generator_to_onnx", "store_weights_in_half"]

_OPSET = 18
_SMALLEST_HALVED = 64


class _SentenceOnly(nn.Module):
    """The generator with plain tensors as inputs, the words left empty."""

    def __init__(self, generator: nn.Module) -> None:
        super().__init__()
        self.generator = generator

    def forward(self, noise: Tensor, sentence: Tensor) -> tuple[Tensor, ...]:
        words = sentence.new_zeros(sentence.shape[0], 0, sentence.shape[1])
        mask = torch.zeros(sentence.shape[0], 0, dtype=torch.bool)
        return tuple(self.generator(noise, TextTensors(sentence, words, mask)))


def generator_to_onnx(generator: nn.Module, noise_dim: int, text_dim: int, resolutions: list[int]) -> bytes:
    """The generator in evaluation mode as a serialised graph with weights in half precision.

    Args:
        generator: Takes noise [B, Z] and text, gives one picture batch [B, 3, R, R] a stage.
        noise_dim: Z.
        text_dim: D of the sentence vectors.
        resolutions: R of every stage, coarse to fine; the outputs are named `image_R`.
    """
    generator = generator.cpu().eval()
    example = (torch.zeros(2, noise_dim), torch.zeros(2, text_dim))
    batch = torch.export.Dim("batch")
    with warnings.catch_warnings(), _quiet():
        warnings.simplefilter("ignore")
        program = torch.onnx.export(
            _SentenceOnly(generator),
            example,
            input_names=["noise", "sentence"],
            output_names=[f"image_{resolution}" for resolution in resolutions],
            dynamic_shapes=({0: batch}, {0: batch}),
            opset_version=_OPSET,
            dynamo=True,
            # The optimiser would fold the upsampling kernels to their 16/9 larger form; ONNX Runtime does it
            # at load.
            optimize=False,
            verbose=False,
        )
    assert program is not None
    model: onnx.ModelProto = onnx_ir.to_proto(program.model)
    return store_weights_in_half(model).SerializeToString()


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


class _quiet:
    """Keeps the exporter's chatter out of the user's terminal."""

    def __enter__(self) -> None:
        self._logger = logging.getLogger("torch.onnx")
        self._level = self._logger.level
        self._logger.setLevel(logging.ERROR)

    def __exit__(self, *_: Any) -> None:
        self._logger.setLevel(self._level)
