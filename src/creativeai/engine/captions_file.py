"""Files of captions to draw: a sentence a line, or JSON lines with `text` and perhaps `seed`."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from creativeai.engine.pictures import NUM_SEEDS
from creativeai.errors import RequestError

__all__ = ["Caption", "read_captions"]


@dataclass(frozen=True, slots=True)
class Caption:
    """A caption of a file."""

    text: str
    where: str
    """File and line, for messages."""
    seed: int | None = None
    """Seed of its first picture, where the file says it."""


def read_captions(path: Path) -> list[Caption]:
    """All captions of a file, empty lines left out.

    Args:
        path: `.jsonl` for JSON lines; any other name for plain text.

    Raises:
        RequestError: It can't be read, isn't UTF-8, has no captions, or a line isn't what it should be.
    """
    try:
        lines = path.read_text("utf-8-sig").splitlines()
    except OSError as error:
        raise RequestError(f"can't read {path}: {error.strerror or error}", param="captions") from None
    except UnicodeDecodeError:
        raise RequestError(f"{path} is not UTF-8: save it as UTF-8", param="captions") from None
    captions = list(_parse(path, lines))
    if not captions:
        raise RequestError(f"{path} has no captions: write one a line", param="captions")
    return captions


def _parse(path: Path, lines: list[str]) -> Iterator[Caption]:
    for number, line in enumerate(lines, start=1):
        where = f"{path} line {number}"
        if not line.strip():
            continue
        if path.suffix != ".jsonl":
            yield Caption(line.strip(), where)
            continue
        try:
            row = json.loads(line)
            text, seed = row["text"], row.get("seed")
        except (ValueError, RecursionError, TypeError, KeyError, AttributeError):
            text = seed = None
        if not isinstance(text, str) or not (seed is None or _is_seed(seed)):
            raise RequestError(
                f'{where}: not {{"text": "a red bird"}}, perhaps with a "seed" from 0 to {NUM_SEEDS - 1}',
                param="captions",
            )
        yield Caption(text, where, seed)


def _is_seed(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < NUM_SEEDS
