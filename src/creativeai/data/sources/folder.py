"""folder: any pictures with a `metadata.jsonl` or `metadata.csv` in Hugging Face's ImageFolder form.

The metadata lies in the folder itself or in `train`, `validation` and `test` folders in it.
"""

import re
from functools import partial
from pathlib import Path, PurePosixPath

from PIL import Image

from creativeai.data.pictures import open_picture
from creativeai.data.sources.base import Problem, Source, SourcePicture, choose
from creativeai.data.sources.metadata import SPLIT_NAMES, parse_split, read_metadata
from creativeai.errors import DataError

METADATA_NAMES = ("metadata.jsonl", "metadata.csv")


def open_folder(root: Path | None, num_pictures: int | None, seed: int) -> Source:
    """Open a folder of captioned pictures.

    Licence and title are taken from its `README.md` if that begins with a Hugging Face dataset card
    (`license:` and `pretty_name:`).

    Raises:
        DataError: no folder, no metadata, or metadata that can't be read at all.
    """
    if root is None:
        raise DataError("folder needs --from DIR: the folder with the pictures and their metadata.jsonl")
    if not root.is_dir():
        raise DataError(f"{root}: {'not a folder' if root.exists() else 'no such folder'}")
    pictures = choose(_list_pictures(root), num_pictures, seed)
    card = _read_card(root / "README.md")
    name = root.resolve().name or "folder"
    return Source(
        name=name,
        title=card.get("pretty_name", name),
        origin=f"folder {name}",
        licence=card.get("license", "not stated"),
        description="Captioned pictures of a folder",
        pictures=pictures,
        num_pictures=len(pictures),
    )


def _list_pictures(root: Path) -> list[SourcePicture | Problem]:
    pictures: list[SourcePicture | Problem] = []
    places: dict[str, str] = {}  # file name -> where it was described first
    inside = root.resolve()
    for file in _find_metadata(root):
        for number, description in read_metadata(file):
            where = f"{file} line {number}"
            if isinstance(description, DataError):
                pictures.append(Problem(where, str(description)))
                continue
            file_name = (file.parent.relative_to(root) / description.file_name).as_posix()
            where = f"{where}: {file_name}"
            if file_name in places:
                message = (
                    f"described before, at {places[file_name]}: put all captions of a picture in one line"
                )
                pictures.append(Problem(where, message))
                continue
            places[file_name] = f"{file.name} line {number}"
            pictures.append(
                SourcePicture(
                    file_name,
                    partial(_open_inside, inside, root / file_name),
                    description.captions,
                    where,
                    description.label,
                    description.split or _split_of_folder(file_name),
                    description.attributes,
                )
            )
    return pictures


def _find_metadata(root: Path) -> list[Path]:
    found: list[Path] = []
    splits = [
        root / entry.name for entry in sorted(root.iterdir()) if entry.name in SPLIT_NAMES and entry.is_dir()
    ]
    for folder in (root, *splits):
        files = [folder / name for name in METADATA_NAMES if (folder / name).is_file()]
        if len(files) > 1:
            raise DataError(f"{folder} has both metadata.jsonl and metadata.csv: keep one of them")
        found += files
    if not found:
        raise DataError(
            f"{root} has no metadata.jsonl or metadata.csv: "
            'write one line per picture, such as {"file_name": "1.jpg", "text": "a small red bird"}'
        )
    return found


def _split_of_folder(file_name: str) -> str | None:
    folder = PurePosixPath(file_name).parts[0]
    return parse_split(folder) if folder in SPLIT_NAMES else None


def _open_inside(inside: Path, path: Path) -> Image.Image:
    try:
        leaves = not path.resolve().is_relative_to(inside)
    except (OSError, RuntimeError):  # a loop of links
        leaves = True
    if leaves:
        raise DataError("a link leads out of the folder: copy the picture into it")
    return open_picture(path)


def _read_card(file: Path) -> dict[str, str]:
    """The plain `key: value` lines of a README's YAML header."""
    if not file.is_file():
        return {}
    header = re.match(r"---\s*\n(.*?)\n---", file.read_text("utf-8", errors="replace"), re.DOTALL)
    pairs = re.findall(r"(?m)^(license|pretty_name):[ \t]*(\S.*?)\s*$", header[1]) if header else []
    return {key: value.strip("'\"") for key, value in pairs}
