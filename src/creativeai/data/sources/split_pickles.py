"""AttnGAN's and StackGAN's lists: train|test/filenames.pickle and class_info.pickle."""

import numpy as np

from creativeai.data.safe_pickle import parse_array_pickle, parse_plain_pickle
from creativeai.data.sources.places import Places, Spot
from creativeai.errors import DataError

MAX_PICKLE_BYTES = 256 * 2**20
SPLIT_FOLDERS = {"train": "train", "test": "test"}


def read_split_lists(places: Places) -> dict[str, tuple[str, str | None]]:
    """Split and class of each picture by its name in the lists, in their order.

    Raises:
        DataError: a list is missing, is none, or names a picture twice.
    """
    found: dict[str, tuple[str, str | None]] = {}
    for folder, split in SPLIT_FOLDERS.items():
        spot = places.need_file(f"{folder}/filenames.pickle", "the list of pictures of that split")
        keys, classes = read_keys(spot, folder), read_classes(spot, folder)
        if classes is not None and len(classes) != len(keys):
            raise DataError(
                f"{spot}/{folder}: class_info.pickle has {len(classes):,} entries for {len(keys):,} pictures"
            )
        for index, key in enumerate(keys):
            if key in found:
                raise DataError(f"{spot}/{folder}/filenames.pickle: {key} is listed twice")
            found[key] = split, None if classes is None else str(classes[index])
    return found


def read_keys(spot: Spot, folder: str) -> list[str]:
    """The names in `filenames.pickle`. Raises `DataError`."""
    keys = read_pickle(spot, f"{folder}/filenames.pickle")
    if not isinstance(keys, list) or not all(isinstance(key, str) and key.isprintable() for key in keys):
        raise DataError(f"{spot}/{folder}/filenames.pickle is not a list of names")
    return keys


def read_classes(spot: Spot, folder: str) -> list[int] | None:
    """The numbers of the classes in `class_info.pickle`, None where there is no such file."""
    if not spot.has(f"{folder}/class_info.pickle"):
        return None
    classes = read_pickle(spot, f"{folder}/class_info.pickle", has_arrays=True)
    if isinstance(classes, np.ndarray) and classes.ndim == 1:
        classes = classes.tolist()
    if not isinstance(classes, list) or not all(type(number) is int for number in classes):
        raise DataError(f"{spot}/{folder}/class_info.pickle is not a list of numbers")
    return classes


def read_pickle(spot: Spot, name: str, *, has_arrays: bool = False) -> object:
    """A pickle of plain lists and texts, and where it may be of NumPy's arrays. Raises `DataError`."""
    if spot.archive.sizes.get(spot.prefix + name, 0) > MAX_PICKLE_BYTES:
        raise DataError(f"{spot}/{name} is too large for a list of names or captions")
    parse = parse_array_pickle if has_arrays else parse_plain_pickle
    return parse(spot.read(name), f"{spot}/{name}")
