"""Reading what describes pictures, line by line: `metadata.jsonl`, as Hugging Face has it, and tables."""

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import Any

from creativeai.data.sources.captions import sentences_in
from creativeai.data.sources.tables import PICTURE_KEYS, caption_keys, check_is_text, open_table
from creativeai.errors import DataError

CAPTION_KEYS = ("captions", "text", "caption")
"""What captions are usually called: each may be one sentence or a list of them, and all of them count."""
SPLIT_NAMES = {"train": "train", "training": "train", "test": "test"} | dict.fromkeys(
    ("val", "valid", "validation", "dev"), "validation"
)
"""Names of splits as people and Hugging Face spell them."""


class NoCaptions(DataError):
    """A line that describes a picture but has no captions."""


@dataclass(frozen=True, slots=True)
class Description:
    """What one line of a metadata file says of one picture."""

    file_name: str
    """Relative to the metadata file's folder, with `/`; never leads out of it by its spelling."""
    captions: tuple[str, ...]
    label: str | None
    split: str | None
    attributes: dict[str, Any] | None


@dataclass(frozen=True, slots=True)
class Metadata:
    """What a file says of pictures."""

    rows: Iterator[tuple[int, Description | DataError]]
    """For each line with content its number, and the description or what is wrong."""
    notes: tuple[str, ...] = ()


def read_metadata(file: Path) -> Metadata:
    """Read a file of JSON lines, called `.jsonl`, or a table.

    Raises:
        DataError: the file as a whole can't be read: encoding, missing column, broken CSV. The last of them
            is raised while the rows are read.
    """
    return parse_metadata(file.read_bytes(), str(file), is_table=file.suffix.lower() != ".jsonl")


def parse_metadata(content: bytes, where: str, *, is_table: bool) -> Metadata:
    """The same for a file that was read already; `where` is its name in errors.

    Raises:
        DataError: as `read_metadata`.
    """
    if not is_table:
        return Metadata(_described(_read_jsonl(_decode(content, where))))
    table = open_table(content, where)
    return Metadata(_described((number, row) for number, row in table.rows), table.notes)


def join_rows(
    rows: Iterable[tuple[int, Description | DataError]],
) -> list[tuple[int, Description | DataError]]:
    """Captions of several lines of one picture put together, where the first of them stands.

    A line that says otherwise of its picture than one before it becomes an error.
    """
    joined: list[tuple[int, Description | DataError]] = []
    places: dict[str, int] = {}
    captions: dict[str, list[str]] = {}
    for number, row in rows:
        if isinstance(row, DataError):
            joined.append((number, row))
        elif row.file_name not in places:
            places[row.file_name] = len(joined)
            captions[row.file_name] = list(row.captions)
            joined.append((number, row))
        else:
            place = places[row.file_name]
            first, known = joined[place]
            assert isinstance(known, Description)
            try:
                joined[place] = first, _agreed(known, row, first)
                captions[row.file_name] += row.captions
            except DataError as error:
                joined.append((number, DataError(f"{row.file_name}: {error}")))
    return [
        (
            number,
            replace(row, captions=tuple(captions[row.file_name])) if isinstance(row, Description) else row,
        )
        for number, row in joined
    ]


def _agreed(known: Description, row: Description, first: int) -> Description:
    for name in ("label", "split", "attributes"):
        old, new = getattr(known, name), getattr(row, name)
        if old is not None and new is not None and old != new:
            raise DataError(
                f"its {name} is {new!r:.40} here, but {old!r:.40} at line {first}: make them agree"
            )
        if old is None and new is not None:
            known = replace(known, **{name: new})
    return known


def _described(
    rows: Iterable[tuple[int, dict[str, Any] | DataError]],
) -> Iterator[tuple[int, Description | DataError]]:
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
    key = next((key for key in PICTURE_KEYS if row.get(key) is not None), "file_name")
    file_name = _parse_file_name(row.get(key))
    try:
        attributes = row.get("attributes")
        if isinstance(attributes, str):  # a CSV cell
            attributes = json.loads(attributes)
        if attributes is not None and not isinstance(attributes, dict):
            raise ValueError
        if attributes is not None:
            json.dumps(attributes, allow_nan=False)  # what is no number in JSON can't be written again
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
        raise type(error)(f"{file_name}: {error}") from None
    except TypeError:
        raise DataError(f"{file_name}: label must be text or a number") from None
    except (ValueError, RecursionError):
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


def _decode(content: bytes, where: str) -> str:
    check_is_text(content, where)
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise DataError(f"{where}: the file is UTF-16: save it as UTF-8")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise DataError(f"{where} line {line}: not UTF-8: save the file as UTF-8") from None


def _read_jsonl(text: str) -> Iterator[tuple[int, dict[str, Any] | DataError]]:
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        try:
            row = json.loads(line, object_pairs_hook=each_key_once)
        except DataError as error:
            yield number, error
            continue
        except (ValueError, RecursionError) as error:
            yield number, DataError(f"broken JSON ({error}): each line must be one whole object")
            continue
        yield (
            number,
            row if isinstance(row, dict) else DataError("not a JSON object with file_name and captions"),
        )


def each_key_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object, of which JSON would keep the last of two values with one name."""
    row = dict(pairs)
    if len(row) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise DataError(f"{twice[:60]!a} is there twice: keep one of them, or make a list of both")
    return row


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
    """Those of all keys; what two keys both say counts once."""
    found: list[str] = []
    for key in caption_keys(tuple(row)):
        value = row[key]
        if value is None or value == []:
            continue
        captions = sentences_in(value) if isinstance(value, str) else value
        if not isinstance(captions, list) or not all(isinstance(caption, str) for caption in captions):
            raise DataError(f"{key} must be a sentence or a list of sentences")
        clean = [" ".join(caption.split()) for caption in captions]
        if not all(clean):
            raise DataError("a caption is empty: write one, or take it out")
        for caption in clean:
            _check_text(caption, "the caption")
        found += [caption for caption in clean if caption not in found] if found else clean
    if not found:
        raise NoCaptions("no captions: give text, or a list of captions")
    return tuple(found)


def _check_text(text: str, name: str) -> None:
    """Refuse what can't be a file's name or part of a sentence, and what can't be written as UTF-8."""
    if re.search(r"[\x00-\x1f\x7f\ud800-\udfff]", text):
        raise DataError(f"{name} holds control characters or broken Unicode: {text[:60]!a}")
