"""Stage I of StackGAN (Zhang et al. 2017, arXiv:1612.03242), 64 px, as in the authors' PyTorch code."""

import torch
from torch import Tensor, nn

from creativeai.models.conditioning import TextTensors
from creativeai.models.generator_output import GeneratorOutput
from creativeai.models.layers.blocks import InitialStage, to_image
from creativeai.models.layers.conditioning_augmentation import ConditioningAugmentation
from creativeai.models.layers.initialisation import init_stackgan
from creativeai.models.layers.joint_discriminator import JointDiscriminator
from creativeai.models.layers.minibatch_discrimination import MinibatchDiscrimination
from creativeai.models.layers.norm import GeneratorNorm, Norm
from creativeai.models.layers.text_standardiser import TextStandardiser

__all__ = ["StackGanStage1Generator", "stackgan_stage1_discriminator"]


class StackGanStage1Generator(nn.Module):
    """Noise and a sentence in, a picture of 64 px out.

    Args:
        z_dim: Length of the noise proper.
        text_dim: Length of the sentence vector.
        condition_dim: C, length of the augmented condition.
        width: Channels of the map of side 32, an even number.
        norm: Normalisation.
    """

    def __init__(
        self, z_dim: int, text_dim: int, condition_dim: int, width: int, norm: GeneratorNorm = "batch"
    ) -> None:
        super().__init__()
        self.z_dim = z_dim
        self.noise_dim = z_dim + condition_dim
        self.resolutions = (64,)
        self.standardise = TextStandardiser(text_dim)
        self.augment = ConditioningAugmentation(text_dim, condition_dim, "relu")
        self.stage = InitialStage(z_dim + condition_dim, 8 * width, norm, "relu")
        self.to_image = to_image(width // 2)
        self.apply(init_stackgan)

    def forward(self, noise: Tensor, text: TextTensors) -> GeneratorOutput:
        """One picture [B, 3, 64, 64] in [-1, 1] of the sentence and noise [B, Z + C]: z and epsilon."""
        z, epsilon = noise.split([self.z_dim, self.augment.condition_dim], dim=1)
        code, mean, log_variance = self.augment(self.standardise(text.sentence), epsilon)
        image = self.to_image(self.stage(torch.cat([z, code], dim=1)))
        return GeneratorOutput((image,), mean=mean, log_variance=log_variance)


def stackgan_stage1_discriminator(
    width: int, condition_dim: int, norm: Norm = "batch", minibatch: MinibatchDiscrimination | None = None
) -> JointDiscriminator:
    """Discriminator of 64 px whose condition is the augmentation's mean; no unconditional logit."""
    return JointDiscriminator(
        64,
        width,
        condition_dim,
        norm,
        minibatch,
        has_unconditional=False,
        condition_first=False,
        init=init_stackgan,
    )
