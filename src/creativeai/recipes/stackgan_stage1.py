"""How stage I of StackGAN learns (Zhang et al. 2017, arXiv:1612.03242), as in the authors' PyTorch code."""

from dataclasses import dataclass, field

from creativeai.models.stackgan_stage1 import StackGanStage1Generator, stackgan_stage1_discriminator
from creativeai.recipes.conditional_gan import ConditionalGan, Objective, check_config, minibatch_layer
from creativeai.recipes.contract import BuildContext, RecipeEntry
from creativeai.recipes.learning import Learning
from creativeai.recipes.pairs import STACKGAN1
from creativeai.recipes.stabilisers.settings import FEW_PICTURES, Stabilisers
from creativeai.text.augmentation import PLAIN, TextAugmentation

__all__ = ["PRESETS", "RECIPE", "StackGanStage1Config", "build"]


@dataclass(frozen=True, kw_only=True)
class StackGanStage1Config:
    """Every constant of the recipe."""

    resolution: int = 64
    """Side of the pictures in pixels; the networks are made for 64."""
    z_dim: int = 100
    """Length of the noise proper."""
    condition_dim: int = 128
    """Length of the augmented condition."""
    generator_width: int = 192
    """Channels of the generator's map of side 32; 8 times as many at side 4."""
    discriminator_width: int = 96
    """Channels of the discriminator's map of side 32."""
    kl_weight: float = 2.0
    """Weight of the conditioning augmentation's divergence."""
    learning: Learning = field(
        default_factory=lambda: Learning(batch_size=128, lr_decay=0.5, lr_decay_epochs=20, ema_half_life=1)
    )
    """Batches, learning rates and averaging."""
    stabilisers: Stabilisers = field(default_factory=Stabilisers)
    """What the training is steadied by."""
    text_augmentation: TextAugmentation = PLAIN
    """How captions are mixed and worded."""

    def __post_init__(self) -> None:
        if self.resolution != 64:
            raise ValueError(f"resolution={self.resolution} must be 64: StackGAN's stage I has no other")
        if self.generator_width % 2:
            raise ValueError(f"generator_width={self.generator_width} must be even: the last map has half")
        check_config(self, may_be_zero=("kl_weight",))


PRESETS = {
    "paper": StackGanStage1Config(),
    "compact": StackGanStage1Config(
        generator_width=48,
        discriminator_width=64,
        kl_weight=0.1,
        text_augmentation=TextAugmentation(),
        learning=Learning(batch_size=32),
        stabilisers=Stabilisers(label_smoothing=0.1, augment=FEW_PICTURES),
    ),
    "debug": StackGanStage1Config(
        z_dim=8,
        condition_dim=8,
        generator_width=8,
        discriminator_width=4,
        learning=Learning(batch_size=4, ema_half_life=16),
    ),
}
"""`paper` has the published constants, `compact` trains on two CPU cores in hours, `debug` is for tests."""


def build(config: StackGanStage1Config, context: BuildContext) -> ConditionalGan:
    """The recipe with its networks."""
    own = config.stabilisers
    generator = StackGanStage1Generator(
        config.z_dim, context.text_dim, config.condition_dim, config.generator_width, own.generator_norm
    )
    discriminator = stackgan_stage1_discriminator(
        config.discriminator_width,
        config.condition_dim,
        own.discriminator_norm,
        minibatch_layer(own, config.discriminator_width),
    )
    objective = Objective(weigh=lambda: STACKGAN1, condition="mean", kl_weight=config.kl_weight)
    return ConditionalGan(
        config, config.learning, own, generator, [discriminator], objective, context.num_pictures
    )


RECIPE = RecipeEntry("stackgan_stage1", "StackGAN, stage I", PRESETS, build)
