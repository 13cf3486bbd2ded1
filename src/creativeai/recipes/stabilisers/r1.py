"""The R1 penalty on real pictures (Mescheder et al. 2018, arXiv:1801.04406), lazy as in StyleGAN2."""

from torch import Tensor

from creativeai.recipes.stabilisers.gradient_penalty import input_gradient

__all__ = ["is_r1_step", "r1_penalty"]


def is_r1_step(step: int, interval: int) -> bool:
    """Whether the penalty is due at this step."""
    return step % interval == 0


def r1_penalty(logits: Tensor, images: Tensor, *, gamma: float, interval: int = 1) -> Tensor:
    """The penalty gamma / 2 * E |gradient of the logit by the picture|^2.

    Args:
        logits: [B] of real pictures.
        images: [B, 3, R, R] those pictures, with gradient.
        gamma: Strength.
        interval: Steps from one penalty to the next; it counts so much more, so that its mean over the steps
            is that of a penalty at every step.
    """
    squares = input_gradient(logits, images).square().sum(dim=1)
    return gamma / 2 * interval * squares.mean()
