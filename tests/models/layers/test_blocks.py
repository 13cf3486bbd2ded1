import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from creativeai.models.layers.blocks import (
    BottleneckBlock,
    InitialStage,
    ResidualBlock,
    conv_block,
    make_activation,
    num_inputs,
    to_image,
    upsample_block,
)
from creativeai.models.layers.norm import Norm


def normalised(x: Tensor) -> Tensor:
    """Batch normalisation with scale 1 and shift 0, by the batch's own statistics."""
    dims = (0, *range(2, x.dim()))
    mean, variance = x.mean(dims, keepdim=True), x.var(dims, unbiased=False, keepdim=True)
    return (x - mean) / (variance + 1e-5).sqrt()


def gated(x: Tensor) -> Tensor:
    half = x.shape[1] // 2
    return x[:, :half] * torch.sigmoid(x[:, half:])


def weights(module: nn.Module) -> list[Tensor]:
    """Weights of convolutions and linear layers, in order."""
    return [parameter for parameter in module.parameters() if parameter.dim() > 1]


def conv(x: Tensor, weight: Tensor) -> Tensor:
    return F.conv2d(x, weight, padding=weight.shape[-1] // 2)


def upsampled(x: Tensor) -> Tensor:
    return F.interpolate(x, scale_factor=2, mode="nearest")


def test_activations() -> None:
    x = torch.randn(3, 4)
    torch.testing.assert_close(make_activation("relu")(x), x.clamp(min=0))
    torch.testing.assert_close(make_activation("leaky_relu")(x), torch.where(x > 0, x, 0.2 * x))
    torch.testing.assert_close(make_activation("glu")(x), gated(x))
    assert (num_inputs(5, "relu"), num_inputs(5, "leaky_relu"), num_inputs(5, "glu")) == (5, 5, 10)


def test_conv_block_is_its_formula() -> None:
    x = torch.randn(3, 4, 5, 5)
    gate, leaky = conv_block(4, 6, "batch", "glu"), conv_block(4, 6, "batch", "leaky_relu", kernel_size=1)
    torch.testing.assert_close(gate(x), gated(normalised(conv(x, *weights(gate)))))
    torch.testing.assert_close(leaky(x), F.leaky_relu(normalised(conv(x, *weights(leaky))), 0.2))


@pytest.mark.parametrize(("norm", "has_bias"), [("batch", False), ("virtual", False), ("none", True)])
def test_convolution_has_a_bias_where_no_normalisation_has_one(norm: Norm, has_bias: bool) -> None:
    assert (conv_block(4, 6, norm, "relu")[0].bias is not None) == has_bias


def test_upsample_block_is_its_formula() -> None:
    x = torch.randn(3, 4, 5, 5)
    for activation, function in (("glu", gated), ("relu", F.relu)):
        block = upsample_block(4, 6, "batch", activation)
        expected = function(normalised(conv(upsampled(x), *weights(block))))
        torch.testing.assert_close(block(x), expected, atol=1e-5, rtol=1e-5)


def test_image_is_in_range() -> None:
    x = 100 * torch.randn(2, 4, 5, 5)
    draw = to_image(4)
    torch.testing.assert_close(draw(x), torch.tanh(conv(x, *weights(draw))))
    assert draw(x).abs().max() <= 1


@pytest.mark.parametrize(("activation", "function"), [("relu", F.relu), ("glu", gated)])
def test_initial_stage_is_its_formula(activation: str, function: object) -> None:
    stage = InitialStage(6, 32, "batch", activation)
    code = torch.randn(4, 6)
    linear, *convolutions = weights(stage)
    x = function(normalised(code @ linear.T)).view(4, 32, 4, 4)
    for weight in convolutions:
        x = function(normalised(conv(upsampled(x), weight)))
    assert x.shape == (4, 2, 64, 64)
    torch.testing.assert_close(stage(code), x, atol=1e-4, rtol=1e-4)


def test_residual_blocks_are_their_formulas() -> None:
    x = torch.randn(3, 4, 5, 5)
    block = ResidualBlock(4, "batch", "glu")
    first, second = weights(block)
    expected = x + normalised(conv(gated(normalised(conv(x, first))), second))
    torch.testing.assert_close(block(x), expected)
    block = ResidualBlock(4, "batch", "relu")
    first, second = weights(block)
    expected = F.relu(x + normalised(conv(F.relu(normalised(conv(x, first))), second)))
    torch.testing.assert_close(block(x), expected)


def test_bottleneck_block_is_its_formula() -> None:
    x = torch.randn(3, 8, 5, 5)
    block = BottleneckBlock(8, (2, 3), "batch", "leaky_relu")
    first, second, third = weights(block)
    assert [tuple(weight.shape) for weight in (first, second, third)] == [
        (2, 8, 1, 1),
        (3, 2, 3, 3),
        (8, 3, 3, 3),
    ]
    y = F.leaky_relu(normalised(conv(x, first)), 0.2)
    y = F.leaky_relu(normalised(conv(y, second)), 0.2)
    expected = F.leaky_relu(x + normalised(conv(y, third)), 0.2)
    torch.testing.assert_close(block(x), expected)
