"""birds525: 2,096 photos of 524 species, read from where the user unpacked them; the captions ship here.

The photos are the `valid` part of the public "BIRDS 525 SPECIES" collection (Kaggle, gpiosenka), published
there as CC0; we don't redistribute them.
"""

import gzip
import json
from functools import partial
from importlib.resources import files
from pathlib import Path

from creativeai.data.pictures import open_picture
from creativeai.data.sources.base import Problem, Source, SourcePicture, choose
from creativeai.data.sources.short_caption import short_caption
from creativeai.errors import DataError

CAPTIONS = "birds525_captions.jsonl.gz"
FOLDERS = ("images", "valid")
"""What the folder above the species is called: in our own copy, and in the public archive."""


def open_birds525(root: Path | None, num_pictures: int | None, seed: int) -> Source:
    """Open the photos under `root`, which holds `images/<SPECIES>/<n>.jpg` or `valid/<SPECIES>/<n>.jpg`.

    Each photo gets its two written captions and a third, short one derived from them.

    Raises:
        DataError: no folder, or none of the photos in it.
    """
    if root is None:
        raise DataError(
            "birds525 needs --from DIR: the folder where you unpacked the BIRDS 525 SPECIES photos"
        )
    photos = _find_photos(root)
    pictures: list[SourcePicture | Problem] = []
    for row in read_captions():
        path = photos.get(_key(row["file_name"]))
        if path is None:
            pictures.append(Problem(f"{root}: {row['file_name']}", "the photo is missing"))
            continue
        captions = (*row["captions"], short_caption(row["captions"]))
        pictures.append(
            SourcePicture(row["file_name"], partial(open_picture, path), captions, str(path), row["label"])
        )
    pictures = choose(pictures, num_pictures, seed)
    return Source(
        name="birds525",
        title="Birds: photos of 524 species",
        origin="BIRDS 525 SPECIES (Kaggle, gpiosenka), split valid, with captions written for CreativeAI",
        licence="photos CC0, captions Apache-2.0",
        description=(
            "Photos of birds, one bird filling most of each, with two written captions "
            "and a short one derived from them"
        ),
        pictures=pictures,
        num_pictures=len(pictures),
    )


def read_captions() -> list[dict]:
    """The shipped captions: `file_name`, two `captions` and the `label` of each photo."""
    content = (files("creativeai.data.sources") / CAPTIONS).read_bytes()
    return [json.loads(line) for line in gzip.decompress(content).splitlines()]


def _find_photos(root: Path) -> dict[tuple[str, str], Path]:
    if not root.is_dir():
        raise DataError(f"{root}: no such folder")
    top = next((root / name for name in FOLDERS if (root / name).is_dir()), root)
    photos = {
        _key(path.as_posix()): path
        for species in sorted(top.iterdir())
        if species.is_dir()
        for path in sorted(species.iterdir())
        if path.suffix.lower() in (".jpg", ".jpeg")
    }
    if not photos:
        raise DataError(
            f"{root} has no photos: images/<SPECIES>/<n>.jpg or valid/<SPECIES>/<n>.jpg are looked for"
        )
    return photos


def _key(file_name: str) -> tuple[str, str]:
    """Species and number, so that neither the folder above nor upper and lower case matter."""
    species, name = file_name.casefold().split("/")[-2:]
    return species.strip(), name.partition(".")[0]
