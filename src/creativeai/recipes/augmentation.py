"""Differentiable augmentation of real and generated pictures alike (Zhao et al. 2020, arXiv:2006.10738).

The same kind of change is applied to both sides before the discriminator sees them, so that a small dataset
can't be memorised and the generator learns the unaugmented pictures.
"""

from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

__all__ = ["Changes", "DiffAugment"]


class Changes(NamedTuple):
    """What a batch of B pictures is changed by, drawn at random; empty for an augmentation that is off."""

    colour: tuple[Tensor, ...]
    """[B, 1, 1, 1] each: added brightness, factors of saturation and contrast."""
    shift: tuple[Tensor, ...]
    """[B, 1] each: rows and columns by which the picture moves, up and to the left."""
    corner: tuple[Tensor, ...]
    """[B, 1] each: row and column of the square's top left corner."""


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
        return self.apply(images, self.draw(images, in_pairs=in_pairs))

    def draw(self, images: Tensor, *, in_pairs: bool = False) -> Changes:
        """Changes for pictures [B, 3, R, R]: all that is random about the augmentation."""
        num_draws = (len(images) + 1) // 2 if in_pairs else len(images)

        def uniform(centre: float, reach: float) -> Tensor:
            draws = torch.empty(num_draws, 1, 1, 1, device=images.device, dtype=images.dtype)
            return _for_each(draws.uniform_(centre - reach, centre + reach), len(images))

        def whole(low: int, high: int) -> Tensor:
            return _for_each(torch.randint(low, high, (num_draws, 1), device=images.device), len(images))

        side = images.shape[-1]
        reach, size = _pixels(self.translation, side), _pixels(self.cutout, side)
        strength = self.colour
        return Changes(
            (uniform(0, strength / 2), uniform(1, strength), uniform(1, strength)) if strength else (),
            (whole(-reach, reach + 1), whole(-reach, reach + 1)) if self.translation else (),
            (whole(-size // 2, side - size // 2), whole(-size // 2, side - size // 2)) if self.cutout else (),
        )

    def apply(self, images: Tensor, changes: Changes) -> Tensor:
        """Pictures [B, 3, R, R] changed as drawn; a pure function, which may be compiled."""
        if changes.colour:
            images = _colour(images, *changes.colour)
        if changes.shift:
            images = _translation(images, *changes.shift)
        if changes.corner:
            images = _cutout(images, _pixels(self.cutout, images.shape[-1]), *changes.corner)
        return images


def _pixels(share: float, side: int) -> int:
    return int(side * share + 0.5)


def _for_each(draws: Tensor, batch: int) -> Tensor:
    """Draws [N, ...] as [B, ...]: one for each picture, or the same again for the second half."""
    return draws if len(draws) == batch else torch.cat([draws, draws])[:batch]


def _colour(images: Tensor, brightness: Tensor, saturation: Tensor, contrast: Tensor) -> Tensor:
    images = images + brightness
    grey = images.mean(dim=1, keepdim=True)
    images = (images - grey) * saturation + grey
    mean = images.mean(dim=(1, 2, 3), keepdim=True)
    return (images - mean) * contrast + mean


def _translation(images: Tensor, row_shift: Tensor, column_shift: Tensor) -> Tensor:
    batch, _, height, width = images.shape
    rows = torch.arange(height, device=images.device) + row_shift
    columns = torch.arange(width, device=images.device) + column_shift
    index = torch.arange(batch, device=images.device)[:, None, None]
    moved = images.permute(0, 2, 3, 1)[
        index, rows.clamp(0, height - 1)[:, :, None], columns.clamp(0, width - 1)[:, None, :]
    ]
    return moved.permute(0, 3, 1, 2)


def _cutout(images: Tensor, size: int, top: Tensor, left: Tensor) -> Tensor:
    height, width = images.shape[-2:]
    rows = torch.arange(height, device=images.device)
    columns = torch.arange(width, device=images.device)
    in_rows = (rows >= top) & (rows < top + size)
    in_columns = (columns >= left) & (columns < left + size)
    hole = in_rows[:, :, None] & in_columns[:, None, :]
    return images * ~hole[:, None]
