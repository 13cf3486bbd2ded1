"""Finding a published data set where the user has it: unpacked, as its archives, or some of each."""

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path, PurePosixPath
from typing import Any

from PIL import Image

from creativeai.data.archives import Archive, open_archive
from creativeai.data.pictures import open_picture_bytes
from creativeai.data.sources.base import Problem, Source, SourcePicture, choose
from creativeai.data.sources.class_split import Published, check_classes, count_notes
from creativeai.errors import DataError
from creativeai.stand_ins import LFS_POINTER, is_web_page

PICTURE_SUFFIXES = (".jpg", ".jpeg", ".png", ".webp", ".gif", ".bmp", ".tif", ".tiff", ".avif")
MAX_LIST_BYTES = 1024 * 2**20
"""Largest file of names or captions of a whole data set."""
_ARCHIVE = re.compile(r"\.(zip|tar|tgz|tar\.gz)$", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Spot:
    """A folder somewhere in a folder or an archive."""

    archive: Archive
    prefix: str
    """Its name with `/` at the end, or nothing for the top."""

    def __str__(self) -> str:
        return f"{self.archive.path}/{self.prefix}".rstrip("/")

    def has(self, name: str) -> bool:
        """Whether the file is there."""
        return self.prefix + name in self.archive.sizes

    def read(self, name: str) -> bytes:
        """A file that describes pictures. Raises `DataError`, with the file's name."""
        try:
            content = self.archive.read(self.prefix + name, MAX_LIST_BYTES)
        except DataError as error:
            raise DataError(f"{self.archive.path}: {error}") from None
        if content.startswith(LFS_POINTER):
            raise DataError(f"{self}/{name} is a git-LFS pointer instead of the file: run git lfs pull")
        if is_web_page(content):
            raise DataError(f"{self}/{name} is a web page saved under this name: fetch the file itself")
        return content

    def lines(self, name: str) -> list[str]:
        """The lines with content of a list. Raises `DataError`."""
        text = self.read(name).decode("utf-8-sig", errors="replace")
        # Not by splitlines: sentences hold form feeds and Unicode's line separators.
        return [line.strip() for line in re.split(r"\r\n|\r|\n", text) if line.strip()]

    def json(self, name: str) -> Any:
        """The content of a JSON file. Raises `DataError`."""
        try:
            return json.loads(self.read(name))
        except (ValueError, RecursionError) as error:
            raise DataError(f"{self}/{name} is damaged or cut off ({error}): fetch it again") from None

    def member(self, name: str) -> "Member":
        """A picture, to be opened later."""
        return Member(self.archive, self.prefix + name)


@dataclass(frozen=True, slots=True)
class Member:
    """A picture in a folder or an archive; calling it opens the picture."""

    archive: Archive
    name: str

    def __call__(self) -> Image.Image:
        """Open it. Raises `DataError` without the file's name."""
        return open_picture_bytes(self.archive.read(self.name))

    def __str__(self) -> str:
        return f"{self.archive.path}: {self.name if self.name.isprintable() else ascii(self.name)}"


@dataclass(frozen=True, slots=True)
class Places:
    """Where to look: first what is unpacked, then the archives beside it, opened when needed."""

    root: Path
    opened: list[Archive]
    closed: list[Path]

    def each(self) -> Iterator[Archive]:
        """The folder, and the archives one after the other."""
        yield from self.opened
        while self.closed:
            self.opened.append(open_archive(self.closed.pop(0)))
            yield self.opened[-1]

    def find_file(self, name: str) -> Spot | None:
        """The folder with the file `name`, or with the path that `name` is, least deep first."""
        for archive in self.each():
            found = [file for file in archive.sizes if file == name or file.endswith(f"/{name}")]
            if found:
                return Spot(archive, min(found, key=lambda file: file.count("/")).removesuffix(name))
        return None

    def find_folder(self, *names: str) -> Spot | None:
        """The first folder of one of these names that has files in it."""
        for archive in self.each():
            for name in names:
                part = f"/{name}/"
                for file in archive.sizes:
                    if (at := f"/{file}".find(part)) >= 0:
                        return Spot(archive, file[:at] + f"{name}/")
        return None

    def need_file(self, name: str, what: str) -> Spot:
        """As `find_file`. Raises `DataError` that says what is missing."""
        return self.find_file(name) or self._missing(f"{name} ({what})")

    def need_folder(self, what: str, *names: str) -> Spot:
        """As `find_folder`. Raises `DataError` that says what is missing."""
        return self.find_folder(*names) or self._missing(
            f"{' or '.join(f'{name}/' for name in names)} ({what})"
        )

    def _missing(self, what: str) -> Any:
        hint = ""
        archives = [archive for archive in self.opened if archive.path.is_file()]
        inner = next(
            (f"{a.path}: {name}" for a in archives for name in a.sizes if _ARCHIVE.search(name)), None
        )
        links = next((f"{a.path}/{link}" for a in self.opened for link in a.links), None)
        if inner is not None:
            hint = f" (archives inside of archives aren't read: {inner}: unpack the outer one)"
        elif links is not None:
            hint = f" (the link {links} wasn't followed: put the folder itself there)"
        raise DataError(f"{self.root} has no {what}{hint}")


def open_places(root: Path | None, source: str, what: str, archives: str) -> Places:
    """Look into `root`: a folder, and archives in it whose names match the pattern, or an archive.

    Raises:
        DataError: there is no such folder or archive.
    """
    if root is None:
        raise DataError(f"{source} needs --from DIR: the folder with {what}")
    first = open_archive(root)
    closed: list[Path] = []
    if root.is_dir():
        pattern = re.compile(archives, re.IGNORECASE)
        named = [name for name in first.sizes if _ARCHIVE.search(name)]
        closed = [root / name for name in named if pattern.fullmatch(PurePosixPath(name).name)]
    return Places(root, [first], closed)


def make_source(
    described: list[SourcePicture | Problem],
    num_pictures: int | None,
    seed: int,
    *,
    name: str,
    title: str,
    origin: str,
    licence: str,
    description: str,
    notes: list[str],
    published: Published | None = None,
) -> Source:
    """A source of pictures whose `open` is a `Member`, or anything else that opens them.

    Raises:
        DataError: a class is in two splits, where the published one goes by class.
    """
    checked = check_classes(described, published)
    chosen = choose(described, num_pictures, seed)
    num_good = sum(isinstance(item, SourcePicture) for item in described)
    dropped = (
        []
        if len(chosen) == len(described)
        else [item for item in described if isinstance(item, Problem) and item.is_missing]
    )
    missing = [f"not there: {len(dropped):,} pictures, such as {dropped[0].where}"] if dropped else []
    is_some = (num_pictures is not None and num_pictures < num_good) or bool(dropped)
    count = partial(count_notes, published=published, num_chosen_of=num_good if is_some else None)
    return Source(
        name,
        title,
        origin,
        licence,
        description,
        in_reading_order(chosen),
        len(chosen),
        notes=(*checked, *notes, *missing),
        count=count,
    )


def in_reading_order(items: Iterable[SourcePicture | Problem]) -> Iterator[SourcePicture | Problem]:
    """The items as listed, but those in compressed tars at the end, in the order in which they lie there."""
    waiting: dict[int, tuple[Archive, dict[str, SourcePicture]]] = {}
    for item in items:
        if isinstance(item, Problem) or not isinstance(item.open, Member) or item.open.archive.read_member:
            yield item
            continue
        archive = item.open.archive
        waiting.setdefault(id(archive), (archive, {}))[1][item.open.name] = item
    for archive, by_name in waiting.values():
        for name, content in archive.stream(by_name):
            item = by_name[name]
            if isinstance(content, DataError):
                yield Problem(item.where, str(content))
            else:
                yield replace(item, open=partial(open_picture_bytes, content))
