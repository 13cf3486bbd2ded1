"""DF-GAN's generator (Tao et al. 2022, arXiv:2008.05865): one stage, the sentence modulates every layer.

For inference with published weights. Written from the paper and the published tensors' names and shapes: the
authors' code is CC BY-NC-SA, and so their weights are for non-commercial use only.
"""

from collections.abc import Iterator
from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from creativeai.models.conditioning import TextTensors
from creativeai.models.generator_output import GeneratorOutput

__all__ = ["DfGanGenerator"]

_LARGEST_FACTOR = 8
_SLOPE = 0.2


class _Affine(nn.Module):
    """A scale and a shift of each channel, both by two layers from the condition; at first 1 and 0."""

    def __init__(self, channels: int, condition_dim: int) -> None:
        super().__init__()
        self.scale = _two_layers(condition_dim, channels, last_bias=1.0)
        self.shift = _two_layers(condition_dim, channels, last_bias=0.0)

    def forward(self, x: Tensor, condition: Tensor) -> Tensor:
        return self.scale(condition)[:, :, None, None] * x + self.shift(condition)[:, :, None, None]


def _two_layers(in_dim: int, out_dim: int, last_bias: float) -> nn.Sequential:
    last = nn.Linear(out_dim, out_dim)
    nn.init.zeros_(last.weight)
    nn.init.constant_(last.bias, last_bias)
    return nn.Sequential(nn.Linear(in_dim, out_dim), nn.ReLU(), last)


class _Fusion(nn.Module):
    """Two affine transformations by the condition, each with a leaky ReLU behind it."""

    def __init__(self, channels: int, condition_dim: int) -> None:
        super().__init__()
        self.affine = nn.ModuleList(_Affine(channels, condition_dim) for _ in range(2))

    def forward(self, x: Tensor, condition: Tensor) -> Tensor:
        for affine in self.affine:
            x = F.leaky_relu(affine(x, condition), _SLOPE)
        return x


class _UpBlock(nn.Module):
    """A map to one of twice the side: two fusions and convolutions beside a shortcut."""

    def __init__(self, in_channels: int, out_channels: int, condition_dim: int) -> None:
        super().__init__()
        self.fusion1 = _Fusion(in_channels, condition_dim)
        self.conv1 = nn.Conv2d(in_channels, out_channels, 3, padding=1)
        self.fusion2 = _Fusion(out_channels, condition_dim)
        self.conv2 = nn.Conv2d(out_channels, out_channels, 3, padding=1)
        self.shortcut = nn.Conv2d(in_channels, out_channels, 1) if in_channels != out_channels else None

    def forward(self, x: Tensor, condition: Tensor) -> Tensor:
        x = F.interpolate(x, scale_factor=2.0, mode="nearest")
        y = self.conv1(self.fusion1(x, condition))
        y = self.conv2(self.fusion2(y, condition))
        return y + (x if self.shortcut is None else self.shortcut(x))


class DfGanGenerator(nn.Module):
    """Noise and a sentence in, one picture out.

    Args:
        z_dim: Length of the noise.
        text_dim: Length of the sentence vector.
        width: Channels of the last map; those before it have twice as many each, up to eight times.
        num_blocks: Doublings from side 4 on; 6 in the paper, for 256 px.
    """

    def __init__(self, z_dim: int, text_dim: int, width: int, num_blocks: int) -> None:
        super().__init__()
        self.noise_dim = z_dim
        self.text_dim = text_dim
        self.resolutions = (4 * 2**num_blocks,)
        channels = list(_channels(width, num_blocks))
        self.fc = nn.Linear(z_dim, 16 * channels[0])
        self.blocks = nn.ModuleList(
            _UpBlock(before, after, z_dim + text_dim) for before, after in pairwise(channels)
        )
        self.to_image = nn.Sequential(
            nn.LeakyReLU(_SLOPE), nn.Conv2d(channels[-1], 3, 3, padding=1), nn.Tanh()
        )

    def forward(self, noise: Tensor, text: TextTensors) -> GeneratorOutput:
        """One picture [B, 3, R, R] in [-1, 1] of noise [B, Z] and the sentence."""
        condition = torch.cat([noise, text.sentence], dim=1)
        x = self.fc(noise).unflatten(1, (-1, 4, 4))
        for block in self.blocks:
            x = block(x, condition)
        return GeneratorOutput((self.to_image(x),))


def _channels(width: int, num_blocks: int) -> Iterator[int]:
    """Channels at side 4 and after each block."""
    for block in range(num_blocks, -1, -1):
        yield width * min(2**block, _LARGEST_FACTOR)
