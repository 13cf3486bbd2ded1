import io
import struct
import zlib

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from creativeai.server.png import encode_png

SIZES = [(1, 1), (1, 7), (7, 1), (2, 3), (16, 16), (128, 128), (33, 250)]


def decoded(png: bytes) -> NDArray[np.uint8]:
    with Image.open(io.BytesIO(png)) as image:
        assert (image.format, image.mode) == ("PNG", "RGB")
        image.load()
        return np.asarray(image)


@pytest.mark.parametrize("size", SIZES)
def test_every_pixel_comes_back(size: tuple[int, int]) -> None:
    random = np.random.default_rng(0)
    noise = random.integers(0, 256, (*size, 3), np.uint8)
    extremes = random.choice(np.array([0, 1, 254, 255], np.uint8), (*size, 3))
    for pixels in (noise, extremes, np.zeros_like(noise), np.full_like(noise, 255)):
        assert np.array_equal(decoded(encode_png(pixels)), pixels)


def test_pixels_need_not_lie_in_a_row() -> None:
    planes = np.random.default_rng(0).integers(0, 256, (3, 5, 4), np.uint8)
    pixels = planes.transpose(1, 2, 0)
    assert np.array_equal(decoded(encode_png(pixels)), pixels)


def test_checksums_and_order_of_the_chunks() -> None:
    png = encode_png(np.zeros((2, 3, 3), np.uint8))
    assert png[:8] == b"\x89PNG\r\n\x1a\n"
    chunks, rest = [], png[8:]
    while rest:
        [length] = struct.unpack(">I", rest[:4])
        name_and_data, checksum = rest[4 : 8 + length], rest[8 + length : 12 + length]
        assert struct.unpack(">I", checksum) == (zlib.crc32(name_and_data),)
        chunks.append(name_and_data[:4])
        rest = rest[12 + length :]
    assert chunks == [b"IHDR", b"IDAT", b"IEND"]


def test_smooth_pictures_become_small() -> None:
    """Smooth with a little noise, as photos are: at most 2% above what Pillow makes of them."""
    smooth = np.add.outer(np.arange(128.0), np.arange(128.0))[..., None] * [0.4, 0.7, 0.9]
    noisy = smooth + np.random.default_rng(0).normal(0, 4, smooth.shape)
    pixels = noisy.round().clip(0, 255).astype(np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    assert len(encode_png(pixels)) < 1.02 * len(buffer.getvalue())


def test_flat_pictures_become_tiny() -> None:
    assert len(encode_png(np.full((128, 128, 3), 77, np.uint8))) < 600
