"""Features of photos are computed once and kept: with 19,000 photos they take many minutes.

They are kept in `.features` in the dataset's folder, or in the user's cache where that can't be written. What
is kept may be deleted at any time.
"""

import json
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from hashlib import sha256
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from rich.console import Console

from creativeai.data import CaptionedImages
from creativeai.evaluation.features import FeatureExtractor, PictureFeatures
from creativeai.models.pixels import pixels_to_tensor
from creativeai.reporting import reporting
from creativeai.user_cache import user_cache
from creativeai.whole_files import sync_file, whole_folder, write_synced

__all__ = ["CACHE_NAME", "cache_folders", "kept_arrays", "photo_features", "reference_resolution"]

CACHE_NAME = ".features"
"""The folder in a dataset's."""
_ABOUT = "about.json"
_VERSION = 1
"""To be raised with every change of what is computed that nothing else in `about` tells."""
_PHOTOS_AT_ONCE = 128

Arrays = Mapping[str, NDArray[np.generic]]


def photo_features(
    dataset: CaptionedImages,
    pictures: NDArray[np.int64],
    extractor: FeatureExtractor,
    console: Console,
    mirrored: bool = False,
) -> PictureFeatures:
    """Features of photos of a dataset, read from where they are kept if they were computed before.

    The photos come at the reference size, or what is nearest to it, whatever the size of the model that they
    are compared with.

    Args:
        dataset: The prepared dataset.
        pictures: [N] positions of the photos in it.
        extractor: The network that sees them.
        console: Where progress is shown.
        mirrored: Whether the photos are mirrored first.

    Returns:
        Features of the photos in the order given, memory-mapped where they could be kept.
    """
    resolution = reference_resolution(dataset.meta.resolutions, extractor.reference_side)
    about = extractor.about() | {
        "dataset": dataset.meta.digest,
        "pictures": sha256(np.ascontiguousarray(pictures, "<i8").tobytes()).hexdigest(),
        "num_pictures": len(pictures),
        "resolution": resolution,
        "mirrored": mirrored,
    }
    images = dataset.images(resolution)

    def parts() -> Iterator[Arrays]:
        what = f"{extractor.about()['network']} looks at photos"
        with reporting(console, what, len(pictures), "photos") as tell:
            for start in range(0, len(pictures), _PHOTOS_AT_ONCE):
                pixels = images[pictures[start : start + _PHOTOS_AT_ONCE]]
                if mirrored:
                    pixels = pixels[:, :, ::-1]
                features = extractor(pixels_to_tensor(pixels))
                yield {name: value.numpy() for name, value in vars(features).items()}
                tell(min(start + _PHOTOS_AT_ONCE, len(pictures)), len(pictures))

    kept = kept_arrays(cache_folders(dataset.path), about, len(pictures), parts)
    return PictureFeatures(**{name: torch.from_numpy(value) for name, value in kept.items()})


def reference_resolution(resolutions: Sequence[int], reference_side: int) -> int:
    """Which of a dataset's resolutions photos are seen at: the smallest that is enough, or the largest."""
    enough = [resolution for resolution in resolutions if resolution >= reference_side]
    return min(enough) if enough else max(resolutions)


def cache_folders(dataset: Path) -> list[Path]:
    """Where features of a dataset's photos may be kept, the first choice first."""
    user = user_cache()
    return [dataset / CACHE_NAME, *([user / "features"] if user else [])]


def kept_arrays(
    folders: Sequence[Path],
    about: Mapping[str, object],
    num_rows: int,
    parts: Callable[[], Iterator[Arrays]],
) -> dict[str, NDArray[np.generic]]:
    """Arrays that were computed before, or are computed now and kept for the next time.

    Args:
        folders: Where they may be kept: looked for in all, written to the first that can be written.
        about: All that the arrays depend on, as JSON can say it.
        num_rows: Rows of each array.
        parts: Computes consecutive rows of all of the arrays, by name.

    Returns:
        The arrays, memory-mapped (writing to them changes no file); in memory where they can't be kept.
    """
    about = json.loads(json.dumps({"version": _VERSION} | dict(about)))
    name = sha256(json.dumps(about, sort_keys=True).encode()).hexdigest()[:32]
    for folder in folders:
        found = _read(folder / name, about, num_rows)
        if found is not None:
            return found
    arrays: dict[str, NDArray[np.generic]] = {}
    row = 0
    for part in parts():
        for key, value in part.items():
            if key not in arrays:
                arrays[key] = np.empty((num_rows, *value.shape[1:]), value.dtype)
            arrays[key][row : row + len(value)] = value
        row += len(next(iter(part.values())))
    if row != num_rows:
        raise ValueError(f"{row} rows were computed, not {num_rows}")
    for folder in folders:
        # It can't be written, or is full; or another process was quicker.
        with suppress(OSError):
            if _read(folder / name, about, num_rows) is None:
                _write(folder / name, about, arrays)
        found = _read(folder / name, about, num_rows)
        if found is not None:
            return found
    return arrays


def _write(folder: Path, about: Mapping[str, object], arrays: Arrays) -> None:
    if folder.exists():  # and couldn't be read
        shutil.rmtree(folder)
    with whole_folder(folder) as temporary:
        for name, array in arrays.items():
            with (temporary / f"{name}.npy").open("wb") as file:
                np.save(file, array, allow_pickle=False)
                sync_file(file)
        content = {"about": about, "arrays": sorted(arrays)}
        write_synced(temporary / _ABOUT, json.dumps(content, indent=2).encode())


def _read(folder: Path, about: Mapping[str, object], num_rows: int) -> dict[str, NDArray[np.generic]] | None:
    """The arrays of a folder; None if it isn't there, or damaged."""
    try:
        content = json.loads((folder / _ABOUT).read_bytes())
        if content["about"] != about:
            return None
        # Copy on write: torch warns of arrays that can't be written.
        arrays = {
            str(name): np.load(folder / f"{name}.npy", mmap_mode="c", allow_pickle=False)
            for name in content["arrays"]
        }
    except (OSError, EOFError, ValueError, KeyError, TypeError):
        return None
    return arrays if all(len(array) == num_rows for array in arrays.values()) else None
