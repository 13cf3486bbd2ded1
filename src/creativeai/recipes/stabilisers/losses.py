"""The adversarial losses: what a discriminator's logits should be for real and for generated pictures."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import torch.nn.functional as F
from torch import Tensor

__all__ = ["LOSSES", "AdversarialLoss", "LossName"]

LossName = Literal["standard", "wasserstein", "hinge"]


@dataclass(frozen=True)
class AdversarialLoss:
    """Three functions of logits [B], each the mean over them."""

    real: Callable[[Tensor], Tensor]
    """The discriminator's loss on what it should take for real."""
    fake: Callable[[Tensor], Tensor]
    """The discriminator's loss on what it should take for generated or mismatched."""
    generator: Callable[[Tensor], Tensor]
    """The generator's loss on its pictures."""


def _raise(logits: Tensor) -> Tensor:
    return -logits.mean()


LOSSES: dict[LossName, AdversarialLoss] = {
    # Binary cross-entropy on logits; the generator's is the one that doesn't saturate.
    "standard": AdversarialLoss(
        real=lambda logits: F.softplus(-logits).mean(),
        fake=lambda logits: F.softplus(logits).mean(),
        generator=lambda logits: F.softplus(-logits).mean(),
    ),
    "wasserstein": AdversarialLoss(real=_raise, fake=lambda logits: logits.mean(), generator=_raise),
    "hinge": AdversarialLoss(
        real=lambda logits: F.relu(1 - logits).mean(),
        fake=lambda logits: F.relu(1 + logits).mean(),
        generator=_raise,
    ),
}
"""Goodfellow et al. 2014 (arXiv:1406.2661), Arjovsky et al. 2017 (arXiv:1701.07875) and Lim and Ye 2017
(arXiv:1705.02894)."""
