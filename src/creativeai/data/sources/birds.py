"""birds: 21,600 photos of 534 species, of BIRDS-525 and BIRDS-150 joined; the captions ship here.

Both are releases of the public "BIRDS SPECIES" collection (Kaggle, gpiosenka), published there as CC0. Of
BIRDS-525 it takes the `valid` part, of BIRDS-150 all three parts, which hold most of what else BIRDS-525 has.
"""

import re
from collections import defaultdict
from pathlib import Path
from typing import Any

from creativeai.data.sources.base import Source
from creativeai.data.sources.places import Member, make_source, open_places
from creativeai.data.sources.shipped_captions import PhotoSet, describe_sets, photo_paths, read_shipped
from creativeai.data.sources.short_caption import short_caption

ARCHIVES = r"(archive|birds|birds-?525|birds-?150|100-bird-species).*\..*"
SETS = (
    PhotoSet("birds525", "BIRDS-525", "birds525/valid/<SPECIES>/<n>.jpg"),
    PhotoSet("birds150", "BIRDS-150", "birds150/train|valid|test/<SPECIES>/<n>.jpg"),
)
WHAT = "the photos of BIRDS-525 and BIRDS-150, each in a folder of its own"
_PARTS = ("train", "valid", "test")


def open_birds(root: Path | None, num_pictures: int | None, seed: int) -> Source:
    """Open the photos below `root`: of both sets, or of the one that is there.

    Each photo has its written captions and a short one derived from them.

    Raises:
        DataError: no folder, or no photos of either set in it.
    """
    places = open_places(root, "birds", WHAT, ARCHIVES)
    rows = read_shipped("birds525") + read_shipped("birds150")
    photos = _find_photos(list(photo_paths(places)), rows)
    described, notes = describe_sets(
        places, SETS, rows, photos, lambda row: (short_caption(row["captions"]),)
    )
    return make_source(
        described,
        num_pictures,
        seed,
        name="birds",
        title="Birds: photos of 534 species",
        origin="BIRDS-525 (split valid) and BIRDS-150 (Kaggle, gpiosenka), captions written for CreativeAI",
        licence="photos CC0, captions Apache-2.0",
        description=(
            "Photos of birds, one bird filling most of each, with one or two written captions "
            "and a short one derived from them"
        ),
        notes=notes,
    )


def _find_photos(paths: list[tuple[Member, list[str]]], rows: list[dict[str, Any]]) -> dict[str, Member]:
    """The photos by the publishers' names without suffix, in small letters.

    Both sets have a `valid/ALBATROSS/1.jpg`. A folder is BIRDS-525's if its name says so or it has a species
    that BIRDS-150 lacks, and BIRDS-150's otherwise. In our copies BIRDS-150's parts are in the file's name.
    """
    species_of_150 = {
        row["file_name"].split("/")[2].casefold() for row in rows if row["file_name"].startswith("birds150/")
    }
    found: dict[str, Member] = {}
    by_folder: dict[tuple[str, ...], list[tuple[str, str, str, Member]]] = defaultdict(list)
    for member, path in paths:
        if len(path) < 3:
            continue
        *above, part, species, file = (name.casefold().strip() for name in path)
        stem = file.rpartition(".")[0]
        named = re.fullmatch(r"(train|valid|test)_(\d+)", stem)
        if named:
            found.setdefault(f"birds150/{named[1]}/{species}/{named[2]}", member)
        elif part == "images":
            found.setdefault(f"birds525/valid/{species}/{stem}", member)
        elif part in _PARTS:
            by_folder[str(member.archive.path), *above].append((part, species, stem, member))
    for folder, photos in by_folder.items():
        is_150 = {species for _, species, _, _ in photos} <= species_of_150
        told = re.search(r"(?<!\d)(525|150)(?!\d)", folder[-1]) if len(folder) > 1 else None
        name = f"birds{told[1]}" if told else "birds150" if is_150 else "birds525"
        for part, species, stem, member in photos:
            found.setdefault(f"{name}/{part}/{species}/{stem}", member)
    return found
