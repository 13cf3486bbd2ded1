"""A picture that is convolved out of interleaved pixels is convolved first and interleaved afterwards.

An upsampling block ends by interleaving four maps of half its side (`onnx_export_convolutions`). To
interleave the picture's 3 channels instead, after the convolution, takes next to no time, and ONNX Runtime,
which computes 16 channels at once, wastes less on 12 than on 3.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from onnx import GraphProto, NodeProto, helper, numpy_helper

__all__ = ["interleave_pictures_last"]

_MOST_CHANNELS = 4
"""Channels of a picture: four times as many still fit into 16."""
_KEEPS_SIDE = {"pads": [1] * 4, "strides": [1, 1], "dilations": [1, 1], "group": 1, "auto_pad": b"NOTSET"}
_INTERLEAVING: dict[str, dict[str, Any]] = {
    "DepthToSpace": {"blocksize": 2, "mode": b"CRD"},
    "Reshape": {},
    "Concat": {"axis": 2},
}
"""Nodes before the convolution, from the last to the first, that a stack and a pixel shuffle become."""


def interleave_pictures_last(graph: GraphProto) -> None:
    """Replace every 3x3 convolution to few channels of pixels interleaved 2x2.

    In its place are 2x2 convolutions of the four maps of pixels, whose sum is four maps for every channel,
    and these are interleaved. Nodes that become useless are left in the graph.
    """
    made_by = {name: node for node in graph.node for name in node.output}
    constants = _constants(graph)
    nodes: list[NodeProto] = []
    for node in graph.node:
        pixels = _interleaved_pixels(node, made_by, constants) if _draws_picture(node, constants) else None
        if pixels is None:
            nodes.append(node)
            continue
        new, kernels = _pixelwise(node.output[0], constants[node.input[1]], pixels)
        nodes += new
        graph.initializer.extend(numpy_helper.from_array(kernel, name) for name, kernel in kernels.items())
    del graph.node[:]
    graph.node.extend(nodes)


def _constants(graph: GraphProto) -> dict[str, np.ndarray]:
    """Constants by name; those stored in half precision also by the name of what they are cast to."""
    constants = {tensor.name: numpy_helper.to_array(tensor) for tensor in graph.initializer}
    for node in graph.node:
        if node.op_type == "Cast" and node.input[0] in constants:
            kind = helper.tensor_dtype_to_np_dtype(_attributes(node)["to"])
            constants[node.output[0]] = constants[node.input[0]].astype(kind)
    return constants


def _attributes(node: NodeProto) -> dict[str, Any]:
    return {attribute.name: helper.get_attribute_value(attribute) for attribute in node.attribute}


def _draws_picture(node: NodeProto, constants: Mapping[str, np.ndarray]) -> bool:
    if node.op_type != "Conv" or len(node.input) != 2 or node.input[1] not in constants:
        return False
    num_channels, _, *sides = constants[node.input[1]].shape
    attributes = {**_KEEPS_SIDE, "pads": [0] * 4, **_attributes(node)}
    attributes.pop("kernel_shape", None)
    return num_channels <= _MOST_CHANNELS and sides == [3, 3] and attributes == _KEEPS_SIDE


def _interleaved_pixels(
    conv: NodeProto, made_by: Mapping[str, NodeProto], constants: Mapping[str, np.ndarray]
) -> list[str] | None:
    """The four maps that a convolution's input is interleaved of, line by line; None where it is not."""
    node = conv
    for kind, attributes in _INTERLEAVING.items():
        before = made_by.get(node.input[0])
        if before is None or before.op_type != kind or not attributes.items() <= _attributes(before).items():
            return None
        node = before
    parts = [made_by.get(name) for name in node.input]
    pixels = [
        part.input[0]
        for part in parts
        if part is not None and part.op_type == "Unsqueeze" and constants.get(part.input[1]) == [2]
    ]
    return pixels if len(pixels) == len(parts) == 4 else None


def _pixelwise(
    output: str, weight: np.ndarray, pixels: Sequence[str]
) -> tuple[list[NodeProto], dict[str, np.ndarray]]:
    """The nodes in a convolution's place, and their kernels by name."""
    nodes: list[NodeProto] = []
    kernels: dict[str, np.ndarray] = {}
    total = ""
    for index, pixel in enumerate(pixels):
        row, column = divmod(index, 2)
        kernel, part = f"{output}_kernel_{index}", f"{output}_part_{index}"
        kernels[kernel] = _kernel_of_pixel(weight, row, column)
        nodes.append(
            helper.make_node("Conv", [pixel, kernel], [part], pads=[row, column, 1 - row, 1 - column])
        )
        if total:
            nodes.append(helper.make_node("Add", [total, part], [f"{output}_sum_{index}"]))
        total = nodes[-1].output[0]
    nodes.append(helper.make_node("DepthToSpace", [total], [output], blocksize=2, mode="CRD"))
    return nodes, kernels


def _kernel_of_pixel(weight: np.ndarray, row: int, column: int) -> np.ndarray:
    """[4 * O, I, 2, 2]: what pixel (row, column) gives to each of the four pixels around, of [O, I, 3, 3]."""
    num_out, num_in = weight.shape[:2]
    kernel = np.zeros((num_out, 2, 2, num_in, 2, 2), weight.dtype)
    for y, x, i, j in np.ndindex(2, 2, 2, 2):  # output pixel, place in the kernel
        line, place = 1 + 2 * i - row - y, 1 + 2 * j - column - x
        if 0 <= line <= 2 and 0 <= place <= 2:
            kernel[:, y, x, :, i, j] = weight[:, :, line, place]
    return kernel.reshape(4 * num_out, num_in, 2, 2)
