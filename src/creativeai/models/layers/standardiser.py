"""Each feature brought to mean 0 and deviation 1, as it was over the training photos."""

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

__all__ = ["Standardiser"]

_SMALLEST_DEVIATION = 1e-3
_AT_ONCE = 2048


class Standardiser(nn.Module):
    """Standardises features [B, I] by means and deviations that are fitted once.

    Batch normalisation would do it by each batch's own while training: where batches are of one dataset each
    and evaluation is by the mean of all, the network would meet numbers that it has never seen.

    Args:
        num_features: I.
    """

    def __init__(self, num_features: int) -> None:
        super().__init__()
        self.mean: Tensor
        self.deviation: Tensor
        self.register_buffer("mean", torch.zeros(num_features))
        self.register_buffer("deviation", torch.ones(num_features))

    def fit(self, parts: Sequence[NDArray[np.floating]]) -> None:
        """Take means and deviations of all rows of some arrays [N, I]."""
        num, total, squares = 0, np.zeros(len(self.mean)), np.zeros(len(self.mean))
        for part in parts:
            for start in range(0, len(part), _AT_ONCE):
                rows = np.asarray(part[start : start + _AT_ONCE], np.float64)
                num += len(rows)
                total += rows.sum(0)
                squares += np.square(rows).sum(0)
        mean = total / num
        deviation = np.sqrt(np.maximum(squares / num - mean**2, 0))
        self.mean.copy_(torch.from_numpy(mean))
        self.deviation.copy_(torch.from_numpy(deviation.clip(_SMALLEST_DEVIATION)))

    def forward(self, x: Tensor) -> Tensor:
        """[B, I] to [B, I]."""
        return (x - self.mean) / self.deviation
