"""Mode seeking (Mao et al. 2019, arXiv:1903.05628): other noise is to draw other pictures."""

from collections.abc import Sequence

import torch
from torch import Tensor

from creativeai.models.layers.across_processes import mean_over_processes

__all__ = ["mode_seeking_loss"]

_EPSILON = 1e-5


def mode_seeking_loss(images: Sequence[Tensor], noise: Tensor, num_pairs: int) -> Tensor:
    """Mean |z1 - z2| / mean |G(c, z1) - G(c, z2)|, the mean of it over the stages.

    Both means are over the batch of all processes.

    Args:
        images: [B, 3, R, R] of every stage; the last `num_pairs` are of the captions of the first ones.
        noise: [B, Z] that they were drawn with.
        num_pairs: Captions drawn twice.
    """
    pairs = [(stage[:num_pairs] - stage[-num_pairs:]).float() for stage in (noise, *images)]
    distance, *changes = mean_over_processes(torch.stack([pair.abs().mean() for pair in pairs]))
    return torch.stack([1 / (change / distance + _EPSILON) for change in changes]).mean()
