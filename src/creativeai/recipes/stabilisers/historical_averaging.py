"""Historical averaging (Salimans et al. 2016, arXiv:1606.03498, section 3.3)."""

import torch
from torch import Tensor, nn

__all__ = ["HistoricalAverage"]


class HistoricalAverage(nn.Module):
    """Running mean of a network's weights over its steps, and the penalty for being far from it.

    The means are buffers, so that a resumed run has them where this module is checkpointed: make it a part of
    what holds the discriminators, also the one of the generator, which is averaged and exported.

    Args:
        network: Whose trainable weights; it doesn't become a part of this module.
    """

    num_steps: Tensor

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.register_buffer("num_steps", torch.zeros((), dtype=torch.long))
        self._places = [i for i, weight in enumerate(network.parameters()) if weight.requires_grad]
        for place, weight in zip(self._places, self._weights(network), strict=True):
            self.register_buffer(f"mean_{place}", torch.zeros_like(weight, requires_grad=False))

    def forward(self, network: nn.Module) -> Tensor:
        """|theta_t - mean of theta_1 ... theta_t|^2, of which theta_t has a gradient; once in each step.

        The mean includes the present weights, so that the first step has a penalty of 0.
        """
        self.num_steps += 1
        share = 1 / int(self.num_steps)
        total = torch.zeros((), device=self.num_steps.device)
        for place, weight in zip(self._places, self._weights(network), strict=True):
            mean = self.get_buffer(f"mean_{place}")
            # theta_t - mean_t, where mean_t = mean_{t-1} + (theta_t - mean_{t-1}) / t
            total = total + ((1 - share) * (weight - mean)).square().sum()
            mean.lerp_(weight.detach(), share)
        return total

    def _weights(self, network: nn.Module) -> list[nn.Parameter]:
        weights = list(network.parameters())
        return [weights[place] for place in self._places]
