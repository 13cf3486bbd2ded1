"""The sources of captioned pictures, by name."""

from pathlib import Path

from creativeai.data.sources.attngan import open_attngan
from creativeai.data.sources.base import OpenSource, Problem, Source, SourcePicture
from creativeai.data.sources.birds import open_birds
from creativeai.data.sources.coco import open_coco
from creativeai.data.sources.cub200 import open_cub200
from creativeai.data.sources.flickr import open_flickr
from creativeai.data.sources.flowers import open_flowers
from creativeai.data.sources.folder import open_folder
from creativeai.data.sources.oxford102 import open_oxford102
from creativeai.data.sources.parquet import open_parquet
from creativeai.data.sources.stackgan import open_stackgan
from creativeai.data.sources.text_files import open_text_files
from creativeai.data.sources.toybirds import open_toybirds
from creativeai.data.sources.webdataset import open_webdataset
from creativeai.errors import DataError, UserError

__all__ = ["SOURCES", "Problem", "Source", "SourcePicture", "open_source"]

SOURCES: dict[str, OpenSource] = {
    "folder": open_folder,
    "birds": open_birds,
    "flowers": open_flowers,
    "toybirds": open_toybirds,
    "cub200": open_cub200,
    "oxford102": open_oxford102,
    "coco": open_coco,
    "flickr": open_flickr,
    "attngan": open_attngan,
    "stackgan": open_stackgan,
    "webdataset": open_webdataset,
    "parquet": open_parquet,
    "text_files": open_text_files,
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
