"""What every generator returns."""

from typing import NamedTuple, cast

from torch import Tensor, nn

__all__ = ["GeneratorOutput", "noise_dim_of"]


class GeneratorOutput(NamedTuple):
    """One batch of pictures, with what losses and viewers read of how they came about."""

    images: tuple[Tensor, ...]
    """Pictures [B, 3, R, R] of every stage, coarse to fine, about in [-1, 1]."""
    attention: tuple[Tensor, ...] = ()
    """Word attention [B, T, h, w] of every stage that attends, coarse to fine: over T it sums to 1, and it is
    0 where the mask has no word."""
    mean: Tensor | None = None
    """[B, C] mean of the conditioning augmentation's Gaussian."""
    log_variance: Tensor | None = None
    """[B, C] logarithm of its variance."""


def noise_dim_of(generator: nn.Module) -> int:
    """Length of the noise that a generator takes."""
    return cast(int, generator.noise_dim)
