"""The two time-scale update rule (Heusel et al. 2017, arXiv:1706.08500) as in SAGAN (arXiv:1805.08318)."""

from typing import NamedTuple

__all__ = ["AdamSettings", "two_time_scales"]


class AdamSettings(NamedTuple):
    """Arguments of Adam after the weights: `Adam(weights, *settings)`."""

    lr: float
    betas: tuple[float, float]


def two_time_scales(generator_lr: float) -> tuple[AdamSettings, AdamSettings]:
    """Adam's settings for the generator and for the discriminator, which learns four times as fast."""
    betas = (0.0, 0.9)
    return AdamSettings(generator_lr, betas), AdamSettings(4 * generator_lr, betas)
