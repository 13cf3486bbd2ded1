"""The files of a folder, none of which may lie outside of it."""

import os
import re
from collections.abc import Callable
from pathlib import Path

from creativeai.errors import DataError


def list_folder(root: Path, max_files: int) -> tuple[dict[str, int], Callable[[str], bytes], tuple[str, ...]]:
    """Sizes of all files by their name within the folder, a function that reads one, and links not followed.

    Files are sorted by name, hidden ones left out. A link to a file is read if that lies in the folder too;
    links to folders are not followed.

    Raises:
        DataError: too many files, or a name that is no text.
    """
    sizes: dict[str, int] = {}
    links: list[str] = []
    waiting = [""]
    while waiting:
        prefix = waiting.pop()
        with os.scandir(root / prefix) as entries:
            for entry in entries:
                name = prefix + entry.name
                if entry.name.startswith("."):
                    continue
                if re.search(r"[\x00-\x1f\x7f\ud800-\udfff]", name):
                    raise DataError(f"{root} holds a file with a broken name: {name!a}")
                if entry.is_dir(follow_symlinks=False):
                    waiting.append(f"{name}/")
                elif os.path.isdir(entry.path):  # by a link
                    links.append(name)
                elif os.path.isfile(entry.path):
                    sizes[name] = entry.stat().st_size
        if len(sizes) > max_files:
            raise DataError(f"{root} holds more than {max_files:,} files: give the folder of the pictures")
    inside = os.path.realpath(root)

    def read(name: str) -> bytes:
        file = os.path.join(root, name)
        if os.path.commonpath((inside, os.path.realpath(file))) != inside:
            raise DataError(f"{name}: a link leads out of the folder: copy the file into it")
        try:
            with open(file, "rb") as opened:
                content = opened.read(sizes[name] + 1)
        except OSError as error:
            raise DataError(f"{name} can't be read: {error.strerror or error}") from None
        if len(content) != sizes[name]:
            raise DataError(f"{name} has changed while it was read")
        return content

    return dict(sorted(sizes.items())), read, tuple(sorted(links))
