"""The gradient penalty of WGAN-GP (Gulrajani et al. 2017, arXiv:1704.00028), one- and two-sided."""

import torch
from torch import Tensor

__all__ = ["gradient_norm", "input_gradient", "interpolate", "norm_penalty"]


def interpolate(real: Tensor, fake: Tensor) -> Tensor:
    """Points [B, ...] on the lines between pairs of real and fake, one uniform place for each pair."""
    place = torch.rand(len(real), *(1 for _ in real.shape[1:]), dtype=real.dtype, device=real.device)
    return torch.lerp(fake, real, place)


def input_gradient(logits: Tensor, inputs: Tensor) -> Tensor:
    """Gradient [B, N] of each sample's logit [B] by its own input [B, ...], which is flattened.

    It can be differentiated further. The logit of a sample must not depend on another sample's input: what
    is taken is the gradient of the sum.
    """
    [gradient] = torch.autograd.grad(logits.sum(), inputs, create_graph=True)
    return gradient.flatten(1)


def gradient_norm(logits: Tensor, inputs: Tensor) -> Tensor:
    """Length [B] of each sample's gradient, over all dimensions of its input together."""
    # The root has no derivative at 0.
    return (input_gradient(logits, inputs).square().sum(dim=1) + 1e-12).sqrt()


def norm_penalty(norms: Tensor, *, one_sided: bool) -> Tensor:
    """Mean of (|g| - 1)^2 over norms [B]; one-sided it leaves out those below 1."""
    excess = norms - 1
    if one_sided:
        excess = excess.clamp(min=0)
    return excess.square().mean()
