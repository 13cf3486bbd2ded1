"""Where the words of a caption look in a picture, as one picture for people."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

__all__ = ["attention_grid"]

_CELL = 96
_STRIP = 18
_GLOW = (255, 150, 0)


def attention_grid(
    pixels: NDArray[np.uint8], words: Sequence[Sequence[str]], attention: NDArray[np.floating]
) -> NDArray[np.uint8]:
    """A row for each caption: the photo, then the photo once for each word, bright where the word looks.

    Args:
        pixels: uint8 [B, R, R, 3] photos.
        words: The words of each caption.
        attention: [B, T, h, w] each word's attention over the regions; a map is scaled to its own range.

    Returns:
        uint8 [H, W, 3], with 114 x 96 pixels for each word.
    """
    num_columns = 1 + max(len(caption) for caption in words)
    grid = Image.new("RGB", (num_columns * _CELL, len(words) * (_CELL + _STRIP)), "white")
    draw = ImageDraw.Draw(grid)
    font = ImageFont.load_default(13)
    for row, (photo_pixels, caption, maps) in enumerate(zip(pixels, words, attention, strict=True)):
        top = row * (_CELL + _STRIP)
        photo = Image.fromarray(photo_pixels).resize((_CELL, _CELL), Image.Resampling.BICUBIC)
        grid.paste(photo, (0, top + _STRIP))
        for column, (word, heat) in enumerate(zip(caption, maps, strict=False), start=1):
            grid.paste(_heated(photo, heat), (column * _CELL, top + _STRIP))
            draw.text((column * _CELL + 3, top + 1), word, fill="black", font=font)
    return np.asarray(grid)


def _heated(photo: Image.Image, heat: NDArray[np.floating]) -> Image.Image:
    """The photo, darkened where the map [h, w] is low and glowing where it is high."""
    low, high = float(heat.min()), float(heat.max())
    scaled = (heat - low) / max(high - low, 1e-12)
    level = Image.fromarray(np.uint8(scaled * 255)).resize((_CELL, _CELL), Image.Resampling.BICUBIC)
    strength = np.asarray(level, np.float32)[:, :, None] / 255
    dark = np.asarray(photo, np.float32) * (0.3 + 0.4 * strength)
    return Image.fromarray(np.uint8(np.clip(dark + 0.3 * strength * np.array(_GLOW, np.float32), 0, 255)))
