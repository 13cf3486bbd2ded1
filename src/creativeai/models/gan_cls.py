"""GAN-CLS (Reed et al. 2016, arXiv:1605.05396), 64 px, as in the authors' Torch7 code.

That code sets the biases of all convolutions to zero before every step, so here they have none.
"""

import torch
from torch import Tensor, nn

from creativeai.models.conditioning import TextTensors
from creativeai.models.generator_output import GeneratorOutput
from creativeai.models.layers.blocks import BottleneckBlock
from creativeai.models.layers.initialisation import init_gan_cls
from creativeai.models.layers.joint_discriminator import tiled, with_minibatch_features
from creativeai.models.layers.minibatch_discrimination import MinibatchDiscrimination
from creativeai.models.layers.norm import GeneratorNorm, Norm, make_norm
from creativeai.models.layers.text_standardiser import TextStandardiser

__all__ = ["GanClsDiscriminator", "GanClsGenerator"]


def _enlarge(in_channels: int, out_channels: int) -> nn.ConvTranspose2d:
    return nn.ConvTranspose2d(in_channels, out_channels, 4, stride=2, padding=1, bias=False)


def _shrink(in_channels: int, out_channels: int) -> nn.Conv2d:
    return nn.Conv2d(in_channels, out_channels, 4, stride=2, padding=1, bias=False)


def _text_code(text_dim: int, code_dim: int) -> nn.Sequential:
    return nn.Sequential(nn.Linear(text_dim, code_dim), nn.LeakyReLU(0.2))


class GanClsGenerator(nn.Module):
    """Noise and a sentence in, a picture of 64 px out.

    Args:
        z_dim: Length of the noise.
        text_dim: Length of the sentence vector.
        text_code_dim: Length to which the sentence is brought.
        width: Channels of the map of side 32.
        norm: Normalisation.
    """

    def __init__(
        self, z_dim: int, text_dim: int, text_code_dim: int, width: int, norm: GeneratorNorm = "batch"
    ) -> None:
        super().__init__()
        self.noise_dim = z_dim
        self.resolutions = (64,)
        self.standardise = TextStandardiser(text_dim)
        self.text = _text_code(text_dim, text_code_dim)
        self.body = nn.Sequential(
            nn.ConvTranspose2d(z_dim + text_code_dim, 8 * width, 4, bias=False),
            make_norm(norm, 8 * width, 2),
            BottleneckBlock(8 * width, (2 * width, 2 * width), norm, "relu"),
            _enlarge(8 * width, 4 * width),
            make_norm(norm, 4 * width, 2),
            BottleneckBlock(4 * width, (width, width), norm, "relu"),
            _enlarge(4 * width, 2 * width),
            make_norm(norm, 2 * width, 2),
            nn.ReLU(),
            _enlarge(2 * width, width),
            make_norm(norm, width, 2),
            nn.ReLU(),
            _enlarge(width, 3),
            nn.Tanh(),
        )
        self.apply(init_gan_cls)

    def forward(self, noise: Tensor, text: TextTensors) -> GeneratorOutput:
        """One picture [B, 3, 64, 64] in [-1, 1] of noise [B, Z] and the sentence."""
        code = torch.cat([noise, self.text(self.standardise(text.sentence))], dim=1)
        return GeneratorOutput((self.body(code[:, :, None, None]),))


class GanClsDiscriminator(nn.Module):
    """Pictures of 64 px, judged with the sentence; a `creativeai.models.conditional_discriminator`.

    The published file builds the residual block but, by a variable that is nowhere set, joins an empty branch
    instead; this is the block.

    Args:
        text_dim: Length of the sentence vector, which is the condition.
        text_code_dim: Length to which the sentence is brought.
        width: Channels of the map of side 32.
        norm: Normalisation.
        minibatch: Minibatch discrimination of flattened features [B, 8 * width * 16].
    """

    def __init__(
        self,
        text_dim: int,
        text_code_dim: int,
        width: int,
        norm: Norm = "batch",
        minibatch: MinibatchDiscrimination | None = None,
    ) -> None:
        super().__init__()
        self.condition_dim = text_dim
        self.has_unconditional = False
        channels = 8 * width + (minibatch.num_kernels if minibatch else 0)
        self.encoder = nn.Sequential(
            _shrink(3, width),
            nn.LeakyReLU(0.2),
            _shrink(width, 2 * width),
            make_norm(norm, 2 * width, 2),
            nn.LeakyReLU(0.2),
            _shrink(2 * width, 4 * width),
            make_norm(norm, 4 * width, 2),
            nn.LeakyReLU(0.2),
            _shrink(4 * width, 8 * width),
            make_norm(norm, 8 * width, 2),
            BottleneckBlock(8 * width, (2 * width, 2 * width), norm, "leaky_relu"),
        )
        self.text = _text_code(text_dim, text_code_dim)
        self.head = nn.Sequential(
            nn.Conv2d(channels + text_code_dim, 8 * width, 1, bias=False),
            make_norm(norm, 8 * width, 2),
            nn.LeakyReLU(0.2),
            nn.Conv2d(8 * width, 1, 4, bias=False),
        )
        self.apply(init_gan_cls)
        self.minibatch = minibatch

    def features(self, images: Tensor) -> Tensor:
        """Maps [B, C, 4, 4] of pictures [B, 3, 64, 64]."""
        return with_minibatch_features(self.encoder(images), self.minibatch)

    def conditional(self, features: Tensor, condition: Tensor) -> Tensor:
        """Logits [B] of features with sentences [B, D]."""
        return self.head(torch.cat([features, tiled(self.text(condition))], dim=1)).flatten()

    def unconditional(self, features: Tensor) -> Tensor:
        """There is none: `has_unconditional` is false."""
        raise NotImplementedError("GAN-CLS judges pictures with their sentence only")
