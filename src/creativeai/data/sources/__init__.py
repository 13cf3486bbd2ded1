"""The sources of captioned pictures, by name."""

from pathlib import Path

from creativeai.data.sources.base import OpenSource, Problem, Source, SourcePicture
from creativeai.data.sources.birds525 import open_birds525
from creativeai.data.sources.folder import open_folder
from creativeai.data.sources.toybirds import open_toybirds
from creativeai.errors import DataError, UserError

__all__ = ["SOURCES", "Problem", "Source", "SourcePicture", "open_source"]

SOURCES: dict[str, OpenSource] = {
    "folder": open_folder,
    "birds525": open_birds525,
    "toybirds": open_toybirds,
}
"""A new source is one file here and one line in this table."""


def open_source(source: str, root: Path | None, num_pictures: int | None, seed: int) -> Source:
    """Open a source by its name, or the `folder` source by the path of a folder.

    Raises:
        UserError: there is no source and no folder of this name.
        DataError: the source's files can't be used.
    """
    try:
        if source in SOURCES:
            return SOURCES[source](root, num_pictures, seed)
        if Path(source).is_dir():
            if root is not None:
                raise UserError(f"two folders, {source} and {root}: leave one of them out")
            return open_folder(Path(source), num_pictures, seed)
    except OSError as error:
        raise DataError(f"{error.filename} can't be read: {error.strerror}") from None
    raise UserError(f"unknown source '{source}': use one of {', '.join(SOURCES)}, or the path of a folder")
