"""Captions as they come: text files of several encodings, lists in JSON and tables, cleaned the same way."""

import re
from collections.abc import Iterable
from typing import Any

from creativeai.errors import DataError

MAX_TEXT_BYTES = 2**20
"""Largest text file of one picture's captions."""
MAX_CAPTIONS = 1000
_UNFIT = re.compile(r"[\x00-\x1f\x7f-\x9f\ufffd\ufeff\ud800-\udfff]+")
"""Control characters, and what is left of characters that were lost before."""
SENTENCE_KEYS = ("raw", "text", "caption", "sentence")
"""Where a caption lies that is an object itself, as in Karpathy's lists."""


def parse_caption_file(content: bytes) -> tuple[str, ...]:
    """The captions of a text file, one a line; lines that aren't UTF-8 are taken for Latin-1.

    Raises:
        DataError: no captions, or more than anyone writes.
    """
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        lines = content.decode("utf-16", errors="replace").splitlines()
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
        if not isinstance(item, str):
            raise DataError("the captions are neither sentences nor lists of them")
        captions.append(item)
    return clean_captions(captions)


def _decode(line: bytes) -> str:
    try:
        return line.decode()
    except UnicodeDecodeError:
        return line.decode("latin-1")
