"""A text-conditional Projected GAN (after Sauer et al. 2021, arXiv:2111.01007).

From the paper: a frozen EfficientNet-Lite0 whose four feature maps are mixed across channels and scales by
fixed random 1x1 convolutions, and one small spectrally normalised discriminator for each mixed map.
Ours: the class label gives way to a sentence vector (projection onto the sentence in every head, next to an
unconditional logit), one more head sees the pixels themselves, whose fine texture the strided features are
nearly blind to, and the FastGAN generator gives way to one of text-modulated 3x3 convolutions with gated
linear units and per-sample normalisation, small enough for a picture in milliseconds on one CPU core. Nothing
in the generator looks across the batch, so a picture does not depend on its companions.
"""

import math
from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm

from creativeai.models.conditioning import TextTensors
from creativeai.models.efficientnet_lite import FEATURE_CHANNELS
from creativeai.models.generator_output import GeneratorOutput
from creativeai.models.layers.text_standardiser import TextStandardiser
from creativeai.models.layers.upsampling_conv import upsampling_conv

__all__ = ["ProjectedDiscriminator", "ProjectedGenerator", "RandomFeatureMixing"]


class ModulatedBlock(nn.Module):
    """Style-scaled 3x3 convolution, per-sample normalisation, noise and a gated linear unit.

    With `upsample` the map's side doubles.

    The normalisation takes the place of StyleGAN2's weight demodulation: the same statistics, without grouped
    convolutions.
    """

    def __init__(
        self, in_channels: int, out_channels: int, style_dim: int, size: int, upsample: bool
    ) -> None:
        super().__init__()
        self.upsample = upsample
        self.to_scale = nn.Linear(style_dim, in_channels)
        nn.init.normal_(self.to_scale.weight, std=0.5 / math.sqrt(style_dim))
        nn.init.ones_(self.to_scale.bias)
        self.to_shift = nn.Linear(style_dim, 2 * out_channels)
        nn.init.normal_(self.to_shift.weight, std=0.25 / math.sqrt(style_dim))
        nn.init.zeros_(self.to_shift.bias)
        shape = (in_channels, 2 * out_channels) if upsample else (2 * out_channels, in_channels)
        self.weight = nn.Parameter(torch.randn(*shape, 3, 3) / math.sqrt(9 * in_channels))
        self.noise_strength = nn.Parameter(torch.full((2 * out_channels,), 0.05))
        # Outside training the noise is this fixed map: one sentence and seed, one picture.
        self.fixed_noise: Tensor
        self.register_buffer("fixed_noise", torch.randn(1, 1, size, size))

    def forward(self, x: Tensor, style: Tensor) -> Tensor:
        x = x * self.to_scale(style)[:, :, None, None]
        x = upsampling_conv(x, self.weight) if self.upsample else F.conv2d(x, self.weight, padding=1)
        # x * x, not square(): ONNX makes a power of that, which takes longer than all the rest of the line.
        full = x.float()
        x = x * torch.rsqrt((full * full).mean(dim=(1, 2, 3), keepdim=True) + 1e-6).to(x.dtype)
        if self.training:
            noise = torch.randn(x.shape[0], 1, *x.shape[2:], device=x.device, dtype=x.dtype)
        else:
            noise = self.fixed_noise.to(x.dtype)
        x = x + self.noise_strength.to(x.dtype)[:, None, None] * noise
        x = x + self.to_shift(style)[:, :, None, None]
        value, gate = torch.split(x, x.shape[1] // 2, dim=1)
        return value * torch.sigmoid(gate)


class ProjectedGenerator(nn.Module):
    """Noise and a sentence in, one picture out.

    Args:
        resolution: Side of the picture in pixels, a power of two from 16.
        channels: Channels of the maps of side 4, 8, 16, ...; the last of them has half the picture's side,
            and a sub-pixel convolution makes the picture of it.
        num_blocks: Convolution blocks at each of these sides.
        noise_dim: Length of the noise vector.
        text_dim: Length of the sentence vector.
        style_dim: Length of the style vector that modulates every block.
    """

    def __init__(
        self,
        resolution: int,
        channels: Sequence[int],
        num_blocks: Sequence[int],
        noise_dim: int,
        text_dim: int,
        style_dim: int,
    ) -> None:
        super().__init__()
        if resolution != 8 * 2 ** (len(channels) - 1) or len(channels) != len(num_blocks):
            raise ValueError(
                f"{len(channels)} widths end at {8 * 2 ** (len(channels) - 1)} px, not {resolution}"
            )
        self.resolutions = (resolution,)
        self.noise_dim = noise_dim
        self.text = TextStandardiser(text_dim)
        self.embed_text = nn.Linear(text_dim, style_dim)
        self.mapping = nn.Sequential(
            nn.Linear(noise_dim + style_dim, style_dim),
            nn.LeakyReLU(0.2),
            nn.Linear(style_dim, style_dim),
            nn.LeakyReLU(0.2),
        )
        # A quarter of the first width: the first convolution sees only 4x4 pixels, and this layer holds many
        # weights.
        self.initial = nn.Linear(noise_dim + style_dim, 16 * (channels[0] // 4))
        blocks, width = [], channels[0] // 4
        for level, (out_channels, num) in enumerate(zip(channels, num_blocks, strict=True)):
            for index in range(num):
                upsample = level > 0 and index == 0
                blocks.append(ModulatedBlock(width, out_channels, style_dim, 4 * 2**level, upsample))
                width = out_channels
        self.blocks = nn.ModuleList(blocks)
        self.to_subpixels = nn.Conv2d(width, 12, 3, padding=1)
        nn.init.normal_(self.to_subpixels.weight, std=0.3 / math.sqrt(9 * width))

    def forward(self, noise: Tensor, text: TextTensors) -> GeneratorOutput:
        """One picture [B, 3, R, R], about in [-1, 1]: the output is linear and may go a little beyond.

        A tanh here was measured to saturate within 200 steps; a penalty on the excess learns natural colours.
        """
        sentence = F.leaky_relu(self.embed_text(self.text(text.sentence)), 0.2)
        joint = torch.cat([noise, sentence], dim=1)
        style = self.mapping(joint)
        x = self.initial(joint).view(joint.shape[0], -1, 4, 4)
        for block in self.blocks:
            y = block(x, style)
            x = (x + y) * math.sqrt(0.5) if y.shape == x.shape else y
        # A gated unit halves what passes it: the blocks normalise that away, here it is made good.
        subpixels = F.conv2d(x, 2.0 * self.to_subpixels.weight, self.to_subpixels.bias, padding=1)
        return GeneratorOutput((F.pixel_shuffle(subpixels, 2),))


class RandomFeatureMixing(nn.Module):
    """Fixed random cross-channel and cross-scale mixing of the frozen features (the paper's CCM and CSM)."""

    def __init__(self, channels: Sequence[int] = FEATURE_CHANNELS, out_channels: int = 64) -> None:
        super().__init__()
        self.across_channels = nn.ModuleList(nn.Conv2d(c, out_channels, 1, bias=False) for c in channels)
        self.across_scales = nn.ModuleList(
            nn.Conv2d(out_channels, out_channels, 1, bias=False) for _ in channels
        )
        for conv in (*self.across_channels, *self.across_scales):
            nn.init.kaiming_normal_(conv.weight, nonlinearity="linear")
        self.requires_grad_(False)

    def forward(self, features: Sequence[Tensor]) -> list[Tensor]:
        """Mixed maps, each [B, C, h_i, w_i], fine to coarse, of feature maps fine to coarse."""
        mixed: list[Tensor] = []
        coarser: Tensor | None = None
        levels = zip(features, self.across_channels, self.across_scales, strict=True)
        for feature, channels, scales in reversed(list(levels)):
            x = channels(feature)
            if coarser is not None:
                upsampled = F.interpolate(coarser, size=x.shape[-2:], mode="bilinear", align_corners=False)
                x = (x + upsampled) * math.sqrt(0.5)
            coarser = scales(x)
            mixed.append(coarser)
        return mixed[::-1]


_PIXEL_HEAD_DOWN = 3
"""Halvings in the head that sees the pixels: it judges patches of 38 pixels."""


class Head(nn.Module):
    """One spectrally normalised discriminator: a map halved some times, then logits and a projection."""

    def __init__(self, in_channels: int, width: int, num_down: int, text_code_dim: int) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        channels = in_channels
        for _ in range(num_down):
            layers += [spectral_norm(nn.Conv2d(channels, width, 4, 2, 1)), nn.LeakyReLU(0.2)]
            channels = width
        layers += [spectral_norm(nn.Conv2d(channels, width, 3, 1, 1)), nn.LeakyReLU(0.2)]
        self.body = nn.Sequential(*layers)
        self.to_logit = spectral_norm(nn.Conv2d(width, 1, 1))
        self.to_code = spectral_norm(nn.Conv2d(width, text_code_dim, 1))

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        x = self.body(x)
        return self.to_logit(x), self.to_code(x)


class ProjectedDiscriminator(nn.Module):
    """The trainable part of the discriminator: a head for each mixed feature map, and one for the pixels.

    Lite0 halves the picture in its first layer, so that a texture which alternates from pixel to pixel passes
    almost unseen: without the head on the pixels, feathers and foliage come out woven into a fine grid.

    Args:
        text_dim: Length of the sentence vector.
        feature_sides: Side of each feature map at the training resolution, fine to coarse.
        width: Channels within a head.
        code_dim: Length of the code onto which sentence and picture are projected.
    """

    def __init__(self, text_dim: int, feature_sides: Sequence[int], width: int, code_dim: int) -> None:
        super().__init__()
        self.mixing = RandomFeatureMixing()
        self.text = TextStandardiser(text_dim)
        self.embed_text = nn.ModuleList(
            nn.Sequential(nn.Linear(text_dim, code_dim), nn.LeakyReLU(0.2), nn.Linear(code_dim, code_dim))
            for _ in range(len(feature_sides) + 1)
        )
        heads = [Head(64, width, max(0, round(math.log2(side / 4))), code_dim) for side in feature_sides]
        self.heads = nn.ModuleList([*heads, Head(3, width, _PIXEL_HEAD_DOWN, code_dim)])
        self.code_dim = code_dim

    def codes(self, images: Tensor, features: Sequence[Tensor]) -> list[tuple[Tensor, Tensor]]:
        """Each head's logits [B, 1, h, w] and picture codes [B, K, h, w].

        Args:
            images: [B, 3, F, F] as the feature network saw them.
            features: Their frozen feature maps.
        """
        maps = [*self.mixing(features), images]
        return [head(x) for head, x in zip(self.heads, maps, strict=True)]

    def logits(self, codes: Sequence[tuple[Tensor, Tensor]], sentence: Tensor) -> list[Tensor]:
        """Each head's logits [B, h * w] for sentences [B, D]; a mismatched sentence reuses the codes."""
        standard = self.text(sentence)
        result = []
        for (logit, code), embed in zip(codes, self.embed_text, strict=True):
            projection = (code * embed(standard)[:, :, None, None]).sum(1, keepdim=True) / math.sqrt(
                self.code_dim
            )
            result.append((logit + projection).flatten(1))
        return result
