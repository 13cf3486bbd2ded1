"""From a picture file of any common kind to square uint8 RGB arrays."""

import io
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError

from creativeai.errors import DataError
from creativeai.stand_ins import LFS_POINTER, is_web_page

MIN_SIDE = 8
"""Smallest width and height, in pixels, of a picture worth training on."""
MAX_PIXELS = 89_478_485
"""Larger pictures are refused as decompression bombs (Pillow's own threshold for a warning)."""
_START_BYTES = 512
"""Enough of a file to tell what it is."""
_LARGE = 256
"""Sets with squares of this side or more are made in less time."""
_THUMBNAIL = 32
"""Squares up to this side are made of the one twice their size, if that is made too."""
Image.init()
FORMATS = tuple(
    name for name in ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "PPM", "AVIF") if name in Image.OPEN
)
"""Pillow decoders tried, where built in. A closed list, because some others (EPS) start external programs."""
Box = tuple[int, int, int, int]
"""Left, top, right and bottom of a part of a picture, in pixels."""


def open_picture(path: Path) -> Image.Image:
    """Open a picture file without decoding its pixels.

    Raises:
        DataError: missing, not a picture, a git-LFS pointer, too small or too large. The message doesn't name
            the file: the caller knows how the user calls it.
    """
    try:
        if not path.is_file():
            raise DataError("not a file" if path.exists() else "the picture is missing")
        with path.open("rb") as file:
            start = file.read(_START_BYTES)
    except OSError as error:
        raise DataError(f"can't be read: {error.strerror or error}") from None
    return _open(path, start)


def open_picture_bytes(content: bytes) -> Image.Image:
    """Open a picture that was read already, without decoding its pixels.

    Raises:
        DataError: as `open_picture`.
    """
    return _open(io.BytesIO(content), content[:_START_BYTES])


def _open(file: Path | io.BytesIO, start: bytes) -> Image.Image:
    if start.startswith(LFS_POINTER):
        raise DataError("is a git-LFS pointer instead of a picture: run git lfs pull")
    if not start:
        raise DataError("the file is empty")
    if is_web_page(start):
        raise DataError("is a web page saved under the picture's name: download the picture again")
    try:
        picture = Image.open(file, formats=FORMATS)
    except UnidentifiedImageError:
        raise DataError("not a picture, or of a kind that can't be read: use JPEG, PNG or WebP") from None
    except Image.DecompressionBombError:
        raise DataError(f"more than {2 * MAX_PIXELS:,} pixels: make the picture smaller") from None
    except OSError as error:
        raise DataError(f"can't be read: {error.strerror or _one_line(error)}") from None
    except (
        Exception
    ) as error:  # Decoders raise nearly anything on damaged headers: ValueError, struct.error...
        raise DataError(f"the picture is damaged ({_one_line(error)}): replace it") from None
    try:
        _check_size(picture)
    except DataError:
        picture.close()
        raise
    return picture


def _check_size(picture: Image.Image) -> None:
    width, height = picture.size
    if min(width, height) < MIN_SIDE:
        raise DataError(f"too small: {width} x {height} pixels, at least {MIN_SIDE} x {MIN_SIDE} are needed")
    if width * height > MAX_PIXELS:
        raise DataError(
            f"too large: {width} x {height} pixels, at most {MAX_PIXELS:,} in all: make it smaller"
        )


