"""The discriminator of StackGAN (PyTorch), StackGAN-v2 and AttnGAN: one network, told apart by arguments."""

import math
from collections.abc import Callable

import torch
from torch import Tensor, nn

from creativeai.models.layers.blocks import conv_block
from creativeai.models.layers.minibatch_discrimination import MinibatchDiscrimination
from creativeai.models.layers.norm import Norm, make_norm

__all__ = ["JointDiscriminator", "image_encoder", "tiled", "with_minibatch_features"]


def image_encoder(resolution: int, width: int, norm: Norm) -> nn.Sequential:
    """Pictures [B, 3, R, R] to maps [B, 8 * width, 4, 4].

    Strided convolutions double the channels down to side 4; above 64 px, 3x3 ones halve them again to
    8 * width.

    Raises:
        ValueError: The resolution is not a power of two from 64.
    """
    num_down = round(math.log2(resolution / 4))
    if num_down < 4 or resolution != 4 * 2**num_down:
        raise ValueError(f"resolution={resolution} of a discriminator: take a power of two from 64")
    layers: list[nn.Module] = [nn.Conv2d(3, width, 4, 2, 1, bias=norm == "none"), nn.LeakyReLU(0.2)]
    channels = width
    for _ in range(num_down - 1):
        layers += [
            nn.Conv2d(channels, 2 * channels, 4, 2, 1, bias=norm == "none"),
            make_norm(norm, 2 * channels, 2),
            nn.LeakyReLU(0.2),
        ]
        channels *= 2
    while channels > 8 * width:
        layers += conv_block(channels, channels // 2, norm, "leaky_relu")
        channels //= 2
    return nn.Sequential(*layers)


def tiled(vectors: Tensor) -> Tensor:
    """Vectors [B, K] at each of 4x4 places: [B, K, 4, 4]."""
    return vectors[:, :, None, None].expand(-1, -1, 4, 4)


def with_minibatch_features(features: Tensor, minibatch: MinibatchDiscrimination | None) -> Tensor:
    """Maps [B, C, 4, 4] with what minibatch discrimination says of them as further channels."""
    if minibatch is None:
        return features
    return torch.cat([features, tiled(minibatch(features.flatten(1)))], dim=1)


class JointDiscriminator(nn.Module):
    """Pictures of one resolution, judged with a condition and, if wanted, alone.

    Args:
        resolution: R, a power of two from 64.
        width: Channels after the first convolution.
        condition_dim: Length of the condition.
        norm: Normalisation; with none, the convolutions have biases.
        minibatch: Minibatch discrimination of flattened features [B, 8 * width * 16], for both heads.
        has_unconditional: Whether there is an unconditional logit.
        condition_first: Whether the condition's channels come before the picture's, as in StackGAN-v2.
        init: Sets the first weights of each module, but not of `minibatch`.
    """

    def __init__(
        self,
        resolution: int,
        width: int,
        condition_dim: int,
        norm: Norm,
        minibatch: MinibatchDiscrimination | None,
        *,
        has_unconditional: bool,
        condition_first: bool,
        init: Callable[[nn.Module], None],
    ) -> None:
        super().__init__()
        self.condition_dim = condition_dim
        self.has_unconditional = has_unconditional
        self.condition_first = condition_first
        channels = 8 * width + (minibatch.num_kernels if minibatch else 0)
        self.encoder = image_encoder(resolution, width, norm)
        self.joint = conv_block(channels + condition_dim, 8 * width, norm, "leaky_relu")
        self.to_conditional = nn.Conv2d(8 * width, 1, 4, stride=4)
        self.to_unconditional = nn.Conv2d(channels, 1, 4, stride=4) if has_unconditional else None
        self.apply(init)
        self.minibatch = minibatch

    def features(self, images: Tensor) -> Tensor:
        """Maps [B, C, 4, 4] of pictures [B, 3, R, R]."""
        return with_minibatch_features(self.encoder(images), self.minibatch)

    def conditional(self, features: Tensor, condition: Tensor) -> Tensor:
        """Logits [B] of features with conditions [B, K]."""
        parts = [features, tiled(condition)]
        if self.condition_first:
            parts.reverse()
        return self.to_conditional(self.joint(torch.cat(parts, dim=1))).flatten()

    def unconditional(self, features: Tensor) -> Tensor:
        """Logits [B] of features alone."""
        assert self.to_unconditional is not None, "this discriminator has no unconditional logit"
        return self.to_unconditional(features).flatten()
