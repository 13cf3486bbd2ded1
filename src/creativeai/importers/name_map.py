"""Tensors from their published names to ours and back, all of them or an error that names the one amiss."""

from collections.abc import Callable, Mapping
from typing import TypeVar

import torch
from torch import Tensor, nn

from creativeai.errors import DataError

__all__ = [
    "Names",
    "Weights",
    "checked_names",
    "num_numbered",
    "official_weights",
    "shape_of",
    "size_beside",
    "with_weights",
]

Names = Mapping[str, str]
"""The published name of each of our modules that has tensors of its own. Within a module, tensors have the
same names on both sides."""
Weights = Mapping[str, Tensor]
"""Tensors by their published names."""

Network = TypeVar("Network", bound=nn.Module)

_COUNTER = "num_batches_tracked"
_OURS_ALONE = {"mean": torch.zeros, "scale": torch.ones}
"""Sentence vectors are standardised first in our networks; these leave them as they are."""


def with_weights(build: Callable[[], Network], names: Names, weights: Weights, origin: str) -> Network:
    """A network with published weights, frozen and in evaluation mode.

    It is built without memory first, so that its size comes from tensors that are there.

    Args:
        build: Makes the network.
        names: Its name map.
        weights: The published tensors. Files of torch up to 0.4 lack `num_batches_tracked`, which isn't used.
        origin: Where they are from, for messages.

    Raises:
        DataError: A tensor is missing, left over or has another shape, or all together fit no network.
    """
    try:
        with torch.device("meta"):
            network = build()
    except (RuntimeError, ValueError) as error:  # sizes below zero, or that a network can't have
        raise DataError(f"{origin}: the tensors' shapes fit no such network ({error})") from None
    wanted = network.state_dict()
    theirs = checked_names(network, names)
    known = set(theirs.values())
    for name in weights:
        if name not in known:
            raise DataError(f"{origin}: the tensor {name} is left over: this network has no such layer")
    state = {}
    for name, value in wanted.items():
        if name not in theirs:
            state[name] = _OURS_ALONE[name.rpartition(".")[2]](value.shape)
        elif theirs[name] in weights:
            state[name] = _fitting(weights[theirs[name]], value, theirs[name], origin)
        elif name.endswith(_COUNTER):
            state[name] = torch.zeros((), dtype=torch.int64)
        else:
            raise DataError(f"{origin}: the tensor {theirs[name]} is missing: the file is not whole")
    network.load_state_dict(state, assign=True)
    return network.eval().requires_grad_(False)


def official_weights(network: nn.Module, names: Names) -> dict[str, Tensor]:
    """The network's tensors by their published names, as current torch writes them."""
    state = network.state_dict()
    return {theirs: state[ours] for ours, theirs in checked_names(network, names).items()}


def checked_names(network: nn.Module, names: Names) -> dict[str, str]:
    """The published name of each tensor of a network; a standardiser's have none.

    Raises:
        ValueError: The map is not one to one, or not complete on either side: a mistake in its table.
    """
    tensors = {}
    used = set()
    for name in network.state_dict():
        module, _, tensor = name.rpartition(".")
        if module.split(".")[-1] == "standardise":
            continue
        if module not in names:
            raise ValueError(f"the name map has nothing for {name}")
        used.add(module)
        tensors[name] = f"{names[module]}.{tensor}"
    if unused := names.keys() - used:
        raise ValueError(f"the name map has modules that the network lacks: {sorted(unused)}")
    if len(set(tensors.values())) != len(tensors):
        raise ValueError("the name map gives one published name to two tensors")
    return tensors


def shape_of(weights: Weights, name: str, num_dims: int, origin: str) -> tuple[int, ...]:
    """Shape of a published tensor, from which a network's sizes are read.

    Raises:
        DataError: It is missing or has another number of dimensions.
    """
    if name not in weights:
        raise DataError(f"{origin}: the tensor {name} is missing: the file is not whole")
    shape = tuple(weights[name].shape)
    if len(shape) != num_dims or not all(shape):
        raise DataError(
            f"{origin}: the tensor {name} has the shape {_told(shape)}, not {num_dims} dimensions"
        )
    return shape


def size_beside(weights: Weights, name: str, part: int, origin: str) -> int:
    """Number of a layer's inputs that are not those of a part, such as the noise beside the condition.

    Raises:
        DataError: There are none, or the tensor is missing.
    """
    num_inputs = weights[name].shape[1] if name in weights and weights[name].dim() > 1 else 0
    if num_inputs <= part:
        raise DataError(
            f"{origin}: the tensor {name} takes {num_inputs} inputs, and should take more than the {part} "
            "that other tensors leave for it: they are not of one network"
        )
    return num_inputs - part


def num_numbered(weights: Weights, pattern: str, first: int = 0) -> int:
    """How many tensors in a row there are of a pattern such as `residual.{}.weight`."""
    number = first
    while pattern.format(number) in weights:
        number += 1
    return number - first


def _fitting(given: Tensor, wanted: Tensor, name: str, origin: str) -> Tensor:
    if given.shape != wanted.shape:
        raise DataError(
            f"{origin}: the tensor {name} has the shape {_told(given.shape)}, where this network has "
            f"{_told(wanted.shape)}"
        )
    if given.is_floating_point() != wanted.is_floating_point():
        raise DataError(f"{origin}: the tensor {name} holds {given.dtype}, not {wanted.dtype}")
    return given.to(wanted.dtype, copy=True).contiguous()


def _told(shape: tuple[int, ...]) -> str:
    return " x ".join(map(str, shape)) or "of a single number"
