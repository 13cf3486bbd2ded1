"""AttnGAN and its one-picture form AttnDCGAN (Xu et al. 2018, arXiv:1711.10485), as in the authors' code."""

import torch
from torch import Tensor, nn

from creativeai.models.conditioning import TextTensors
from creativeai.models.generator_output import GeneratorOutput
from creativeai.models.layers.blocks import InitialStage, ResidualBlock, to_image, upsample_block
from creativeai.models.layers.conditioning_augmentation import ConditioningAugmentation
from creativeai.models.layers.initialisation import init_orthogonal
from creativeai.models.layers.joint_discriminator import JointDiscriminator
from creativeai.models.layers.minibatch_discrimination import MinibatchDiscrimination
from creativeai.models.layers.norm import GeneratorNorm, Norm
from creativeai.models.layers.text_standardiser import TextStandardiser
from creativeai.models.layers.word_attention import WordAttention

__all__ = ["AttnGanGenerator", "attngan_discriminator"]


class AttendingStage(nn.Module):
    """A map and the words to a map of twice the side, and where each place looked."""

    def __init__(self, channels: int, word_dim: int, num_residual: int, norm: GeneratorNorm) -> None:
        super().__init__()
        self.attend = WordAttention(channels, word_dim)
        self.residual = nn.Sequential(
            *(ResidualBlock(2 * channels, norm, "glu") for _ in range(num_residual))
        )
        self.upsample = upsample_block(2 * channels, channels, norm, "glu")

    def forward(self, x: Tensor, text: TextTensors) -> tuple[Tensor, Tensor]:
        """[B, C, h, w] to [B, C, 2h, 2w] and the attention [B, T, h, w]."""
        context, attention = self.attend(x, text.words, text.mask)
        return self.upsample(self.residual(torch.cat([x, context], dim=1))), attention


class AttnGanGenerator(nn.Module):
    """Noise, a sentence and its words in; a picture of every stage and the stages' attention maps out.

    Args:
        z_dim: Length of the noise proper.
        text_dim: Length of the sentence vector and of the word vectors.
        condition_dim: C, length of the augmented condition.
        width: Channels of every stage's map.
        num_stages: 3 in the paper, 64, 128 and 256 px; the first of them does not attend.
        num_residual: Residual blocks of each stage after the first.
        norm: Normalisation.
        last_image_only: Whether only the last stage draws a picture, as AttnDCGAN does.
    """

    def __init__(
        self,
        z_dim: int,
        text_dim: int,
        condition_dim: int,
        width: int,
        num_stages: int,
        num_residual: int,
        norm: GeneratorNorm = "batch",
        *,
        last_image_only: bool = False,
    ) -> None:
        super().__init__()
        self.z_dim = z_dim
        self.noise_dim = z_dim + condition_dim
        num_images = 1 if last_image_only else num_stages
        self.resolutions = tuple(64 * 2**stage for stage in range(num_stages))[-num_images:]
        self.standardise = TextStandardiser(text_dim)
        self.augment = ConditioningAugmentation(text_dim, condition_dim, "glu")
        self.initial = InitialStage(condition_dim + z_dim, 16 * width, norm, "glu")
        self.attend = nn.ModuleList(
            AttendingStage(width, text_dim, num_residual, norm) for _ in range(num_stages - 1)
        )
        self.to_image = nn.ModuleList(to_image(width) for _ in range(num_images))
        self.apply(init_orthogonal)

    def forward(self, noise: Tensor, text: TextTensors) -> GeneratorOutput:
        """Pictures in [-1, 1] and attention maps of the caption and noise [B, Z + C]: z and epsilon."""
        z, epsilon = noise.split([self.z_dim, self.augment.condition_dim], dim=1)
        code, mean, log_variance = self.augment(self.standardise(text.sentence), epsilon)
        maps = [self.initial(torch.cat([code, z], dim=1))]
        attention = []
        for stage in self.attend:
            x, weights = stage(maps[-1], text)
            maps.append(x)
            attention.append(weights)
        drawn = maps[-len(self.to_image) :]
        images = tuple(draw(x) for draw, x in zip(self.to_image, drawn, strict=True))
        return GeneratorOutput(images, tuple(attention), mean, log_variance)


def attngan_discriminator(
    resolution: int,
    width: int,
    condition_dim: int,
    norm: Norm = "batch",
    minibatch: MinibatchDiscrimination | None = None,
    *,
    has_unconditional: bool = True,
) -> JointDiscriminator:
    """Discriminator of one stage, whose condition is the sentence; AttnDCGAN's has no unconditional logit."""
    return JointDiscriminator(
        resolution,
        width,
        condition_dim,
        norm,
        minibatch,
        has_unconditional=has_unconditional,
        condition_first=False,
        init=init_orthogonal,
    )
