"""The captions that ship with CreativeAI, and the photos they belong to, wherever the user has them.

The photos themselves don't ship. A photo is called as its publishers call it, `birds150/train/EMU/057.jpg`,
whether it lies in the published folders, in an archive or in a copy with other names: its split is hashed
from that name.
"""

import bz2
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

from creativeai.data.sources.base import Problem, SourcePicture
from creativeai.data.sources.places import PICTURE_SUFFIXES, Member, Places
from creativeai.errors import DataError

__all__ = ["PhotoSet", "describe_sets", "photo_paths", "read_shipped"]


@dataclass(frozen=True, slots=True)
class PhotoSet:
    """A published set of photos whose captions ship."""

    name: str
    """First part of its photos' names."""
    title: str
    where: str
    """Where its photos are looked for, in words."""


def read_shipped(name: str) -> list[dict[str, Any]]:
    """Rows of a file of shipped captions: `file_name`, `captions`, `label`, and more where there is more."""
    content = (files("creativeai.data.sources") / f"{name}_captions.jsonl.bz2").read_bytes()
    return [json.loads(line) for line in bz2.decompress(content).splitlines()]


def photo_paths(places: Places) -> Iterator[tuple[Member, list[str]]]:
    """Every picture there is, with the parts of its path; the folder's own name comes first."""
    for archive in places.each():
        for name in archive.sizes:
            if name.lower().endswith(PICTURE_SUFFIXES):
                yield Member(archive, name), [archive.path.resolve().name, *name.split("/")]


def describe_sets(
    places: Places,
    sets: tuple[PhotoSet, ...],
    rows: list[dict[str, Any]],
    photos: dict[str, Member],
    short_captions: Callable[[dict[str, Any]], tuple[str, ...]],
) -> tuple[list[SourcePicture | Problem], list[str]]:
    """Pictures of the sets that are there, and a line for each that isn't.

    Args:
        places: Where the photos were looked for.
        sets: The sets that are joined.
        rows: Shipped captions of all of them.
        photos: What was found, by the publishers' name without its suffix, in small letters.
        short_captions: Gives the short captions of a row.

    Raises:
        DataError: there is none of the sets.
    """
    described: list[SourcePicture | Problem] = []
    notes: list[str] = []
    missing: list[PhotoSet] = []
    for photo_set in sets:
        own = [row for row in rows if row["file_name"].startswith(f"{photo_set.name}/")]
        found = {row["file_name"]: photos.get(_key(row["file_name"])) for row in own}
        num_found = sum(member is not None for member in found.values())
        if not num_found:
            missing.append(photo_set)
            continue
        notes.append(f"listed: {len(own):,} photos of {photo_set.title}, of which {num_found:,} are there")
        for row in own:
            member = found[row["file_name"]]
            if member is None:
                where = f"{places.root}: {row['file_name']}"
                described.append(Problem(where, "the photo is missing", is_missing=True))
                continue
            picture = SourcePicture(
                row["file_name"],
                member,
                tuple(row["captions"]),
                str(member),
                row["label"],
                short_captions=short_captions(row),
                credit=row.get("credit"),
            )
            described.append(picture)
    if len(missing) == len(sets):
        looked_for = " and ".join(f"{photo_set.where} ({photo_set.title})" for photo_set in sets)
        raise DataError(f"{places.root} has no photos of these sets: {looked_for} are looked for")
    for photo_set in missing:
        notes.append(f"not there: {photo_set.title} ({photo_set.where}); prepared without it")
    return described, notes


def _key(file_name: str) -> str:
    return file_name.rpartition(".")[0].casefold()
