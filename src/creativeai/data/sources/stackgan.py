"""stackgan: the folders that StackGAN's authors publish, with the pictures as arrays in a pickle."""

from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from creativeai.data.pictures import MIN_SIDE
from creativeai.data.safe_pickle import read_array_pickle
from creativeai.data.sources.base import Problem, Source, SourcePicture
from creativeai.data.sources.places import Places, make_source, open_places
from creativeai.data.sources.split_pickles import SPLIT_FOLDERS, read_split_lists
from creativeai.data.sources.texts import Texts
from creativeai.errors import DataError

ARCHIVES = r"(text|text_c10|birds|flowers|cvpr2016_cub|cvpr2016_flowers)\..*"
PICTURES = ("304images.pickle", "76images.pickle")
WHAT = "train/ and test/ with filenames.pickle and 304images.pickle, and the captions in text/ or text_c10/"


def open_stackgan(root: Path | None, num_pictures: int | None, seed: int) -> Source:
    """Open lists, pixels and captions. The pixels are cropped and resized already.

    Raises:
        DataError: a part is missing or damaged; there are embeddings, but no captions.
    """
    places = open_places(root, "stackgan", WHAT, ARCHIVES)
    lists = read_split_lists(places)
    spot = places.find_folder("text_c10", "text")
    if spot is None:
        raise DataError(
            f"{root} has no captions, in text_c10/ or text/: char-CNN-RNN-embeddings.pickle holds vectors, "
            "which can't be turned back into text: put the text files of the data set there"
        )
    texts = Texts.of(spot)
    described: list[SourcePicture | Problem] = []
    used = ""
    for folder, split in SPLIT_FOLDERS.items():
        keys = {key: label for key, (its, label) in lists.items() if its == split}
        used, arrays = _read_pixels(places, folder)
        if len(arrays) != len(keys):
            raise DataError(f"{root}: {folder}/{used} has {len(arrays):,} pictures for {len(keys):,} names")
        for (key, label), pixels in zip(keys.items(), arrays, strict=True):
            described.append(_describe(key, label, split, pixels, texts, f"{root}/{folder}/{used}"))
    name = places.root.resolve().name or "stackgan"
    return make_source(
        described,
        num_pictures,
        seed,
        name=name,
        title=f"{name}, as published for StackGAN",
        origin=f"StackGAN's folder {name}",
        licence="not stated: that of the data set the pictures are from",
        description="Captioned pictures in the split of StackGAN's lists",
        notes=[f"pixels: {used}", f"captions: {spot}"],
    )


def _read_pixels(places: Places, folder: str) -> tuple[str, list[Any]]:
    for name in PICTURES:
        spot = places.find_file(f"{folder}/{name}")
        if spot is None:
            continue
        if not spot.archive.path.is_dir():
            raise DataError(f"{spot.archive.path}: {folder}/{name} is too large to be read in it: unpack it")
        arrays = read_array_pickle(spot.archive.path / f"{spot.prefix}{folder}/{name}")
        if not isinstance(arrays, list):
            raise DataError(f"{spot}/{folder}/{name} is not a list of pictures")
        return name, arrays
    raise DataError(f"{places.root} has no {folder}/{' or '.join(PICTURES)} (the pictures)")


def _describe(
    key: str, label: str | None, split: str, pixels: Any, texts: Texts, where: str
) -> SourcePicture | Problem:
    is_picture = isinstance(pixels, np.ndarray) and pixels.dtype == np.uint8 and pixels.ndim == 3
    if not is_picture or pixels.shape[2] != 3 or min(pixels.shape[:2]) < MIN_SIDE:
        return Problem(f"{where}: {key}", "not a picture of height, width and three colours, 8 bits each")
    try:
        captions = texts.read(key)
    except DataError as error:
        return Problem(f"{texts.spot}: {key}", str(error))
    return SourcePicture(key, partial(_open_pixels, pixels), captions, f"{where}: {key}", label, split)


def _open_pixels(pixels: NDArray[np.uint8]) -> Image.Image:
    return Image.fromarray(np.ascontiguousarray(pixels))