def to_squares(
    picture: Image.Image, resolutions: tuple[int, ...], crop: Box | None = None
) -> list[NDArray[np.uint8]]:
    """Decode a picture and reduce its middle square to each resolution.

    The first frame of an animation is taken, the EXIF orientation applied, transparency laid over white,
    16-bit grey scaled to 8 bit and CMYK converted.

    Args:
        picture: An opened picture.
        resolutions: Side lengths in pixels.
        crop: Use this part alone, given in pixels of the picture as it is stored; what lies beyond the
            picture's edges is left out.

    Returns:
        One uint8 array [R, R, 3] for each resolution.

    Raises:
        DataError: the pixels can't be decoded, or `crop` has next to none of them.
    """
    if crop is not None:
        crop = _clipped(crop, picture.size)
    width, height = picture.size
    wanted = 2 * max(resolutions)
    kept = 1.0 if crop is None else min((crop[2] - crop[0]) / width, (crop[3] - crop[1]) / height)
    try:
        # Decode a JPEG at 1/2, 1/4 or 1/8 of its size where that leaves twice the pixels needed: much faster.
        picture.draft("RGB", (int(wanted / kept), int(wanted / kept)))
        picture.load()
        if crop is not None:
            across, down = picture.width / width, picture.height / height
            left, top, right, bottom = crop
            scaled = (round(left * across), round(top * down), round(right * across), round(bottom * down))
            picture = picture.crop(scaled)
        ImageOps.exif_transpose(picture, in_place=True)  # else it copies pictures that are upright too
        rgb = _to_rgb(picture)
    except DataError:
        raise
    except (
        Exception
    ) as error:  # Decoders raise nearly anything on damaged data: OSError, SyntaxError, struct.error...
        reason = "truncated" if "truncated" in str(error) else f"damaged ({_one_line(error)})"
        raise DataError(f"the picture is {reason}: replace it") from None
    side = min(rgb.size)
    left, top = (rgb.width - side) // 2, (rgb.height - side) // 2
    box = (left, top, left + side, top + side)
    # A resize takes longer than decoding. From 256 px on it is bicubic, as StackGAN's authors did it, and the
    # smaller squares start from the one twice their size: half the time, and pixels move by a level or so.
    # Not where that one is larger than the picture: a square made of an enlarged one is blurred.
    is_large = max(resolutions) >= _LARGE and side >= max(resolutions)
    squares: dict[int, Image.Image] = {}
    for resolution in sorted(resolutions, reverse=True):
        size = (resolution, resolution)
        fine = Image.Resampling.BICUBIC if is_large or resolution >= _LARGE else Image.Resampling.LANCZOS
        is_chained = (is_large or resolution <= _THUMBNAIL) and 2 * resolution <= side
        start = squares.get(2 * resolution) if is_chained else None
        if start is None:
            squares[resolution] = rgb.resize(size, fine, box=box, reducing_gap=3.0)
        else:
            squares[resolution] = start.resize(size, fine, reducing_gap=3.0)
    return [np.asarray(squares[resolution]) for resolution in resolutions]


def square_side(picture: Image.Image, crop: Box | None = None) -> int:
    """Pixels a side of the square that `to_squares` takes of a picture, before it is made smaller or larger.

    Raises:
        DataError: `crop` has next to none of its pixels.
    """
    if crop is None:
        return min(picture.size)
    left, top, right, bottom = _clipped(crop, picture.size)
    return min(right - left, bottom - top)


def _clipped(crop: Box, size: tuple[int, int]) -> Box:
    left, top = max(0, crop[0]), max(0, crop[1])
    right, bottom = min(size[0], crop[2]), min(size[1], crop[3])
    if min(right - left, bottom - top) < MIN_SIDE:
        raise DataError(f"the bounding box leaves fewer than {MIN_SIDE} x {MIN_SIDE} of its pixels")
    return left, top, right, bottom


def _to_rgb(picture: Image.Image) -> Image.Image:
    if picture.mode.startswith("I"):
        return Image.fromarray(_reduce_to_8_bit(np.asarray(picture))).convert("RGB")
    if picture.mode == "F":
        raise DataError("floating-point pixels: save it with 8 or 16 bits per channel")
    if picture.has_transparency_data:
        picture = picture.convert("RGBA")
        white = Image.new("RGBA", picture.size, "white")
        return Image.alpha_composite(white, picture).convert("RGB")
    return picture if picture.mode == "RGB" else picture.convert("RGB")


def _reduce_to_8_bit(grey: NDArray[np.integer]) -> NDArray[np.uint8]:
    if grey.min() < 0 or grey.max() > 65535:
        raise DataError("more than 16 bits per channel: save it with 8 or 16")
    return ((grey.astype(np.uint32) + 128) // 257).astype(np.uint8)


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())[:100] or type(error).__name__
