"""How GAN-CLS learns, with the interpolated captions of GAN-INT (Reed et al. 2016, arXiv:1605.05396)."""

from dataclasses import dataclass, field

from creativeai.models.gan_cls import GanClsDiscriminator, GanClsGenerator
from creativeai.recipes.conditional_gan import ConditionalGan, Objective, check_config, minibatch_layer
from creativeai.recipes.contract import BuildContext, RecipeEntry
from creativeai.recipes.learning import Learning
from creativeai.recipes.pairs import GAN_CLS
from creativeai.recipes.stabilisers.settings import FEW_PICTURES, Stabilisers
from creativeai.text.augmentation import PLAIN, TextAugmentation

__all__ = ["PRESETS", "RECIPE", "GanClsConfig", "build"]


@dataclass(frozen=True, kw_only=True)
class GanClsConfig:
    """Every constant of the recipe."""

    resolution: int = 64
    """Side of the pictures in pixels; the networks are made for 64."""
    z_dim: int = 100
    """Length of the noise."""
    text_code_dim: int = 128
    """Length to which either network brings the sentence vector."""
    generator_width: int = 128
    """Channels of the generator's map of side 32; 8 times as many at side 4."""
    discriminator_width: int = 64
    """The same of the discriminator."""
    interpolate: bool = True
    """Whether the generator also learns to draw captions half-way between two (GAN-INT)."""
    learning: Learning = field(
        default_factory=lambda: Learning(batch_size=64, lr_decay=0.5, lr_decay_epochs=100, ema_half_life=1)
    )
    """Batches, learning rates and averaging."""
    stabilisers: Stabilisers = field(default_factory=Stabilisers)
    """What the training is steadied by."""
    text_augmentation: TextAugmentation = PLAIN
    """How captions are mixed and worded."""

    def __post_init__(self) -> None:
        if self.resolution != 64:
            raise ValueError(f"resolution={self.resolution} must be 64: GAN-CLS has no other")
        check_config(self)


PRESETS = {
    "paper": GanClsConfig(),
    "compact": GanClsConfig(
        generator_width=48,
        discriminator_width=48,
        text_augmentation=TextAugmentation(),
        learning=Learning(batch_size=24),
        stabilisers=Stabilisers(label_smoothing=0.1, mode_seeking=1.0, augment=FEW_PICTURES),
    ),
    "debug": GanClsConfig(
        z_dim=8,
        text_code_dim=8,
        generator_width=4,
        discriminator_width=4,
        learning=Learning(batch_size=4, ema_half_life=16),
    ),
}
"""`paper` has the published constants, `compact` trains on two CPU cores in hours, `debug` is for tests."""


def build(config: GanClsConfig, context: BuildContext) -> ConditionalGan:
    """The recipe with its networks."""
    own = config.stabilisers
    generator = GanClsGenerator(
        config.z_dim, context.text_dim, config.text_code_dim, config.generator_width, own.generator_norm
    )
    discriminator = GanClsDiscriminator(
        context.text_dim,
        config.text_code_dim,
        config.discriminator_width,
        own.discriminator_norm,
        minibatch_layer(own, config.discriminator_width),
    )
    objective = Objective(weigh=lambda: GAN_CLS, condition="sentence", interpolates=config.interpolate)
    return ConditionalGan(
        config, config.learning, own, generator, [discriminator], objective, context.num_pictures
    )


RECIPE = RecipeEntry("gan_cls", "GAN-CLS", PRESETS, build)
