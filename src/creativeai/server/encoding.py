"""Pixels to picture files."""

import io
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from creativeai.server.png import encode_png

OutputFormat = Literal["png", "webp", "jpeg"]

# Method 2 is at WebP's fast end.
_SAVE_OPTIONS: dict[OutputFormat, dict[str, Any]] = {
    "webp": {"quality": 90, "method": 2},
    "jpeg": {"quality": 92, "subsampling": 0},
}


def encode_picture(pixels: NDArray[np.uint8], output_format: OutputFormat) -> bytes:
    """Encode pixels [H, W, 3] as a file of the given format."""
    if output_format == "png":
        return encode_png(pixels)
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, output_format.upper(), **_SAVE_OPTIONS[output_format])
    return buffer.getvalue()


def encode_map(weights: NDArray[np.float32]) -> tuple[bytes, float]:
    """A map [H, W] of weights from 0 to 1 as a grey PNG of 8 bits, and the weight that its white stands for.

    That is the map's largest weight, since a word's share of the attention is small where there are many.
    """
    largest = float(weights.max())
    grey = np.rint(weights * (255 / largest if largest > 0 else 0)).astype(np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(grey).save(buffer, "PNG", compress_level=1)
    return buffer.getvalue(), largest
