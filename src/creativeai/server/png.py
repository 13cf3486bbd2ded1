"""Writes pictures as PNG, in a fraction of Pillow's time and as few bytes for photos.

Pillow tries five filters on every row. On what our models draw, one filter for all rows does as well.
"""

import struct

import numpy as np
from isal import isal_zlib
from numpy.typing import NDArray

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_BITS_PER_SAMPLE = 8
_RGB = 2
_AVERAGE = 3
"""The filter: each sample less the mean of its neighbours to the left and above (PNG, third edition, 9.2)."""


def encode_png(pixels: NDArray[np.uint8]) -> bytes:
    """Encode pixels [H, W, 3] as a PNG file."""
    height, width, _ = pixels.shape
    header = struct.pack(">IIBBBBB", width, height, _BITS_PER_SAMPLE, _RGB, 0, 0, 0)
    data: bytes = isal_zlib.compress(_filtered(pixels), level=1)
    return _SIGNATURE + _chunk(b"IHDR", header) + _chunk(b"IDAT", data) + _chunk(b"IEND", b"")


def _filtered(pixels: NDArray[np.uint8]) -> bytes:
    """Rows [H, 1 + 3 * W]: the filter's number, then the filtered samples."""
    samples = pixels.reshape(len(pixels), -1)
    left, above = np.zeros_like(samples), np.zeros_like(samples)
    left[:, 3:] = samples[:, :-3]
    above[1:] = samples[:-1]
    rows = np.empty((len(samples), 1 + samples.shape[1]), np.uint8)
    rows[:, 0] = _AVERAGE
    mean = (left & above) + ((left ^ above) >> 1)  # rounded down, and no overflow in 8 bits
    np.subtract(samples, mean, out=rows[:, 1:])
    return rows.tobytes()


def _chunk(name: bytes, data: bytes) -> bytes:
    checksum = isal_zlib.crc32(data, isal_zlib.crc32(name))
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", checksum)
