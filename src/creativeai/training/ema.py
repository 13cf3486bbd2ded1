"""The exponential moving average of a generator: what is sampled, measured and exported."""

import copy

import torch
from torch import nn

__all__ = ["ExponentialMovingAverage"]


class ExponentialMovingAverage:
    """A second copy of the network whose parameters lag behind; buffers are copied as they are.

    Args:
        network: The network that learns. It is never written to.
        half_life: Pictures after which an old value counts half. In the first pictures the half-life is a
            twentieth of what was seen, so that the random start is soon forgotten (as in StyleGAN2's
            ramp-up).
    """

    def __init__(self, network: nn.Module, half_life: int) -> None:
        self.network = copy.deepcopy(network).eval().requires_grad_(False)
        self.half_life = half_life

    @torch.no_grad()
    def update(self, network: nn.Module, batch_size: int, num_seen: int) -> None:
        """Move towards the network after a step of `batch_size` pictures, `num_seen` in all."""
        decay = 0.5 ** (batch_size / max(1.0, min(self.half_life, 0.05 * num_seen)))
        torch._foreach_lerp_(list(self.network.parameters()), list(network.parameters()), 1 - decay)
        for ours, theirs in zip(self.network.buffers(), network.buffers(), strict=True):
            ours.copy_(theirs)
