"""The judge's networks as files: safetensors with 8-bit matrices, and their facts as JSON in its header."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from creativeai.errors import TrainingError
from creativeai.whole_files import replace_file

__all__ = ["WeightsFile", "read_weights", "write_weights"]

_SCALE_SUFFIX = ".row_scale"
_SMALLEST_MATRIX = 4096
"""Tensors of fewer numbers stay in half precision: they are a hundredth of the file."""


@dataclass(frozen=True)
class WeightsFile:
    """What a file holds."""

    weights: dict[str, Tensor]
    """float32, by name."""
    facts: dict[str, Any]
    """What else is needed to use them."""
    digest: str
    """SHA-256 of the file."""


def write_weights(path: Path, weights: Mapping[str, Tensor], facts: Mapping[str, Any]) -> None:
    """Write a network's weights: each row of a matrix as 8-bit numbers and their scale, the rest in half.

    Raises:
        TrainingError: The file can't be written.
    """
    stored: dict[str, Tensor] = {}
    for name, value in weights.items():
        if value.dim() == 2 and value.numel() >= _SMALLEST_MATRIX:
            scale = value.abs().amax(1, keepdim=True).clamp(min=1e-8) / 127
            stored[name] = (value / scale).round().to(torch.int8).contiguous()
            stored[name + _SCALE_SUFFIX] = scale.float()
        else:
            stored[name] = value.to(torch.float16 if value.is_floating_point() else value.dtype).contiguous()
    content = save(stored, {"facts": json.dumps(facts)})
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        replace_file(path, lambda file: file.write(content))
    except OSError as error:
        raise TrainingError(f"can't write {path}: {error.strerror or error}") from error


def read_weights(path: Path) -> WeightsFile:
    """Read what `write_weights` has written.

    Raises:
        TrainingError: The file is missing or damaged.
    """
    try:
        with safe_open(path, "pt") as file:
            facts = json.loads((file.metadata() or {})["facts"])
            names = list(file.keys())
            stored = {name: file.get_tensor(name) for name in names}
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
    except (OSError, SafetensorError, KeyError, ValueError) as error:
        raise TrainingError(f"{path} is missing or damaged ({error}): install CreativeAI again") from error
    weights = {}
    for name, value in stored.items():
        if name.endswith(_SCALE_SUFFIX):
            continue
        scale = stored.get(name + _SCALE_SUFFIX)
        full = value.float() if value.is_floating_point() or scale is not None else value
        weights[name] = full if scale is None else full * scale
    return WeightsFile(weights, facts, digest)
