"""StackGAN-v2, also StackGAN++ (Zhang et al. 2018, arXiv:1710.10916), as in the authors' code."""

import torch
from torch import Tensor, nn

from creativeai.models.conditioning import TextTensors
from creativeai.models.generator_output import GeneratorOutput
from creativeai.models.layers.blocks import (
    InitialStage,
    ResidualBlock,
    conv_block,
    to_image,
    upsample_block,
)
from creativeai.models.layers.conditioning_augmentation import ConditioningAugmentation
from creativeai.models.layers.initialisation import init_orthogonal
from creativeai.models.layers.joint_discriminator import JointDiscriminator
from creativeai.models.layers.minibatch_discrimination import MinibatchDiscrimination
from creativeai.models.layers.norm import GeneratorNorm, Norm
from creativeai.models.layers.text_standardiser import TextStandardiser

__all__ = ["StackGanV2Generator", "stackgan_v2_discriminator"]


class RefiningStage(nn.Module):
    """A map and the condition to a map of twice the side and half the channels."""

    def __init__(self, channels: int, condition_dim: int, num_residual: int, norm: GeneratorNorm) -> None:
        super().__init__()
        self.joint = conv_block(channels + condition_dim, channels, norm, "glu")
        self.residual = nn.Sequential(*(ResidualBlock(channels, norm, "glu") for _ in range(num_residual)))
        self.upsample = upsample_block(channels, channels // 2, norm, "glu")

    def forward(self, x: Tensor, code: Tensor) -> Tensor:
        """[B, C, h, w] and [B, K] to [B, C / 2, 2h, 2w]."""
        tiles = code[:, :, None, None].expand(-1, -1, *x.shape[2:])
        return self.upsample(self.residual(self.joint(torch.cat([tiles, x], dim=1))))


class StackGanV2Generator(nn.Module):
    """Noise and a sentence in, a picture of every stage out: 64, 128 and 256 px.

    Args:
        z_dim: Length of the noise proper.
        text_dim: Length of the sentence vector.
        condition_dim: C, length of the augmented condition.
        width: Channels of the first stage's map of side 64, a multiple of 2^(num_stages - 1); every further
            stage halves them.
        num_stages: 3 in the paper; 2 end at 128 px, 1 at 64.
        num_residual: Residual blocks of each stage after the first.
        norm: Normalisation.
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
    ) -> None:
        super().__init__()
        self.z_dim = z_dim
        self.noise_dim = z_dim + condition_dim
        self.resolutions = tuple(64 * 2**stage for stage in range(num_stages))
        self.standardise = TextStandardiser(text_dim)
        self.augment = ConditioningAugmentation(text_dim, condition_dim, "glu")
        self.initial = InitialStage(condition_dim + z_dim, 16 * width, norm, "glu")
        self.refine = nn.ModuleList(
            RefiningStage(width >> stage, condition_dim, num_residual, norm)
            for stage in range(num_stages - 1)
        )
        self.to_image = nn.ModuleList(to_image(width >> stage) for stage in range(num_stages))
        self.apply(init_orthogonal)

    def forward(self, noise: Tensor, text: TextTensors) -> GeneratorOutput:
        """Pictures in [-1, 1] of the sentence and noise [B, Z + C]: z and epsilon."""
        z, epsilon = noise.split([self.z_dim, self.augment.condition_dim], dim=1)
        code, mean, log_variance = self.augment(self.standardise(text.sentence), epsilon)
        maps = [self.initial(torch.cat([code, z], dim=1))]
        for stage in self.refine:
            maps.append(stage(maps[-1], code))
        images = tuple(draw(x) for draw, x in zip(self.to_image, maps, strict=True))
        return GeneratorOutput(images, mean=mean, log_variance=log_variance)


def stackgan_v2_discriminator(
    resolution: int,
    width: int,
    condition_dim: int,
    norm: Norm = "batch",
    minibatch: MinibatchDiscrimination | None = None,
) -> JointDiscriminator:
    """Discriminator of one stage, whose condition is the augmentation's mean."""
    return JointDiscriminator(
        resolution,
        width,
        condition_dim,
        norm,
        minibatch,
        has_unconditional=True,
        condition_first=True,
        init=init_orthogonal,
    )
