"""Conditioning augmentation (Zhang et al. 2017, arXiv:1612.03242): a Gaussian around the sentence."""

from typing import NamedTuple

import torch
from torch import Tensor, nn

from creativeai.models.layers.blocks import Activation, make_activation, num_inputs

__all__ = ["AugmentedCondition", "ConditioningAugmentation", "kl_divergence"]


class AugmentedCondition(NamedTuple):
    """A condition drawn from the Gaussian of each sentence; all [B, C]."""

    code: Tensor
    mean: Tensor
    log_variance: Tensor


class ConditioningAugmentation(nn.Module):
    """Mean and variance of a Gaussian from the sentence, and a draw from it.

    The draw's epsilon comes from outside, so that the same noise makes the same picture.

    Args:
        text_dim: Length of the sentence vector.
        condition_dim: C, length of the code.
        activation: `relu` as in StackGAN, `glu` as in StackGAN-v2 and AttnGAN, `leaky_relu` as in WGAN-CLS,
            where the second half is the logarithm of the standard deviation, not of the variance.
    """

    def __init__(self, text_dim: int, condition_dim: int, activation: Activation) -> None:
        super().__init__()
        self.condition_dim = condition_dim
        self.fc = nn.Linear(text_dim, num_inputs(2 * condition_dim, activation))
        self.activation = make_activation(activation)
        self.log_variance_scale = 2.0 if activation == "leaky_relu" else 1.0

    def forward(self, sentence: Tensor, epsilon: Tensor) -> AugmentedCondition:
        """Codes for sentences [B, D] and standard normal numbers [B, C]."""
        mean, spread = self.activation(self.fc(sentence)).split(self.condition_dim, dim=1)
        log_variance = self.log_variance_scale * spread
        return AugmentedCondition(mean + torch.exp(0.5 * log_variance) * epsilon, mean, log_variance)


def kl_divergence(mean: Tensor, log_variance: Tensor) -> Tensor:
    """Divergence of Gaussians [B, C] from the standard one, the mean over batch and dimensions.

    Returns:
        -.5 * mean(1 + log_variance - mean^2 - exp(log_variance)), a scalar of at least 0.
    """
    # Small differences of large terms: not in half precision.
    mean, log_variance = mean.float(), log_variance.float()
    return -0.5 * (1 + log_variance - mean.square() - log_variance.exp()).mean()
