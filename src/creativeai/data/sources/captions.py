"""Captions as they come: text files of several encodings, lists in JSON and tables, cleaned the same way."""

import json
import re
from collections.abc import Iterable
from typing import Any

from creativeai.errors import DataError
from creativeai.stand_ins import LFS_POINTER, is_web_page

MAX_TEXT_BYTES = 2**20
"""Largest text file of one picture's captions."""
MAX_CAPTIONS = 1000
_UNFIT = re.compile(r"[\x00-\x1f\x7f-\x9f\ufffd\ufeff\ud800-\udfff]+")
"""Control characters, and what is left of characters that were lost before."""
SENTENCE_KEYS = ("raw", "text", "caption", "sentence")
"""Where a caption lies that is an object itself, as in Karpathy's lists."""
_QUOTED = re.compile(r"""[uU]?(?:'((?:[^'\\]|\\.)*)'|"((?:[^"\\]|\\.)*)")""", re.DOTALL)
_BETWEEN = re.compile(r"\s*,\s*|\s+|(?=[\])])")
_ESCAPE = re.compile(r"\\(x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U00(?:0[0-9a-fA-F]|10)[0-9a-fA-F]{4}|.)", re.DOTALL)


def parse_caption_file(content: bytes) -> tuple[str, ...]:
    """The captions of a text file, one a line; lines that aren't UTF-8 are taken for Windows-1252.

    Raises:
        DataError: no captions, or more than anyone writes, or a web page or git-LFS pointer in their place.
    """
    if content.startswith(LFS_POINTER):
        raise DataError("the captions are a git-LFS pointer instead of the file: run git lfs pull")
    if is_web_page(content):
        raise DataError("the captions are a web page saved under this name: fetch the file itself")
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        lines = re.split(r"\r\n|\r|\n", content.decode("utf-16", errors="replace"))
    else:
        lines = [_decode(line) for line in re.split(rb"\r\n|\r|\n", content.removeprefix(b"\xef\xbb\xbf"))]
    return clean_captions(lines)


def clean_captions(captions: Iterable[str]) -> tuple[str, ...]:
    """Captions without control characters, doubled spaces and lost characters; empty ones are left out.

    Raises:
        DataError: none is left, or more than anyone writes.
    """
    clean = tuple(text for caption in captions if (text := " ".join(_UNFIT.sub(" ", caption).split())))
    if not clean:
        raise DataError("no captions: the text is empty")
    if len(clean) > MAX_CAPTIONS:
        raise DataError(f"{len(clean):,} captions: at most {MAX_CAPTIONS:,} are meant for one picture")
    return clean


def captions_of(value: Any) -> tuple[str, ...]:
    """Captions of a value from JSON or a table: a sentence, an object with one, or a list of either.

    Raises:
        DataError: the value is something else, or holds no caption.
    """
    items = value if isinstance(value, list) else [value]
    captions = []
    for item in items:
        if isinstance(item, dict):
            item = next((item[key] for key in SENTENCE_KEYS if key in item), None)
        sentences = sentences_in(item) if isinstance(item, str) else [item]
        if not all(isinstance(sentence, str) for sentence in sentences):
            raise DataError("the captions are neither sentences nor lists of them")
        captions += sentences
    return clean_captions(captions)


def sentences_in(text: str) -> list[Any]:
    """The text itself, or if it is a list of texts as JSON, pandas or NumPy write it, what the list holds.

    These are `["a", "b"]`, `['a', "b's"]` and `['a' 'b']`. JSON may hold anything: the caller checks it.

    Raises:
        DataError: it begins as such a list, but isn't a whole one.
    """
    stripped = text.strip()
    if not stripped.startswith(("[", "(")):
        return [text]
    if stripped.startswith("["):
        try:
            value = json.loads(stripped)
        except (ValueError, RecursionError):
            pass
        else:
            return value if isinstance(value, list) else [text]
    sentences = _quoted_in(stripped)
    if sentences is not None:
        return sentences
    if re.match(r"\[\s*[uU]?['\"]", stripped):
        raise DataError(f"begins like a list of captions, but isn't a whole one: {stripped[:40]!a}")
    return [text]


def _quoted_in(text: str) -> list[str] | None:
    """The texts of a list or tuple as Python writes it, None if it is none."""
    end = len(text) - 1
    if text[:1] + text[-1:] not in ("[]", "()"):
        return None
    place = re.compile(r"\s*").match(text, 1).end()  # type: ignore[union-attr]  # it matches anything
    found: list[str] = []
    while place < end:
        quoted = _QUOTED.match(text, place, end)
        between = _BETWEEN.match(text, quoted.end()) if quoted is not None else None
        if quoted is None or between is None:
            return None
        found.append(_ESCAPE.sub(_unescaped, quoted[1] if quoted[1] is not None else quoted[2]))
        place = between.end()
    # A tuple of one text would be a sentence in brackets.
    return found if text[0] == "[" or len(found) > 1 else None


def _unescaped(escape: re.Match[str]) -> str:
    code = escape[1]
    if len(code) > 1:
        return chr(int(code[1:], 16))
    return " " if code in "nrt" else code


def _decode(line: bytes) -> str:
    for encoding in ("utf-8", "cp1252"):
        try:
            return line.decode(encoding)
        except UnicodeDecodeError:
            continue
    return line.decode("latin-1")  # five bytes mean nothing in Windows-1252
