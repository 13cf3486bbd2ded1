"""How AttnGAN learns (Xu et al. 2018, arXiv:1711.10485): every stage judged, the last also by DAMSM."""

from dataclasses import dataclass, field
from pathlib import Path

import torch

from creativeai.models.attngan import AttnGanGenerator, attngan_discriminator
from creativeai.models.generator_output import GeneratorOutput
from creativeai.recipes.conditional_gan import (
    ConditionalGan,
    Objective,
    Terms,
    check_config,
    minibatch_layer,
)
from creativeai.recipes.contract import Batch, BuildContext, RecipeEntry
from creativeai.recipes.encoders.damsm_guide import GUIDE_NAME, DamsmGuide, load_damsm_guide
from creativeai.recipes.learning import Learning
from creativeai.recipes.pairs import ATTNGAN, STACKGAN1
from creativeai.recipes.stabilisers.settings import FEW_PICTURES, Stabilisers
from creativeai.text.augmentation import PLAIN, TextAugmentation

__all__ = ["PRESETS", "RECIPE", "AttnGanConfig", "build"]


@dataclass(frozen=True, kw_only=True)
class AttnGanConfig:
    """Every constant of the recipe."""

    resolution: int = 256
    """Side of the last stage's pictures: 64 px in one stage, 128 in two, 256 in three."""
    z_dim: int = 100
    """Length of the noise proper."""
    condition_dim: int = 100
    """Length of the augmented condition."""
    generator_width: int = 32
    """Channels of every stage's map."""
    discriminator_width: int = 64
    """Channels of every discriminator's first map."""
    num_residual: int = 2
    """Residual blocks of each stage after the first."""
    last_image_only: bool = False
    """Whether only the last stage draws a picture, which is AttnDCGAN."""
    damsm_weight: float = 5.0
    """Weight of DAMSM's word and sentence losses on the last picture; 0 trains without them."""
    damsm_trunk_weights: str | None = None
    """File with Inception-v3's weights, where the DAMSM was trained on them."""
    kl_weight: float = 1.0
    """Weight of the conditioning augmentation's divergence."""
    learning: Learning = field(default_factory=lambda: Learning(batch_size=20, ema_half_life=13_856))
    """Batches, learning rates and averaging (.999 a step)."""
    stabilisers: Stabilisers = field(default_factory=Stabilisers)
    """What the training is steadied by."""
    text_augmentation: TextAugmentation = PLAIN
    """How captions are mixed and worded."""

    def __post_init__(self) -> None:
        if self.resolution not in (64, 128, 256):
            raise ValueError(f"resolution={self.resolution} must be 64, 128 or 256")
        check_config(self, may_be_zero=("kl_weight", "damsm_weight", "num_residual"))


_COCO = AttnGanConfig(
    generator_width=48,
    discriminator_width=96,
    num_residual=3,
    damsm_weight=50.0,
    learning=Learning(batch_size=14, ema_half_life=9_699),
)
PRESETS = {
    "paper": AttnGanConfig(),
    "paper_coco": _COCO,
    "attn_dcgan": AttnGanConfig(
        num_residual=0,
        last_image_only=True,
        damsm_weight=1.0,
        learning=Learning(batch_size=30, ema_half_life=20_784),
    ),
    "compact": AttnGanConfig(
        resolution=128,
        z_dim=64,
        condition_dim=64,
        generator_width=28,
        discriminator_width=32,
        num_residual=1,
        damsm_weight=0.3,
        kl_weight=0.1,
        text_augmentation=TextAugmentation(),
        learning=Learning(batch_size=16),
        stabilisers=Stabilisers(label_smoothing=0.1, mode_seeking=0.4, augment=FEW_PICTURES),
    ),
    "debug": AttnGanConfig(
        resolution=128,
        z_dim=8,
        condition_dim=8,
        generator_width=4,
        discriminator_width=4,
        num_residual=1,
        damsm_weight=0.0,
        learning=Learning(batch_size=4, ema_half_life=16),
    ),
}
"""`paper`, `paper_coco` and `attn_dcgan` have the published constants, `compact` trains on two CPU cores in
hours, `debug` is for tests."""


def build(config: AttnGanConfig, context: BuildContext) -> ConditionalGan:
    """The recipe with its networks.

    Raises:
        ValueError: DAMSM's losses are asked for, and no trained DAMSM is given.
        TrainingError: Its file is damaged.
    """
    own = config.stabilisers
    generator = AttnGanGenerator(
        config.z_dim,
        context.text_dim,
        config.condition_dim,
        config.generator_width,
        num_stages=(config.resolution // 64).bit_length(),
        num_residual=config.num_residual,
        norm=own.generator_norm,
        last_image_only=config.last_image_only,
    )
    discriminators = [
        attngan_discriminator(
            resolution,
            config.discriminator_width,
            context.text_dim,
            own.discriminator_norm,
            minibatch_layer(own, config.discriminator_width),
            has_unconditional=not config.last_image_only,
        )
        for resolution in generator.resolutions
    ]
    guide = _guide(config, context)

    def terms(batch: Batch, output: GeneratorOutput) -> Terms:
        if guide is None:
            return {}
        image = output.images[-1][: len(batch.labels)].contiguous(memory_format=torch.channels_last)
        losses = guide.losses(image, batch.text, batch.labels)
        return {
            "damsm_words": (config.damsm_weight, losses.words),
            "damsm_sentence": (config.damsm_weight, losses.sentence),
        }

    weights = STACKGAN1 if config.last_image_only else ATTNGAN
    objective = Objective(
        weigh=lambda: weights, condition="sentence", kl_weight=config.kl_weight, terms=terms
    )
    return ConditionalGan(
        config, config.learning, own, generator, discriminators, objective, context.num_pictures
    )


def _guide(config: AttnGanConfig, context: BuildContext) -> DamsmGuide | None:
    if not config.damsm_weight:
        return None
    if context.text_folder is None or not (context.text_folder / GUIDE_NAME).is_file():
        raise ValueError(
            "damsm_weight needs a trained DAMSM: creativeai train damsm (over minilm: --set text=minilm), "
            "export it, and give --text-encoder FOLDER; or --set damsm_weight=0"
        )
    weights = None if config.damsm_trunk_weights is None else Path(config.damsm_trunk_weights)
    return load_damsm_guide(context.text_folder / GUIDE_NAME, context.feature_network, weights)


RECIPE = RecipeEntry("attngan", "AttnGAN", PRESETS, build, uses_words=True)
