"""Normalisation layers by name."""

from typing import Literal

from torch import nn

__all__ = ["GeneratorNorm", "Norm", "make_norm"]

Norm = Literal["batch", "virtual", "none"]
"""What a discriminator may be normalised with."""
GeneratorNorm = Literal["batch", "virtual"]
"""What a generator may be normalised with."""


def make_norm(kind: Norm, num_channels: int, num_dims: int) -> nn.Module:
    """The normalisation `kind` over `num_channels`.

    Args:
        kind: Batch normalisation, virtual batch normalisation, or none at all.
        num_channels: C.
        num_dims: 1 for vectors [N, C], 2 for maps [N, C, H, W].
    """
    if kind == "none":
        return nn.Identity()
    if kind == "virtual":
        from creativeai.models.layers.virtual_batch_norm import VirtualBatchNorm

        return VirtualBatchNorm(num_channels)
    return nn.BatchNorm1d(num_channels) if num_dims == 1 else nn.BatchNorm2d(num_channels)
