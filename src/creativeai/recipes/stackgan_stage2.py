"""How stage II of StackGAN learns over a frozen generator of 64 px (Zhang et al. 2017, arXiv:1612.03242)."""

from dataclasses import dataclass, field

import torch.nn.functional as F
from torch import Tensor

from creativeai.models.generator_output import GeneratorOutput
from creativeai.models.stackgan_stage2 import StackGanStage2Generator, stackgan_stage2_discriminator
from creativeai.recipes.conditional_gan import ConditionalGan, Objective, Terms, check_config, minibatch_layer
from creativeai.recipes.contract import Batch, BuildContext, RecipeEntry
from creativeai.recipes.learning import Learning
from creativeai.recipes.pairs import STACKGAN2
from creativeai.recipes.stabilisers.settings import FEW_PICTURES, Stabilisers
from creativeai.text.augmentation import PLAIN, TextAugmentation

__all__ = ["PRESETS", "RECIPE", "StackGanStage2Config", "build", "layout_difference"]


@dataclass(frozen=True, kw_only=True)
class StackGanStage2Config:
    """Every constant of the recipe."""

    resolution: int = 256
    """Side of the pictures in pixels: 128, 256 or 512."""
    condition_dim: int = 128
    """Length of the augmented condition."""
    generator_width: int = 192
    """Channels after the generator's first convolution; 4 times as many at side 16."""
    discriminator_width: int = 96
    """Channels of the discriminator's first map."""
    num_residual: int = 2
    """Residual blocks at side 16."""
    kl_weight: float = 2.0
    """Weight of the conditioning augmentation's divergence."""
    layout_weight: float = 0.0
    """Weight of what coarse layout and colours differ by from the first stage's; the paper has no such term.
    Without it most of a short training goes into learning again what the first stage knows."""
    layout_side: int = 16
    """Side that both stages' pictures are shrunk to for that, 4 to 64: what is finer is free. 64 asks for the
    first stage's very picture, which is learnt soonest: a start from which 16 can go on."""
    learning: Learning = field(
        default_factory=lambda: Learning(batch_size=40, lr_decay=0.5, lr_decay_epochs=20, ema_half_life=1)
    )
    """Batches, learning rates and averaging."""
    stabilisers: Stabilisers = field(default_factory=Stabilisers)
    """What the training is steadied by."""
    text_augmentation: TextAugmentation = PLAIN
    """How captions are mixed and worded."""

    def __post_init__(self) -> None:
        if self.resolution not in (128, 256, 512):
            raise ValueError(f"resolution={self.resolution} must be 128, 256 or 512")
        if self.layout_side not in (4, 8, 16, 32, 64):
            raise ValueError(f"layout_side={self.layout_side} must be 4, 8, 16, 32 or 64")
        if self.generator_width % (least := self.resolution // 64):
            raise ValueError(f"generator_width={self.generator_width} must be a multiple of {least}")
        check_config(self, may_be_zero=("kl_weight", "layout_weight", "num_residual"))


PRESETS = {
    "paper": StackGanStage2Config(),
    "compact": StackGanStage2Config(
        resolution=128,
        generator_width=32,
        discriminator_width=32,
        kl_weight=0.1,
        layout_weight=40.0,
        layout_side=32,
        text_augmentation=TextAugmentation(),
        learning=Learning(batch_size=16),
        stabilisers=Stabilisers(label_smoothing=0.1, augment=FEW_PICTURES),
    ),
    "debug": StackGanStage2Config(
        resolution=128,
        condition_dim=8,
        generator_width=8,
        discriminator_width=4,
        num_residual=1,
        learning=Learning(batch_size=4, ema_half_life=16),
    ),
}
"""`paper` has the published constants, `compact` trains on two CPU cores in hours, `debug` is for tests."""


def build(config: StackGanStage2Config, context: BuildContext) -> ConditionalGan:
    """The recipe with its networks.

    Raises:
        ValueError: There is no first stage, or it makes other pictures than of 64 px.
    """
    if context.first_stage is None:
        raise ValueError("stackgan_stage2 builds upon a trained generator of 64 px: give --first-stage RUN")
    own = config.stabilisers
    generator = StackGanStage2Generator(
        context.first_stage,
        context.text_dim,
        config.condition_dim,
        config.generator_width,
        config.num_residual,
        num_upsamplings=(config.resolution // 16).bit_length() - 1,
        norm=own.generator_norm,
    )
    discriminator = stackgan_stage2_discriminator(
        config.resolution,
        config.discriminator_width,
        config.condition_dim,
        own.discriminator_norm,
        minibatch_layer(own, config.discriminator_width),
    )

    def terms(_: Batch, output: GeneratorOutput) -> Terms:
        if not config.layout_weight:
            return {}
        first, second = output.images
        return {"layout": (config.layout_weight, layout_difference(first, second, config.layout_side))}

    objective = Objective(weigh=lambda: STACKGAN2, condition="mean", kl_weight=config.kl_weight, terms=terms)
    return ConditionalGan(
        config, config.learning, own, generator, [discriminator], objective, context.num_pictures
    )


def layout_difference(first: Tensor, second: Tensor, side: int) -> Tensor:
    """Mean square of what the stages' pictures differ by when shrunk; finer detail is free.

    Args:
        first: The first stage's pictures [B, 3, 64, 64]; they don't learn from it.
        second: The second stage's pictures [B, 3, R, R].
        side: Side they are shrunk to, in pixels.
    """
    shrunk = [F.interpolate(images.float(), size=side, mode="area") for images in (first, second)]
    return F.mse_loss(shrunk[1], shrunk[0].detach())


RECIPE = RecipeEntry("stackgan_stage2", "StackGAN, stage II", PRESETS, build, builds_on_first_stage=True)
