"""Stage II of StackGAN (Zhang et al. 2017, arXiv:1612.03242), as in the authors' PyTorch code."""

from typing import Self

import torch
from torch import Tensor, nn

from creativeai.models.conditioning import TextTensors
from creativeai.models.generator_output import GeneratorOutput, noise_dim_of
from creativeai.models.layers.blocks import ResidualBlock, conv_block, to_image, upsample_block
from creativeai.models.layers.conditioning_augmentation import ConditioningAugmentation
from creativeai.models.layers.initialisation import init_stackgan
from creativeai.models.layers.joint_discriminator import JointDiscriminator
from creativeai.models.layers.minibatch_discrimination import MinibatchDiscrimination
from creativeai.models.layers.norm import GeneratorNorm, Norm, make_norm
from creativeai.models.layers.text_standardiser import TextStandardiser

__all__ = ["StackGanStage2Generator", "stackgan_stage2_discriminator"]


class StackGanStage2Generator(nn.Module):
    """Draws a frozen generator's picture of 64 px again, larger, with the sentence and its own augmentation.

    The first stage never trains: it stays in evaluation mode, and `requires_grad_` passes it by.

    Args:
        stage1: Any generator that makes one picture of 64 px.
        text_dim: Length of the sentence vector.
        condition_dim: C, length of the augmented condition.
        width: Channels after the first convolution, a multiple of 2^(num_upsamplings - 2).
        num_residual: Residual blocks at side 16.
        num_upsamplings: 4 in the paper, for 256 px; 3 for 128.
        norm: Normalisation.

    Raises:
        ValueError: The first stage makes other pictures, or `num_upsamplings` would not enlarge them.
    """

    def __init__(
        self,
        stage1: nn.Module,
        text_dim: int,
        condition_dim: int,
        width: int,
        num_residual: int,
        num_upsamplings: int,
        norm: GeneratorNorm = "batch",
    ) -> None:
        super().__init__()
        if stage1.resolutions != (64,):
            raise ValueError(f"stage1 makes pictures of {stage1.resolutions} px: take a generator of 64 px")
        if num_upsamplings < 3:
            raise ValueError(f"num_upsamplings={num_upsamplings} does not enlarge 64 px: take 3 or more")
        self.stage1_noise_dim = noise_dim_of(stage1)
        self.noise_dim = self.stage1_noise_dim + condition_dim
        self.resolutions = (64, 16 * 2**num_upsamplings)
        self.standardise = TextStandardiser(text_dim)
        self.augment = ConditioningAugmentation(text_dim, condition_dim, "relu")
        self.encoder = nn.Sequential(
            nn.Conv2d(3, width, 3, padding=1, bias=False),
            nn.ReLU(),
            nn.Conv2d(width, 2 * width, 4, 2, 1, bias=False),
            make_norm(norm, 2 * width, 2),
            nn.ReLU(),
            nn.Conv2d(2 * width, 4 * width, 4, 2, 1, bias=False),
            make_norm(norm, 4 * width, 2),
            nn.ReLU(),
        )
        channels = 4 * width
        self.joint = conv_block(channels + condition_dim, channels, norm, "relu")
        self.residual = nn.Sequential(*(ResidualBlock(channels, norm, "relu") for _ in range(num_residual)))
        self.upsample = nn.Sequential(
            *(
                upsample_block(channels >> i, channels >> (i + 1), norm, "relu")
                for i in range(num_upsamplings)
            )
        )
        self.to_image = to_image(channels >> num_upsamplings)
        self.apply(init_stackgan)
        self.stage1 = stage1.eval()
        stage1.requires_grad_(False)

    def train(self, mode: bool = True) -> Self:
        """Training mode for this stage alone."""
        super().train(mode)
        self.stage1.eval()
        return self

    def requires_grad_(self, requires_grad: bool = True) -> Self:
        """Gradients for this stage alone."""
        super().requires_grad_(requires_grad)
        self.stage1.requires_grad_(False)
        return self

    def forward(self, noise: Tensor, text: TextTensors) -> GeneratorOutput:
        """Pictures of both stages in [-1, 1], mean and log variance of this one.

        Args:
            noise: The first stage's noise, then C numbers for this stage's epsilon.
            text: The sentence, and what else the first stage reads.
        """
        first_noise, epsilon = noise.split([self.stage1_noise_dim, self.augment.condition_dim], dim=1)
        first: GeneratorOutput = self.stage1(first_noise, text)
        first_image = first.images[0].detach()
        code, mean, log_variance = self.augment(self.standardise(text.sentence), epsilon)
        encoded = self.encoder(first_image)
        tiles = code[:, :, None, None].expand(-1, -1, *encoded.shape[2:])
        x = self.residual(self.joint(torch.cat([encoded, tiles], dim=1)))
        image = self.to_image(self.upsample(x))
        attention = tuple(weights.detach() for weights in first.attention)
        return GeneratorOutput((first_image, image), attention, mean, log_variance)


def stackgan_stage2_discriminator(
    resolution: int,
    width: int,
    condition_dim: int,
    norm: Norm = "batch",
    minibatch: MinibatchDiscrimination | None = None,
) -> JointDiscriminator:
    """Discriminator whose condition is the second augmentation's mean, with an unconditional logit."""
    return JointDiscriminator(
        resolution,
        width,
        condition_dim,
        norm,
        minibatch,
        has_unconditional=True,
        condition_first=False,
        init=init_stackgan,
    )
