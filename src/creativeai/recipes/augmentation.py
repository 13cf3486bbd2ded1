"""Differentiable augmentation of real and generated pictures alike (Zhao et al. 2020, arXiv:2006.10738).

The same kind of change is applied to both sides before the discriminator sees them, so that a small dataset
can't be memorised and the generator learns the unaugmented pictures.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

__all__ = ["DiffAugment"]


@dataclass(frozen=True)
class DiffAugment:
    """Strengths of the three augmentations; 0 turns one off."""

    colour: float = 0.5
    """Saturation and contrast are scaled by 1 +- this, brightness moved by +- half of it."""
    translation: float = 0.125
    """Largest shift, as a fraction of the side; what enters repeats the edge. Zeros, as in the paper, taught
    the generator to frame its pictures in grey."""
    cutout: float = 0.4
    """Side of the square that is blanked, as a fraction of the picture's side; part of it may lie outside."""

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            if not 0 <= value <= 1:
                raise ValueError(f"augment.{name}={value} must be 0 to 1")

    def __call__(self, images: Tensor, *, in_pairs: bool = False) -> Tensor:
        """Augmented pictures [B, 3, R, R] of pictures [B, 3, R, R].

        Each picture is drawn its own change; with `in_pairs`, pictures i and i + B / 2 are drawn one, so that
        they still compare.
        """
        num_draws = (len(images) + 1) // 2 if in_pairs else len(images)
        if self.colour:
            images = _colour(images, self.colour, num_draws)
        if self.translation:
            images = _translation(images, self.translation, num_draws)
        if self.cutout:
            images = _cutout(images, self.cutout, num_draws)
        return images


def _for_each(draws: Tensor, batch: int) -> Tensor:
    """Draws [N, ...] as [B, ...]: one for each picture, or the same again for the second half."""
    return draws if len(draws) == batch else torch.cat([draws, draws])[:batch]


def _uniform(images: Tensor, low: float, high: float, num_draws: int) -> Tensor:
    draws = torch.empty(num_draws, 1, 1, 1, device=images.device, dtype=images.dtype).uniform_(low, high)
    return _for_each(draws, len(images))


def _whole(images: Tensor, low: int, high: int, num_draws: int) -> Tensor:
    return _for_each(torch.randint(low, high, (num_draws, 1), device=images.device), len(images))


def _colour(images: Tensor, strength: float, num_draws: int) -> Tensor:
    images = images + _uniform(images, -strength / 2, strength / 2, num_draws)
    grey = images.mean(dim=1, keepdim=True)
    images = (images - grey) * _uniform(images, 1 - strength, 1 + strength, num_draws) + grey
    mean = images.mean(dim=(1, 2, 3), keepdim=True)
    return (images - mean) * _uniform(images, 1 - strength, 1 + strength, num_draws) + mean


def _translation(images: Tensor, ratio: float, num_draws: int) -> Tensor:
    batch, _, height, width = images.shape
    reach = int(height * ratio + 0.5)
    rows = torch.arange(height, device=images.device) + _whole(images, -reach, reach + 1, num_draws)
    columns = torch.arange(width, device=images.device) + _whole(images, -reach, reach + 1, num_draws)
    index = torch.arange(batch, device=images.device)[:, None, None]
    moved = images.permute(0, 2, 3, 1)[
        index, rows.clamp(0, height - 1)[:, :, None], columns.clamp(0, width - 1)[:, None, :]
    ]
    return moved.permute(0, 3, 1, 2)


def _cutout(images: Tensor, ratio: float, num_draws: int) -> Tensor:
    height, width = images.shape[-2:]
    size = int(height * ratio + 0.5)
    top = _whole(images, -size // 2, height - size // 2, num_draws)
    left = _whole(images, -size // 2, width - size // 2, num_draws)
    rows = torch.arange(height, device=images.device)
    columns = torch.arange(width, device=images.device)
    in_rows = (rows >= top) & (rows < top + size)
    in_columns = (columns >= left) & (columns < left + size)
    hole = in_rows[:, :, None] & in_columns[:, None, :]
    return images * ~hole[:, None]
