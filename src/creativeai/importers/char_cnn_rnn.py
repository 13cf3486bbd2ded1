"""Reed's published character CNN-RNN (arXiv:1605.05395, 1605.05396), from Torch7 files.

Birds have the gated recurrence of 18 steps, flowers and COCO the plain one of 8; the class of the file's
modules tells.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from creativeai.errors import DataError
from creativeai.importers.name_map import Names, official_weights, shape_of, with_weights
from creativeai.importers.torch7 import Table, TorchObject, read_t7
from creativeai.models.char_cnn_rnn import NUM_CHARACTERS, TEXT_LENGTH, CharCnnRnn, Recurrence
from creativeai.recipes.encoders.contract import EncoderGraph
from creativeai.text.alphabet import UnknownCharacters

__all__ = ["names", "read_text_encoder", "text_graph", "to_official"]

_CONVS = {"conv1": (2, 1), "conv2": (2, 4), "conv3": (2, 7)}
_UNITS: Mapping[Recurrence, Mapping[str, tuple[int, ...]]] = {
    "rnn": {"rnn.i2h": (4, 2), "rnn.h2h": (4, 6)},
    "gru": {
        "rnn.i2h": (4, 2),
        "rnn.i2h_update": (4, 5),
        "rnn.h2h_update": (4, 6),
        "rnn.i2h_reset": (4, 10),
        "rnn.h2h_reset": (4, 11),
        "rnn.h2h": (4, 15),
    },
}
_PROJECTION = {"projection": (6,)}
"""Where each module is among the file's: the way down from the net, counted from 1 as Lua does."""
_KERNEL = 4
_NUM_POOLINGS: Mapping[Recurrence, int] = {"rnn": 3, "gru": 2}


def names(recurrence: Recurrence) -> Names:
    """Our modules, and where theirs are in the file's net."""
    places = {**_CONVS, **_UNITS[recurrence], **_PROJECTION}
    return {ours: ".".join(f"modules[{number}]" for number in place) for ours, place in places.items()}


def read_text_encoder(path: Path) -> CharCnnRnn:
    """The text network of a file, of any width.

    Args:
        path: A file of the authors', such as `lm_sje_nc4_cub_hybrid_gru18_...t7`: a table whose `protos` has
            `enc_doc`, or that net alone.

    Raises:
        DataError: It is another file, or a module is missing or has another shape.
    """
    net = _text_net(read_t7(path), path)
    recurrence: Recurrence = "gru" if _num_of(net, "nn.Sigmoid") else "rnn"
    num_poolings = _num_of(net, "nn.TemporalMaxPooling")
    if num_poolings != _NUM_POOLINGS[recurrence]:
        raise DataError(
            f"{path} pools {num_poolings} times: the published networks with this recurrence do "
            f"{_NUM_POOLINGS[recurrence]} times"
        )
    layers = names(recurrence)
    places = {**_CONVS, **_UNITS[recurrence], **_PROJECTION}
    weights: dict[str, Tensor] = {}
    for ours, place in places.items():
        for part, value in _weights_at(net, place, is_conv=ours in _CONVS, path=path).items():
            weights[f"{layers[ours]}.{part}"] = value
    origin = str(path)
    widths = [shape_of(weights, f"{layers[conv]}.weight", 3, origin)[0] for conv in _CONVS]
    out_dim = shape_of(weights, f"{layers['projection']}.weight", 2, origin)[0]

    def build() -> CharCnnRnn:
        return CharCnnRnn(recurrence, (widths[0], widths[1]), widths[2], out_dim)

    network = with_weights(build, layers, weights, origin)
    # Not in the file, and so without memory until now.
    network.one_hot = torch.cat([torch.zeros(1, NUM_CHARACTERS), torch.eye(NUM_CHARACTERS)])
    return network


def to_official(network: CharCnnRnn) -> dict[str, Tensor]:
    """The network's tensors as the file has them, by their places in its net."""
    recurrence: Recurrence = "rnn" if network.pools_thrice else "gru"
    weights = official_weights(network, names(recurrence))
    for conv in _CONVS:
        name = f"{names(recurrence)[conv]}.weight"
        weights[name] = weights[name].transpose(1, 2).flatten(1)
    return weights


def text_graph(network: CharCnnRnn, unknown_characters: UnknownCharacters) -> EncoderGraph:
    """The text network, ready to be exported; sentence vectors keep their length, as published models want.

    Args:
        network: The network.
        unknown_characters: What becomes of capitals and unknown characters; see `creativeai.text.alphabet`.
    """
    return EncoderGraph(
        name="char_cnn_rnn",
        network=network,
        inputs={"ids": torch.zeros(2, TEXT_LENGTH, dtype=torch.int64)},
        varying={"ids": (0,)},
        outputs=("sentence",),
        settings={"unknown_characters": unknown_characters},
    )


def _text_net(content: Any, path: Path) -> TorchObject:
    protos = _field(content, "protos")
    net = content if protos is None else _field(protos, "enc_doc")
    if not isinstance(net, TorchObject) or _modules(net) is None:
        raise DataError(f"{path} has no net of a text encoder in it (protos.enc_doc): give an lm_sje_...t7")
    return net


def _weights_at(net: TorchObject, place: tuple[int, ...], *, is_conv: bool, path: Path) -> dict[str, Tensor]:
    """Weight and bias of the layer at a place; a convolution's brought to torch's order."""
    wanted = "nn.TemporalConvolution" if is_conv else "nn.Linear"
    told = ".".join(f"modules[{number}]" for number in place)
    layer: Any = net
    for number in place:
        layer = (_modules(layer) or {}).get(number)
    # The recurrence has its linear layers bare or in a sequence of their own.
    if isinstance(layer, TorchObject) and layer.class_name == "nn.Sequential":
        layer = (_modules(layer) or {}).get(1)
    if not isinstance(layer, TorchObject) or layer.class_name != wanted:
        found = layer.class_name if isinstance(layer, TorchObject) else "nothing"
        raise DataError(f"{path}: at {told} there is {found}, where a character CNN-RNN has {wanted}")
    parts = {}
    for part, num_dims in (("weight", 2), ("bias", 1)):
        value = _field(layer.content, part)
        if not isinstance(value, np.ndarray) or value.ndim != num_dims or value.dtype.kind != "f":
            raise DataError(f"{path}: {told}.{part} is not a tensor of {num_dims} dimensions")
        parts[part] = torch.from_numpy(np.array(value, np.float32))
    if is_conv:
        if parts["weight"].shape[1] % _KERNEL:
            raise DataError(f"{path}: {told}.weight has {parts['weight'].shape[1]} columns, no multiple of 4")
        parts["weight"] = parts["weight"].unflatten(1, (_KERNEL, -1)).transpose(1, 2)
    return parts


def _modules(layer: Any) -> dict[Any, Any] | None:
    modules = _field(layer.content, "modules") if isinstance(layer, TorchObject) else None
    return modules.entries if isinstance(modules, Table) else None


def _field(table: Any, name: str) -> Any:
    return table.entries.get(name) if isinstance(table, Table) else None


def _num_of(net: TorchObject, class_name: str) -> int:
    """How many modules of a class there are anywhere in a net."""
    return sum(module.class_name == class_name for module in _each_module(net))


def _each_module(net: TorchObject) -> Iterator[TorchObject]:
    seen = {id(net)}
    waiting = [net]
    while waiting:
        module = waiting.pop()
        yield module
        for inner in (_modules(module) or {}).values():
            if isinstance(inner, TorchObject) and id(inner) not in seen:
                seen.add(id(inner))
                waiting.append(inner)
