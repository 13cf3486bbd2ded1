"""Nearest upsampling and a 3x3 convolution in one.

The two are one 4x4 transposed convolution of stride 2, whose kernel is the flipped 3x3 one summed over a 2x2
box: the same function with 4/9 of the multiplications.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

__all__ = ["UpsamplingConv2d", "upsampling_conv"]


def _box_sum() -> Tensor:
    """The linear map [9, 16] from a 3x3 kernel to the 4x4 one that is its sum over a 2x2 box."""
    kernels = torch.eye(9).view(9, 3, 3)
    shifts = ((0, 1, 0, 1), (1, 0, 0, 1), (0, 1, 1, 0), (1, 0, 1, 0))
    return torch.stack([F.pad(kernels, shift) for shift in shifts]).sum(0).flatten(1)


_BOX_SUM = _box_sum()
_FLIPPED_BOX_SUM = _BOX_SUM.flip(0)
"""The same map, of the kernel flipped both ways."""
_SMALLEST_JOINED = 8
"""Side from which making the joint kernel, at every pass, costs less than it saves."""


def upsampling_conv(x: Tensor, weight: Tensor) -> Tensor:
    """[B, I, h, w] to [B, O, 2h, 2w]; measured 2 to 2.7 times faster in training than in two steps.

    Args:
        x: [B, I, h, w].
        weight: [I, O, 3, 3], the 3x3 kernel as `conv_transpose2d` wants it: flipped, input channels first.
    """
    return F.conv_transpose2d(x, _joint_kernel(weight, _BOX_SUM), stride=2, padding=1)


def _joint_kernel(weight: Tensor, box_sum: Tensor) -> Tensor:
    return (weight.flatten(2) @ box_sum.to(weight)).unflatten(2, (4, 4))


class UpsamplingConv2d(nn.Conv2d):
    """A 3x3 convolution without bias of the map enlarged twice by its nearest pixels.

    The weight [O, I, 3, 3] is the published networks'. From side 8 on it is computed as one transposed
    convolution: measured 1.2 to 2.2 times faster in training batches of 8.
    """

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__(in_channels, out_channels, 3, padding=1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """[B, I, h, w] to [B, O, 2h, 2w]."""
        if x.shape[-1] < _SMALLEST_JOINED:
            return F.conv2d(F.interpolate(x, scale_factor=2, mode="nearest"), self.weight, padding=1)
        kernel = _joint_kernel(self.weight, _FLIPPED_BOX_SUM).transpose(0, 1)
        return F.conv_transpose2d(x, kernel, stride=2, padding=1)
