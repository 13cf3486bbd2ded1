"""folder: any pictures with a `metadata.jsonl` or a table, in Hugging Face's ImageFolder form or a like one.

The metadata lies in the folder itself or in `train`, `validation` and `test` folders in it. It is called
`metadata.jsonl` or `metadata.csv`; else the one table is taken that has columns of pictures and captions.
"""

import os
import re
from collections.abc import Iterable
from functools import partial
from pathlib import Path, PurePosixPath

from PIL import Image

from creativeai.data.pictures import open_picture
from creativeai.data.sources.base import Problem, Source, SourcePicture, choose
from creativeai.data.sources.metadata import (
    SPLIT_NAMES,
    Description,
    join_rows,
    parse_split,
    read_metadata,
)
from creativeai.data.sources.tables import open_table
from creativeai.errors import DataError

METADATA_NAMES = ("metadata.jsonl", "metadata.csv", "metadata.tsv")
_TABLE_SUFFIXES = (".csv", ".tsv", ".txt", ".jsonl")
_MAX_TABLES = 50
"""A folder with more text files has one a picture."""
_HEADER_BYTES = 2**16
_NUM_TRIED = 100
"""Names that are looked for where the metadata says, before they are looked for in the folders beside it."""


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
    described, notes = _list_pictures(root, wants_some=num_pictures is not None)
    pictures = choose(described, num_pictures, seed)
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
        notes=tuple(notes),
    )


def _list_pictures(root: Path, *, wants_some: bool) -> tuple[list[SourcePicture | Problem], list[str]]:
    pictures: list[SourcePicture | Problem] = []
    notes: list[str] = []
    places: dict[str, str] = {}  # file name -> where it was described first
    inside = root.resolve()
    for file in _find_metadata(root):
        metadata = read_metadata(file)
        notes += metadata.notes
        rows = join_rows(metadata.rows)
        folder = _folder_of(file.parent, [row for _, row in rows if isinstance(row, Description)])
        for number, description in rows:
            where = f"{file} line {number}"
            if isinstance(description, DataError):
                pictures.append(Problem(where, str(description)))
                continue
            path = folder / description.file_name
            file_name = path.relative_to(root).as_posix()
            where = f"{where}: {file_name}"
            if file_name in places:
                message = f"described before, at {places[file_name]}: describe it in one of the files"
                pictures.append(Problem(where, message))
                continue
            places[file_name] = f"{file.relative_to(root)} line {number}"
            if wants_some and not os.path.lexists(path):
                pictures.append(Problem(where, "the picture is missing", is_missing=True))
                continue
            pictures.append(
                SourcePicture(
                    file_name,
                    partial(_open_inside, inside, path),
                    description.captions,
                    where,
                    description.label,
                    description.split or _split_of_folder(file_name),
                    description.attributes,
                )
            )
    return pictures, notes


def _folder_of(parent: Path, descriptions: list[Description]) -> Path:
    """Where the described pictures lie: beside the metadata, else in the folder in it that has most of them.

    Tables of published sets name pictures without the folder that they come in, such as `Images`.
    """
    names = [description.file_name for description in descriptions[:_NUM_TRIED]]
    if not names or any(os.path.lexists(parent / name) for name in names):
        return parent
    below = [parent / entry.name for entry in _folders_in(parent)]
    below += [folder / entry.name for folder in below for entry in _folders_in(folder)]
    counts = {folder: sum(os.path.lexists(folder / name) for name in names) for folder in below}
    best = max(counts, key=lambda folder: counts[folder], default=parent)
    return best if counts.get(best) else parent


def _folders_in(folder: Path) -> Iterable[os.DirEntry[str]]:
    with os.scandir(folder) as entries:
        found = [entry for entry in entries if entry.is_dir(follow_symlinks=False) and entry.name[0] != "."]
    return sorted(found, key=lambda entry: entry.name)[:_NUM_TRIED]


def _find_metadata(root: Path) -> list[Path]:
    splits = [
        root / entry.name for entry in sorted(root.iterdir()) if entry.name in SPLIT_NAMES and entry.is_dir()
    ]
    found: list[Path] = []
    for folder in (root, *splits):
        files = [folder / name for name in METADATA_NAMES if (folder / name).is_file()]
        if len(files) > 1:
            names = " and ".join(file.name for file in files)
            raise DataError(f"{folder} has both {names}: keep one of them")
        found += files
    if found:
        return found
    is_prepared = (root / "dataset.json").is_file() and (root / "captions.jsonl").is_file()
    unfit = ["it is a prepared dataset, which training reads as it is"] if is_prepared else []
    for folder in () if is_prepared else (root, *splits):
        tables = _tables_in(folder)
        reasons = {file: _unfitness(file) for file in tables}
        fit = [file for file in tables if reasons[file] is None]
        if len(fit) > 1:
            names = " and ".join(file.name for file in fit[:3])
            raise DataError(f"{folder} has {names}: call the one to read {METADATA_NAMES[1]}, or keep one")
        found += fit
        unfit += [f"{file.name} is there, but {reason}" for file, reason in reasons.items() if reason]
    if not found:
        hint = f" ({_likeliest(unfit)})" if unfit else ""
        raise DataError(
            f"{root} has no metadata.jsonl or metadata.csv{hint}: "
            'write one line per picture, such as {"file_name": "1.jpg", "text": "a small red bird"}'
        )
    return found


def _likeliest(unfit: list[str]) -> str:
    """Of what is said of the files there, that of the one that is a table of captions by its name."""
    return next((text for text in unfit if "caption" in text.partition(" ")[0].lower()), unfit[0])


def _tables_in(folder: Path) -> list[Path]:
    files = [file for file in sorted(folder.iterdir()) if file.suffix.lower() in _TABLE_SUFFIXES]
    files = [file for file in files if not file.name.startswith(".") and file.is_file()]
    return (
        files if len(files) <= _MAX_TABLES else [f for f in files if f.suffix.lower() != ".txt"][:_MAX_TABLES]
    )


def _unfitness(file: Path) -> str | None:
    """Why a file describes no pictures, None if it does, by its beginning."""
    with file.open("rb") as opened:
        start = opened.read(_HEADER_BYTES)
    # The last line may be cut off, and with it a letter.
    start = start if len(start) < _HEADER_BYTES else start[: start.rfind(b"\n") + 1]
    try:
        if file.suffix.lower() != ".jsonl":
            open_table(start, "it")
        else:
            _, row = next(read_metadata(file).rows, (0, DataError("it is empty")))
            if isinstance(row, DataError):
                raise row
    except DataError as error:
        if file.suffix.lower() == ".txt" and any(
            file.with_suffix(suffix).exists() for suffix in (".jpg", ".jpeg", ".png", ".webp")
        ):
            return "lies beside a picture of its name: creativeai data prepare text_files reads such folders"
        return str(error).removeprefix("it: ")
    return None


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
