"""Reading `metadata.jsonl` and `metadata.csv` as Hugging Face's ImageFolder has them, line by line."""

import csv
import io
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from creativeai.errors import DataError
from creativeai.stand_ins import LFS_POINTER

CAPTION_KEYS = ("captions", "text", "caption")
"""Where captions are looked for, in this order: each may be one sentence or a list of them."""
SPLIT_NAMES = {"train": "train", "training": "train", "test": "test"} | dict.fromkeys(
    ("val", "valid", "validation", "dev"), "validation"
)
"""Names of splits as people and Hugging Face spell them."""


@dataclass(frozen=True, slots=True)
class Description:
    """What one line of a metadata file says of one picture."""

    file_name: str
    """Relative to the metadata file's folder, with `/`; never leads out of it by its spelling."""
    captions: tuple[str, ...]
    label: str | None
    split: str | None
    attributes: dict[str, Any] | None


def read_metadata(file: Path) -> Iterator[tuple[int, Description | DataError]]:
    """Read a metadata file: for each line with content its number, and the description or what is wrong.

    Raises:
        DataError: the file as a whole can't be read: encoding, missing column, broken CSV.
    """
    text = _decode(file)
    rows = _read_csv(file, text) if file.suffix == ".csv" else _read_jsonl(text)
    for number, row in rows:
        if isinstance(row, DataError):
            yield number, row
            continue
        try:
            yield number, parse_description(row)
        except DataError as error:
            yield number, error


def parse_description(row: dict[str, Any]) -> Description:
    """Check one line's content.

    Raises:
        DataError: what is wrong with it, without file and line.
    """
    file_name = _parse_file_name(row.get("file_name"))
    try:
        attributes = row.get("attributes")
        if isinstance(attributes, str):  # a CSV cell
            attributes = json.loads(attributes)
        if attributes is not None and not isinstance(attributes, dict):
            raise ValueError
        label = row.get("label")
        if label is not None and not isinstance(label, (str, int)):
            raise TypeError
        return Description(
            file_name,
            _parse_captions(row),
            None if label is None else str(label),
            parse_split(row.get("split")),
            attributes or None,
        )
    except DataError as error:
        raise DataError(f"{file_name}: {error}") from None
    except TypeError:
        raise DataError(f"{file_name}: label must be text or a number") from None
    except ValueError:
        raise DataError(f"{file_name}: attributes must be an object of names and values") from None


def parse_split(split: object) -> str | None:
    """`train`, `validation` or `test` for any usual name of a split, None for none.

    Raises:
        DataError: not a name of a split.
    """
    if split is None or split == "":
        return None
    if not isinstance(split, str) or split.lower() not in SPLIT_NAMES:
        raise DataError(f"unknown split '{split}': use train, validation or test")
    return SPLIT_NAMES[split.lower()]


def _decode(file: Path) -> str:
    content = file.read_bytes()
    if content.startswith(LFS_POINTER):
        raise DataError(f"{file}: is a git-LFS pointer instead of the file: run git lfs pull")
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise DataError(f"{file}: the file is UTF-16: save it as UTF-8")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise DataError(f"{file} line {line}: not UTF-8: save the file as UTF-8") from None


def _read_jsonl(text: str) -> Iterator[tuple[int, dict[str, Any] | DataError]]:
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except (ValueError, RecursionError) as error:
            yield number, DataError(f"broken JSON ({error}): each line must be one whole object")
            continue
        yield (
            number,
            row if isinstance(row, dict) else DataError("not a JSON object with file_name and captions"),
        )


def _read_csv(file: Path, text: str) -> Iterator[tuple[int, dict[str, Any] | DataError]]:
    reader = csv.DictReader(io.StringIO(text, newline=""), strict=True)
    try:
        columns = reader.fieldnames or []
        if "file_name" not in columns or not any(key in columns for key in CAPTION_KEYS):
            found = ", ".join(columns)[:200] or "nothing"
            raise DataError(f"{file}: columns file_name and text are needed in the first line, found {found}")
        for row in reader:
            if row.pop(None, None) is not None:  # DictReader's key for what is too much
                yield reader.line_num, DataError("more cells than columns: put text with commas in quotes")
            else:
                yield reader.line_num, {key: _parse_cell(key, cell) for key, cell in row.items() if cell}
    except csv.Error as error:
        raise DataError(f"{file} line {reader.line_num}: broken CSV ({error})") from None


def _parse_cell(key: str, cell: str) -> object:
    """A cell of captions may hold a JSON list."""
    if key in CAPTION_KEYS and cell.lstrip().startswith("["):
        try:
            return json.loads(cell)
        except (ValueError, RecursionError):
            pass  # just a sentence that starts with a bracket
    return cell


def _parse_file_name(value: object) -> str:
    if not isinstance(value, str) or not value.strip():
        raise DataError("no file_name")
    _check_text(value, "file_name")
    path = PurePosixPath(value)
    if path.is_absolute() or ".." in path.parts or re.match(r"[A-Za-z]:", value):
        raise DataError(f"{value}: the path leads out of the folder: pictures must be inside it")
    if "\\" in value:
        raise DataError(f"{value}: write / instead of \\ in file_name")
    if not path.parts:
        raise DataError(f"{value}: not a file_name")
    return str(path)


def _parse_captions(row: dict[str, Any]) -> tuple[str, ...]:
    key = next((key for key in CAPTION_KEYS if row.get(key) is not None), None)
    value = row[key] if key else None
    captions = [value] if isinstance(value, str) else value
    if captions is None or captions == []:
        raise DataError("no captions: give text, or a list of captions")
    if not isinstance(captions, list) or not all(isinstance(caption, str) for caption in captions):
        raise DataError(f"{key} must be a sentence or a list of sentences")
    clean = tuple(" ".join(caption.split()) for caption in captions)
    if not all(clean):
        raise DataError("a caption is empty: write one, or take it out")
    for caption in clean:
        _check_text(caption, "the caption")
    return clean


def _check_text(text: str, name: str) -> None:
    """Refuse what can't be a file's name or part of a sentence, and what can't be written as UTF-8."""
    if re.search(r"[\x00-\x1f\x7f\ud800-\udfff]", text):
        raise DataError(f"{name} holds control characters or broken Unicode: {text[:60]!a}")
