import pytest
import torch
import torch.nn.functional as F
from torch import nn

from creativeai.models.layers.upsampling_conv import UpsamplingConv2d, upsampling_conv


# Small maps are computed otherwise than large ones.
@pytest.mark.parametrize(("height", "width"), [(3, 4), (9, 8)])
def test_it_is_nearest_upsampling_and_a_convolution(height: int, width: int) -> None:
    conv = UpsamplingConv2d(5, 4).double()
    assert conv.weight.shape == (4, 5, 3, 3)
    x = torch.randn(2, 5, height, width, dtype=torch.double, requires_grad=True)
    expected = F.conv2d(F.interpolate(x, scale_factor=2, mode="nearest"), conv.weight, padding=1)
    ours = conv(x)
    torch.testing.assert_close(ours, expected)
    upstream = torch.randn_like(expected)
    inputs = (x, conv.weight)
    for gradient, plain in zip(
        torch.autograd.grad(ours, inputs, upstream),
        torch.autograd.grad(expected, inputs, upstream),
        strict=True,
    ):
        torch.testing.assert_close(gradient, plain)


def test_transposed_kernel_gives_the_same_function() -> None:
    x = torch.randn(2, 5, 6, 7, dtype=torch.double)
    weight = torch.randn(5, 4, 3, 3, dtype=torch.double)
    plain = weight.flip(2, 3).transpose(0, 1)
    expected = F.conv2d(F.interpolate(x, scale_factor=2, mode="nearest"), plain, padding=1)
    torch.testing.assert_close(upsampling_conv(x, weight), expected)


def test_what_looks_for_convolutions_finds_it() -> None:
    assert isinstance(UpsamplingConv2d(2, 2), nn.Conv2d)
    assert UpsamplingConv2d(2, 2).bias is None
