"""Tables of captions as spreadsheets, pandas and download pages write them: separator, encoding, columns."""

import csv
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass

from creativeai.errors import DataError
from creativeai.stand_ins import LFS_POINTER, is_web_page

__all__ = ["PICTURE_KEYS", "Table", "caption_keys", "decode_table", "open_table"]

PICTURE_KEYS = ("file_name", "filename", "image", "image_name", "image_file", "image_path", "img", "file")
"""What the column of the pictures is called, the first of these that is there."""
_CAPTION_KEYS = ("captions", "text", "caption", "sentences", "sentence")
_NUMBERED = re.compile(rf"({'|'.join(_CAPTION_KEYS)})[ _-]?\d{{1,3}}")
SEPARATORS = ",;\t|"
"""The first that gives columns of pictures and captions is taken."""
_SEPARATOR_LINE = re.compile(r"sep=(.)\r?\n", re.IGNORECASE)
"""How Excel is told the separator, in a line before the header."""
_ENCODING_NOTE = "is not UTF-8: read as Windows-1252"


@dataclass(frozen=True, slots=True)
class Table:
    """A table whose header has been read."""

    columns: tuple[str, ...]
    """Their names in small letters, without spaces around them."""
    rows: Iterator[tuple[int, dict[str, str] | DataError]]
    """The number of each row's last line, and its cells that aren't empty by their column."""
    notes: tuple[str, ...]


def caption_keys(columns: tuple[str, ...]) -> list[str]:
    """The columns that hold captions, also `caption_1`, `caption_2`; those of a usual name first.

    A `comment` is a caption only where there is nothing else, as in Flickr30k's table.
    """
    found = [key for key in _CAPTION_KEYS if key in columns]
    found += [key for key in columns if _NUMBERED.fullmatch(key)]
    return found or [key for key in ("comment",) if key in columns]


def open_table(content: bytes, where: str) -> Table:
    """Read the header of a table with commas, semicolons, tabs or bars between its cells.

    Args:
        content: The file.
        where: Its name in errors.

    Raises:
        DataError: it has no columns of pictures and captions, or one of those twice; encoding; broken quotes.
    """
    text, notes = decode_table(content, where)
    separators: str = SEPARATORS
    first_line = 0
    if (told := _SEPARATOR_LINE.match(text)) is not None:
        text, separators, first_line = text[told.end() :], told[1], 1
    header = next((line for line in re.split(r"\r\n|\r|\n", text) if line.strip()), "")
    columns, separator = _columns_of(header, separators)
    captions = caption_keys(columns)
    picture = next((key for key in PICTURE_KEYS if key in columns), None)
    if picture is None or not captions:
        found = ", ".join(repr(column) for column in columns if column)[:200] or "nothing"
        raise DataError(
            f"{where}: columns file_name and text (or image and caption) are needed in the first line, "
            f"found {found}"
        )
    for column in (picture, *captions, "split", "label", "attributes"):
        if columns.count(column) > 1:
            raise DataError(f"{where}: the first line names column {column} twice: keep one, or rename it")
    known = {picture, *captions, "split", "label", "attributes"}
    if unused := [column for column in columns if column and column not in known]:
        notes = (*notes, f"{where}: columns not used: {', '.join(unused)[:200]}")
    return Table(columns, _rows(text, where, columns, separator, first_line), notes)


def decode_table(content: bytes, where: str) -> tuple[str, tuple[str, ...]]:
    """The text of a table, and a note where it isn't UTF-8.

    Windows-1252, in which Excel saves "CSV", is told from a damaged UTF-8 by having no letter in UTF-8.

    Raises:
        DataError: neither of them, nor UTF-16.
    """
    check_is_text(content, where)
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        try:
            return content.decode("utf-16"), ()
        except UnicodeDecodeError:
            raise DataError(f"{where}: broken UTF-16: save the file as UTF-8") from None
    try:
        return content.decode("utf-8-sig"), ()
    except UnicodeDecodeError as error:
        if content.decode("utf-8-sig", errors="ignore").isascii():
            try:
                return content.decode("cp1252"), (f"{where} {_ENCODING_NOTE}",)
            except UnicodeDecodeError:
                pass
        line = content.count(b"\n", 0, error.start) + 1
        raise DataError(f"{where} line {line}: not UTF-8: save the file as UTF-8") from None


def check_is_text(content: bytes, where: str) -> None:
    """Refuse what downloads and clones leave in a file's place.

    Raises:
        DataError: a git-LFS pointer or a web page.
    """
    if content.startswith(LFS_POINTER):
        raise DataError(f"{where}: is a git-LFS pointer instead of the file: run git lfs pull")
    if is_web_page(content):
        raise DataError(f"{where}: is a web page saved under this name: fetch the file itself")


def _columns_of(header: str, separators: str) -> tuple[tuple[str, ...], str]:
    best: tuple[int, tuple[str, ...], str] = (-1, (), ",")
    for separator in separators:
        try:
            cells = next(csv.reader([header], delimiter=separator, strict=True), [])
        except (csv.Error, ValueError, TypeError):  # a separator that can't be one: a quote, a line break
            continue
        columns = tuple(cell.strip().lower() for cell in cells)
        is_whole = bool(caption_keys(columns)) and any(key in columns for key in PICTURE_KEYS)
        if (rank := 1000 * is_whole + min(len(columns), 999)) > best[0]:
            best = rank, columns, separator
    return best[1:]


def _rows(
    text: str, where: str, columns: tuple[str, ...], separator: str, first_line: int
) -> Iterator[tuple[int, dict[str, str] | DataError]]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    is_header = True
    try:
        for cells in reader:
            number = first_line + reader.line_num
            if not any(cell.strip() for cell in cells):
                continue
            if is_header:
                is_header = False
            elif any(cell.strip() for cell in cells[len(columns) :]):
                sign = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"}.get(separator, separator)
                yield number, DataError(f"more cells than columns: put text with {sign} in quotes")
            else:
                row = zip(columns, cells, strict=False)
                yield number, {column: cell for column, cell in row if cell.strip()}
    except csv.Error as error:
        raise DataError(f"{where} line {first_line + reader.line_num}: broken CSV ({error})") from None
