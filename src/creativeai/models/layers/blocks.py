"""Blocks that generators and discriminators of the classic family are built of."""

from typing import Literal

from torch import Tensor, nn

from creativeai.models.layers.norm import GeneratorNorm, Norm, make_norm
from creativeai.models.layers.upsampling_conv import UpsamplingConv2d

__all__ = [
    "Activation",
    "BottleneckBlock",
    "InitialStage",
    "ResidualBlock",
    "conv_block",
    "make_activation",
    "num_inputs",
    "to_image",
    "upsample_block",
]

Activation = Literal["relu", "leaky_relu", "glu"]


def make_activation(kind: Activation) -> nn.Module:
    """ReLU, leaky ReLU of slope .2, or a gated linear unit, which halves the channels."""
    if kind == "glu":
        return nn.GLU(dim=1)
    return nn.ReLU() if kind == "relu" else nn.LeakyReLU(0.2)


def num_inputs(num_channels: int, activation: Activation) -> int:
    """Channels that must enter an activation for `num_channels` to leave it."""
    return 2 * num_channels if activation == "glu" else num_channels


def conv_block(
    in_channels: int, out_channels: int, norm: Norm, activation: Activation, kernel_size: int = 3
) -> nn.Sequential:
    """Convolution, normalisation and activation; the map keeps its side."""
    width = num_inputs(out_channels, activation)
    return nn.Sequential(
        nn.Conv2d(in_channels, width, kernel_size, padding=kernel_size // 2, bias=norm == "none"),
        make_norm(norm, width, 2),
        make_activation(activation),
    )


def upsample_block(
    in_channels: int, out_channels: int, norm: GeneratorNorm, activation: Activation
) -> nn.Sequential:
    """Nearest upsampling by two, 3x3 convolution, normalisation and activation."""
    width = num_inputs(out_channels, activation)
    return nn.Sequential(
        UpsamplingConv2d(in_channels, width), make_norm(norm, width, 2), make_activation(activation)
    )


def to_image(in_channels: int) -> nn.Sequential:
    """A map to a picture in [-1, 1]."""
    return nn.Sequential(nn.Conv2d(in_channels, 3, 3, padding=1, bias=False), nn.Tanh())


class InitialStage(nn.Module):
    """A code to a map of side 64: linear to side 4, then four upsampling blocks that halve the channels.

    Args:
        code_dim: Length of the code.
        channels: Channels of the map of side 4, a multiple of 16; a sixteenth of them leaves the stage.
        norm: Normalisation.
        activation: ReLU in StackGAN, gated linear units from StackGAN-v2 on.
    """

    def __init__(self, code_dim: int, channels: int, norm: GeneratorNorm, activation: Activation) -> None:
        super().__init__()
        width = num_inputs(16 * channels, activation)
        self.fc = nn.Sequential(
            nn.Linear(code_dim, width, bias=False), make_norm(norm, width, 1), make_activation(activation)
        )
        self.upsample = nn.Sequential(
            *(upsample_block(channels >> i, channels >> (i + 1), norm, activation) for i in range(4))
        )

    def forward(self, code: Tensor) -> Tensor:
        """[B, K] to [B, C / 16, 64, 64]."""
        return self.upsample(self.fc(code).unflatten(1, (-1, 4, 4)))


class ResidualBlock(nn.Module):
    """Two 3x3 convolutions beside an identity: with ReLU as in StackGAN, gated as in StackGAN-v2 and AttnGAN.

    Only the former has an activation after the sum.
    """

    def __init__(self, channels: int, norm: GeneratorNorm, activation: Activation) -> None:
        super().__init__()
        self.body = nn.Sequential(
            *conv_block(channels, channels, norm, activation),
            nn.Conv2d(channels, channels, 3, padding=1, bias=False),
            make_norm(norm, channels, 2),
        )
        self.activation = nn.Identity() if activation == "glu" else make_activation(activation)

    def forward(self, x: Tensor) -> Tensor:
        """[B, C, h, w] to the same shape."""
        return self.activation(x + self.body(x))


class BottleneckBlock(nn.Module):
    """GAN-CLS's residual block: convolutions of 1x1, 3x3 and 3x3 beside an identity, then the activation.

    Args:
        channels: Channels that enter and leave.
        hidden: Channels after the first and the second convolution.
        norm: Normalisation.
        activation: ReLU in generators, leaky ReLU in discriminators.
    """

    def __init__(self, channels: int, hidden: tuple[int, int], norm: Norm, activation: Activation) -> None:
        super().__init__()
        first, second = hidden
        self.body = nn.Sequential(
            *conv_block(channels, first, norm, activation, kernel_size=1),
            *conv_block(first, second, norm, activation),
            nn.Conv2d(second, channels, 3, padding=1, bias=norm == "none"),
            make_norm(norm, channels, 2),
        )
        self.activation = make_activation(activation)

    def forward(self, x: Tensor) -> Tensor:
        """[B, C, h, w] to the same shape."""
        return self.activation(x + self.body(x))
