"""One-sided label smoothing (Salimans et al. 2016, arXiv:1606.03498, section 3.4)."""

import torch.nn.functional as F
from torch import Tensor

__all__ = ["smoothed_real_loss"]


def smoothed_real_loss(logits: Tensor, smoothing: float) -> Tensor:
    """Binary cross-entropy of logits [B] to the target 1 - `smoothing`.

    For the discriminator's step alone, and for real pictures alone: a smoothed target for generated ones
    would pull them towards where they already are.
    """
    return ((1 - smoothing) * F.softplus(-logits) + smoothing * F.softplus(logits)).mean()
