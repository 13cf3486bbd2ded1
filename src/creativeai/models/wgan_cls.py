"""WGAN-CLS (C. Bodnar 2018, arXiv:1805.00676), 64 px."""

import torch
from torch import Tensor, nn

from creativeai.models.conditioning import TextTensors
from creativeai.models.generator_output import GeneratorOutput
from creativeai.models.layers.blocks import BottleneckBlock, conv_block
from creativeai.models.layers.conditioning_augmentation import ConditioningAugmentation
from creativeai.models.layers.initialisation import init_he
from creativeai.models.layers.joint_discriminator import tiled, with_minibatch_features
from creativeai.models.layers.minibatch_discrimination import MinibatchDiscrimination
from creativeai.models.layers.norm import GeneratorNorm, Norm, make_norm
from creativeai.models.layers.text_standardiser import TextStandardiser

__all__ = ["WganClsCritic", "WganClsGenerator"]


def _enlarge(in_channels: int, out_channels: int, norm: GeneratorNorm) -> list[nn.Module]:
    return [
        nn.ConvTranspose2d(in_channels, out_channels, 4, stride=2, padding=1),
        nn.Conv2d(out_channels, out_channels, 3, padding=1, bias=False),
        make_norm(norm, out_channels, 2),
    ]


class WganClsGenerator(nn.Module):
    """Noise and a sentence in, a picture of 64 px out.

    The original draws the augmentation's epsilon from a normal distribution cut at 2; here it is part of the
    noise, which is not cut.

    Args:
        z_dim: Length of the noise proper.
        text_dim: Length of the sentence vector.
        condition_dim: C, length of the augmented condition.
        width: Channels of the map of side 32.
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
        self.augment = ConditioningAugmentation(text_dim, condition_dim, "leaky_relu")
        last = nn.Conv2d(3, 3, 3, padding=1)
        self.body = nn.Sequential(
            nn.Linear(z_dim + condition_dim, 16 * 8 * width, bias=False),
            make_norm(norm, 16 * 8 * width, 1),
            nn.Unflatten(1, (8 * width, 4, 4)),
            BottleneckBlock(8 * width, (2 * width, 2 * width), norm, "relu"),
            *_enlarge(8 * width, 4 * width, norm),
            BottleneckBlock(4 * width, (width, width), norm, "relu"),
            *_enlarge(4 * width, 2 * width, norm),
            nn.ReLU(),
            *_enlarge(2 * width, width, norm),
            nn.ReLU(),
            nn.ConvTranspose2d(width, 3, 4, stride=2, padding=1),
            last,
            nn.Tanh(),
        )
        self.apply(init_he)
        # By He's rule, sentences of unit scale would start with deviations of e to the several, and pictures
        # black or white, where tanh has next to no gradient.
        for layer in (self.augment.fc, last):
            nn.init.normal_(layer.weight, std=0.02)

    def forward(self, noise: Tensor, text: TextTensors) -> GeneratorOutput:
        """One picture [B, 3, 64, 64] in [-1, 1] of the sentence and noise [B, Z + C]: z and epsilon."""
        z, epsilon = noise.split([self.z_dim, self.augment.condition_dim], dim=1)
        code, mean, log_variance = self.augment(self.standardise(text.sentence), epsilon)
        image = self.body(torch.cat([z, code], dim=1))
        return GeneratorOutput((image,), mean=mean, log_variance=log_variance)


class WganClsCritic(nn.Module):
    """Pictures of 64 px, judged with the sentence; a `creativeai.models.conditional_discriminator`.

    Args:
        text_dim: Length of the sentence vector, which is the condition.
        text_code_dim: Length to which the sentence is brought.
        width: Channels of the map of side 32.
        norm: Normalisation; the paper has none, and a gradient penalty allows none across the batch.
        minibatch: Minibatch discrimination of flattened features [B, 8 * width * 16].
    """

    def __init__(
        self,
        text_dim: int,
        text_code_dim: int,
        width: int,
        norm: Norm = "none",
        minibatch: MinibatchDiscrimination | None = None,
    ) -> None:
        super().__init__()
        self.condition_dim = text_dim
        self.has_unconditional = False
        channels = 8 * width + (minibatch.num_kernels if minibatch else 0)
        self.encoder = nn.Sequential(
            nn.Conv2d(3, width, 4, 2, 1),
            nn.LeakyReLU(0.2),
            nn.Conv2d(width, 2 * width, 4, 2, 1),
            make_norm(norm, 2 * width, 2),
            nn.LeakyReLU(0.2),
            nn.Conv2d(2 * width, 4 * width, 4, 2, 1),
            make_norm(norm, 4 * width, 2),
            nn.LeakyReLU(0.2),
            nn.Conv2d(4 * width, 8 * width, 4, 2, 1),
            make_norm(norm, 8 * width, 2),
            BottleneckBlock(8 * width, (2 * width, 4 * width), norm, "leaky_relu"),
        )
        self.text = nn.Sequential(nn.Linear(text_dim, text_code_dim), nn.LeakyReLU(0.2))
        self.head = nn.Sequential(
            *conv_block(channels + text_code_dim, 8 * width, norm, "leaky_relu"),
            *conv_block(8 * width, 8 * width, norm, "leaky_relu", kernel_size=1),
            # A bias would be the same in all expectations, whose differences are the loss.
            nn.Conv2d(8 * width, 1, 4, bias=False),
        )
        self.apply(init_he)
        self.minibatch = minibatch

    def features(self, images: Tensor) -> Tensor:
        """Maps [B, C, 4, 4] of pictures [B, 3, 64, 64]."""
        return with_minibatch_features(self.encoder(images), self.minibatch)

    def conditional(self, features: Tensor, condition: Tensor) -> Tensor:
        """Values [B] of features with sentences [B, D]."""
        return self.head(torch.cat([features, tiled(self.text(condition))], dim=1)).flatten()

    def unconditional(self, features: Tensor) -> Tensor:
        """There is none: `has_unconditional` is false."""
        raise NotImplementedError("WGAN-CLS judges pictures with their sentence only")
