"""Pictures as bytes and as the networks' tensors."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

__all__ = ["pixels_to_tensor", "tensor_to_pixels"]


def pixels_to_tensor(pixels: NDArray[np.uint8]) -> Tensor:
    """Pictures uint8 [B, R, R, 3] as float [B, 3, R, R] in [-1, 1], channels last in memory."""
    return torch.from_numpy(np.ascontiguousarray(pixels)).permute(0, 3, 1, 2).float() / 127.5 - 1


def tensor_to_pixels(images: Tensor) -> NDArray[np.uint8]:
    """Pictures [B, 3, R, R] about [-1, 1], clipped to it, as uint8 [B, R, R, 3]."""
    scaled = ((images.detach().float().cpu().clamp(-1, 1) + 1) * 127.5).round()
    return scaled.to(torch.uint8).permute(0, 2, 3, 1).numpy()
