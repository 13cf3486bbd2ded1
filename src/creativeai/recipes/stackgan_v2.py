"""How StackGAN-v2, also StackGAN++, learns (Zhang et al. 2018, arXiv:1710.10916): all stages together."""

from dataclasses import dataclass, field
from itertools import pairwise

import torch
from torch import Tensor

from creativeai.models.generator_output import GeneratorOutput
from creativeai.models.stackgan_v2 import StackGanV2Generator, stackgan_v2_discriminator
from creativeai.recipes.conditional_gan import (
    ConditionalGan,
    Objective,
    Terms,
    check_config,
    minibatch_layer,
)
from creativeai.recipes.contract import Batch, BuildContext, RecipeEntry
from creativeai.recipes.learning import Learning
from creativeai.recipes.pairs import STACKGAN_V2, STACKGAN_V2_BALANCED
from creativeai.recipes.stabilisers.settings import FEW_PICTURES, Stabilisers
from creativeai.text.augmentation import PLAIN, TextAugmentation

__all__ = ["PRESETS", "RECIPE", "StackGanV2Config", "build", "colour_consistency"]

_COVARIANCE_WEIGHT = 5.0
"""Weight of the covariances against the means in the colour-consistency term."""


@dataclass(frozen=True, kw_only=True)
class StackGanV2Config:
    """Every constant of the recipe."""

    resolution: int = 256
    """Side of the last stage's pictures: 64 px in one stage, 128 in two, 256 in three."""
    z_dim: int = 100
    """Length of the noise proper."""
    condition_dim: int = 128
    """Length of the augmented condition."""
    generator_width: int = 64
    """Channels of the first stage's map of side 64; every further stage halves them."""
    discriminator_width: int = 64
    """Channels of every discriminator's first map."""
    num_residual: int = 2
    """Residual blocks of each stage after the first."""
    kl_weight: float = 2.0
    """Weight of the conditioning augmentation's divergence."""
    colour_weight: float = 0.0
    """Weight of the colour-consistency term; the authors had 50, and only without captions."""
    unconditional_weight: float = 1.0
    """What the judgements of pictures alone weigh beside those with captions; the authors' UNCOND_LOSS."""
    balanced: bool = False
    """Whether what is right weighs as much in the discriminators' losses as what is not. In the paper right
    pairs weigh half as much as the others, and real pictures alone twice as much as generated ones."""
    learning: Learning = field(default_factory=lambda: Learning(batch_size=24, ema_half_life=16_627))
    """Batches, learning rates and averaging (.999 a step)."""
    stabilisers: Stabilisers = field(default_factory=Stabilisers)
    """What the training is steadied by."""
    text_augmentation: TextAugmentation = PLAIN
    """How captions are mixed and worded."""

    def __post_init__(self) -> None:
        if self.resolution not in (64, 128, 256):
            raise ValueError(f"resolution={self.resolution} must be 64, 128 or 256")
        if self.generator_width % (least := self.resolution // 64):
            raise ValueError(f"generator_width={self.generator_width} must be a multiple of {least}")
        check_config(self, may_be_zero=("kl_weight", "colour_weight", "num_residual"))


PRESETS = {
    "paper": StackGanV2Config(),
    "compact": StackGanV2Config(
        resolution=128,
        z_dim=64,
        condition_dim=64,
        generator_width=28,
        discriminator_width=32,
        num_residual=1,
        kl_weight=0.1,
        balanced=True,
        text_augmentation=TextAugmentation(),
        learning=Learning(batch_size=16),
        stabilisers=Stabilisers(label_smoothing=0.1, mode_seeking=0.3, augment=FEW_PICTURES),
    ),
    "debug": StackGanV2Config(
        resolution=128,
        z_dim=8,
        condition_dim=8,
        generator_width=4,
        discriminator_width=4,
        num_residual=1,
        learning=Learning(batch_size=4, ema_half_life=16),
    ),
}
"""`paper` has the published constants, `compact` trains on two CPU cores in hours, `debug` is for tests."""


def build(config: StackGanV2Config, context: BuildContext) -> ConditionalGan:
    """The recipe with its networks."""
    own = config.stabilisers
    generator = StackGanV2Generator(
        config.z_dim,
        context.text_dim,
        config.condition_dim,
        config.generator_width,
        num_stages=(config.resolution // 64).bit_length(),
        num_residual=config.num_residual,
        norm=own.generator_norm,
    )
    discriminators = [
        stackgan_v2_discriminator(
            resolution,
            config.discriminator_width,
            config.condition_dim,
            own.discriminator_norm,
            minibatch_layer(own, config.discriminator_width),
        )
        for resolution in generator.resolutions
    ]

    def terms(_: Batch, output: GeneratorOutput) -> Terms:
        if not config.colour_weight or len(output.images) == 1:
            return {}
        return {"colour": (config.colour_weight, colour_consistency(output.images))}

    weights = (STACKGAN_V2_BALANCED if config.balanced else STACKGAN_V2).scaled_unconditional(
        config.unconditional_weight
    )
    objective = Objective(
        weigh=lambda: weights,
        condition="mean",
        condition_learns=True,
        kl_weight=config.kl_weight,
        terms=terms,
    )
    return ConditionalGan(
        config, config.learning, own, generator, discriminators, objective, context.num_pictures
    )


def colour_consistency(images: tuple[Tensor, ...]) -> Tensor:
    """How far the colours of a stage's pictures are from those of the stage before it (section 3.2).

    For each stage but the first: the mean square of what its pictures' mean colours differ by, plus five
    times that of their covariances. As in the authors' code only the finer stage learns from it.

    Args:
        images: [B, 3, R, R] of two stages or more.
    """
    statistics = [_colours(image.float()) for image in images]
    distances = [
        (mean - former_mean.detach()).square().mean()
        + _COVARIANCE_WEIGHT * (covariance - former_covariance.detach()).square().mean()
        for (former_mean, former_covariance), (mean, covariance) in pairwise(statistics)
    ]
    return torch.stack(distances).sum()


def _colours(images: Tensor) -> tuple[Tensor, Tensor]:
    """Mean [B, 3] and covariance [B, 3, 3] of the pixels' colours."""
    pixels = images.flatten(2)
    mean = pixels.mean(2)
    centred = pixels - mean[:, :, None]
    return mean, centred @ centred.transpose(1, 2) / pixels.shape[2]


RECIPE = RecipeEntry("stackgan_v2", "StackGAN-v2 (StackGAN++)", PRESETS, build)
