"""Pictures to files: one grid, or a file each, written whole or not at all."""

import io
import json
import math
import os
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PIL import Image
from PIL.PngImagePlugin import PngInfo

from creativeai import __version__
from creativeai.engine.pictures import Picture
from creativeai.errors import RequestError
from creativeai.whole_files import replace_file

_GAP = 4  # pixels between the pictures of a grid
_FORMATS: dict[str, tuple[str, dict[str, Any]]] = {
    ".png": ("PNG", {}),
    ".webp": ("WEBP", {"quality": 92}),
    ".jpg": ("JPEG", {"quality": 92, "subsampling": 0}),
    ".jpeg": ("JPEG", {"quality": 92, "subsampling": 0}),
}


@dataclass(frozen=True)
class Destination:
    """Where pictures go.

    Attributes:
        folder: Folder of the files.
        file_name: Name of the one file; None to name files by text and seed.
        as_grid: Whether several pictures become one file.
    """

    folder: Path
    file_name: str | None
    as_grid: bool


def destination_of(out: str | None) -> Destination:
    """Understand what the user gave as output.

    Args:
        out: A file; a folder, which exists or ends in a slash; or None for a file in the current folder.

    Raises:
        RequestError: The file's ending is none we write, or its folder does not exist.
    """
    if out is None:
        return Destination(Path(), None, as_grid=True)
    path = Path(out)
    if out.endswith(("/", os.sep)) or path.is_dir():
        return Destination(path, None, as_grid=False)
    if path.suffix.lower() not in _FORMATS:
        raise RequestError(
            f"can't write {out!r}: give a file ending in {', '.join(_FORMATS)}, or a folder ending in /",
            param="output",
        )
    if not path.parent.is_dir():
        raise RequestError(f"there is no folder {path.parent} to write {path.name} to", param="output")
    return Destination(path.parent, path.name, as_grid=True)


def save_images(images: Sequence[Image.Image], destination: Destination) -> list[Path]:
    """Save the images `Model.generate` gave, with what it takes to make them again in PNG's metadata.

    Returns:
        The files written: one if there is one image or they go into a grid, else one for each.

    Raises:
        RequestError: The disk can't take them.
    """
    if destination.as_grid:
        images = [make_grid(images)]
    try:
        destination.folder.mkdir(parents=True, exist_ok=True)
        return [_save(image, destination) for image in images]
    except OSError as error:
        reason = error.strerror or str(error)
        raise RequestError(f"can't write to {destination.folder}: {reason}", param="output") from None


def make_grid(images: Sequence[Image.Image]) -> Image.Image:
    """One picture of several of the same size, row by row; its `info` is the first one's, plus `n`.

    Rows of stages go below each other.
    """
    if len(images) == 1:
        return images[0]
    grid = _tiled(images, 1 if images[0].info.get("stages") else _num_columns(len(images)))
    grid.info.update({**images[0].info, "n": len(images)})
    return grid


def stage_row(picture: Picture) -> Image.Image:
    """All stages of a picture side by side, coarse to fine, in the size of the last."""
    size = Image.fromarray(picture.pixels).size
    stages = [Image.fromarray(stage).resize(size, Image.Resampling.NEAREST) for stage in picture.stages]
    return _tiled(stages, len(stages))


def _tiled(images: Sequence[Image.Image], columns: int) -> Image.Image:
    width, height = images[0].size
    rows = math.ceil(len(images) / columns)
    size = (columns * (width + _GAP) - _GAP, rows * (height + _GAP) - _GAP)
    grid = Image.new("RGB", size, "white")
    for index, image in enumerate(images):
        row, column = divmod(index, columns)
        grid.paste(image, (column * (width + _GAP), row * (height + _GAP)))
    return grid


def slug_of(text: str) -> str:
    """A text as part of a file name: at most 60 plain letters, digits and hyphens."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    return re.sub("[^a-z0-9]+", "-", plain)[:60].strip("-") or "picture"


def _num_columns(num_images: int) -> int:
    """Columns of a grid that is full, if it is at most twice as wide as high; else of a square one."""
    square = math.ceil(math.sqrt(num_images))
    full = (columns for columns in range(square, 2 * square) if num_images % columns == 0)
    return next((columns for columns in full if columns * columns <= 2 * num_images), square)


def _save(image: Image.Image, destination: Destination) -> Path:
    name = destination.file_name or f"{slug_of(image.info['text'])}-{image.info['seed']}.png"
    file = destination.folder / name
    image_format, options = _FORMATS[file.suffix.lower()]
    if image_format == "PNG":
        options = {"pnginfo": _png_info(image.info)}
    encoded = io.BytesIO()  # Pillow, writing to a full disk, says no more than "encoder error"
    image.save(encoded, image_format, **options)
    replace_file(file, lambda opened: opened.write(encoded.getbuffer()))
    return file


def png_bytes(image: Image.Image) -> bytes:
    """An image that `Model` gave as a PNG file, quickly rather than small."""
    file = io.BytesIO()
    image.save(file, "PNG", pnginfo=_png_info(image.info), compress_level=1)
    return file.getvalue()


def _png_info(info: dict[Any, Any]) -> PngInfo:
    """What it takes to make a picture again, for people and for programs."""
    made_from = {key: info[key] for key in ("text", "seed", "truncation", "model", "n") if key in info}
    if info.get("stages"):
        made_from["stages"] = True
    metadata = PngInfo()
    metadata.add_itxt("Description", str(info["text"]))
    metadata.add_itxt("Software", f"CreativeAI {__version__}")
    metadata.add_itxt("creativeai", json.dumps(made_from, ensure_ascii=False))
    return metadata
