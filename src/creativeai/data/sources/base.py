"""What every source of captioned pictures hands to `prepare`: descriptions first, pixels when asked for."""

import hashlib
import heapq
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from PIL import Image

from creativeai.data.pictures import Box

Used = Counter[tuple[str, str | None]]
"""Number of pictures in a prepared dataset by their split and label."""


@dataclass(frozen=True, slots=True)
class SourcePicture:
    """One captioned picture that can be opened later, from any thread."""

    file_name: str
    """Unique in its source; also what the split is hashed from."""
    open: Callable[[], Image.Image]
    """Opens the picture (pixels may still be undecoded). Raises `DataError` without the file's name."""
    captions: tuple[str, ...]
    """Written by someone who saw the picture."""
    where: str
    """Where the user finds this picture's description, e.g. `metadata.jsonl line 7`."""
    label: str | None = None
    split: str | None = None
    """One of `SPLITS` when the source says so, else None: `prepare` decides by hash."""
    attributes: dict[str, Any] | None = None
    crop: Box | None = None
    """The part that is used, in pixels of the stored picture; may reach beyond its edges. None: all of it."""
    short_captions: tuple[str, ...] = ()
    """A few words each, written or derived from the captions."""
    credit: str | None = None
    """Author, page and licence, where the licence asks for them to be named."""


@dataclass(frozen=True, slots=True)
class Problem:
    """Something in a source that keeps one picture from being used."""

    where: str
    """File (and line) the user has to look at."""
    message: str
    is_missing: bool = False
    """Whether the picture isn't there at all, as in a copy that has a part of the set."""

    def __str__(self) -> str:
        return f"{self.where}: {self.message}"


@dataclass(frozen=True, slots=True)
class Source:
    """An opened source: what it is, and its pictures in a fixed order."""

    name: str
    title: str
    origin: str
    """Where the pictures come from, for `dataset.json`."""
    licence: str
    description: str
    pictures: Iterable[SourcePicture | Problem]
    num_pictures: int
    """How many items `pictures` yields."""
    may_have_copies: bool = True
    """Whether near-duplicates are worth looking for; drawn pictures are alike without being copies."""
    notes: tuple[str, ...] = ()
    """Lines for the user: what was checked, and what is not as published."""
    count: Callable[[Used, Used], list[str]] | None = None
    """Lines on the pictures that were used, of whom some may turn out damaged: told when all are read."""

    def notes_on(self, used: Used, as_published: Used) -> tuple[str, ...]:
        """All lines for the user, once it is known which pictures were used.

        Args:
            used: By the split that they are in.
            as_published: The same pictures by the split that the source gave them, `` where it gave none.
        """
        return (*(self.count(used, as_published) if self.count is not None else ()), *self.notes)


class OpenSource(Protocol):
    """How a source is opened: every source takes the same three arguments and refuses what it can't use."""

    def __call__(self, root: Path | None, num_pictures: int | None, seed: int) -> Source:
        """Open the source; pictures are decoded later. Raises `DataError`."""
        ...


def choose(
    pictures: list[SourcePicture | Problem], num_pictures: int | None, seed: int
) -> list[SourcePicture | Problem]:
    """Pick `num_pictures` by a hash of seed and file name, keeping their order.

    Problems stay, so that they are told, but not pictures that are missing: who wants some of a set may have
    a copy with a part of it. All stay if there is no other picture.
    """
    good = [picture for picture in pictures if isinstance(picture, SourcePicture)]
    if num_pictures is None or not good:
        return pictures
    pictures = [item for item in pictures if not (isinstance(item, Problem) and item.is_missing)]
    if num_pictures >= len(good):
        return pictures

    def rank(picture: SourcePicture) -> bytes:
        return hashlib.sha1(f"{seed}:{picture.file_name}".encode()).digest()

    chosen = {picture.file_name for picture in heapq.nsmallest(num_pictures, good, key=rank)}
    return [item for item in pictures if isinstance(item, Problem) or item.file_name in chosen]
