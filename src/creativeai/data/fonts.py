"""Captions as lines to draw, in any script: Pillow's own font for Latin letters, else one of the system's.

A font of Chinese, Japanese and Korean is 16 MB, so none is shipped. Where the system has none either, a note
stands in the caption's place, for a row of boxes says nothing.
"""

import os
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import cast

from PIL import ImageFont

__all__ = ["LINE_HEIGHT", "Line", "caption_lines", "font_folders"]

LINE_HEIGHT = 13
"""Pixels from one baseline to the next."""
_SIZE = 11
_MAX_LINES = 6
"""Of one caption."""
_MAX_FILES = 5000
_MAX_TRIED = 500
"""Fonts of this system that are opened, the likeliest first."""
_SUFFIXES = (".ttf", ".otf", ".ttc", ".otc")
_NOWHERE = "\uffff"
"""No character, so every font draws it as it draws what it doesn't have."""
_WIDE = re.compile(r"cjk|unicode|unifont|fallback|wqy|gothic|ming|song|hei|noto|dejavu", re.IGNORECASE)
_STYLED = re.compile(r"bold|black|heavy|italic|oblique|light|thin|mono|condensed", re.IGNORECASE)
_MOST = 0.5
"""Where more of its letters are lacking, a caption is a note; else the lacking ones are named."""


@dataclass(frozen=True, slots=True)
class Line:
    """A line of text to draw."""

    text: str
    font: ImageFont.FreeTypeFont


def caption_lines(captions: tuple[str, ...], width: int) -> list[Line]:
    """The captions, each on lines of its own.

    Args:
        captions: Sentences in any script.
        width: Pixels that a line may take.
    """
    lines = []
    for caption in captions:
        text, font = _drawable(caption)
        lines += [Line(line, font) for line in _wrap(f"- {text}", font, width)[:_MAX_LINES]]
    return lines


def font_folders() -> list[Path]:
    """Where systems of all kinds keep their fonts."""
    data = os.environ.get("XDG_DATA_DIRS") or "/usr/local/share:/usr/share"
    names = [f"{folder}/fonts" for folder in data.split(os.pathsep)]
    names += [
        "~/.local/share/fonts",
        "~/.fonts",
        "~/Library/Fonts",
        "/Library/Fonts",
        "/System/Library/Fonts",
    ]
    if windows := os.environ.get("WINDIR"):
        names += [f"{windows}/Fonts", "~/AppData/Local/Microsoft/Windows/Fonts"]
    return [Path(os.path.expanduser(name)) for name in names]


def _drawable(caption: str) -> tuple[str, ImageFont.FreeTypeFont]:
    """The caption or a note in its place, and the font that has all of it or the most."""
    letters = {character for character in caption if unicodedata.category(character)[0] in "LNPS"}
    best = _open(None)
    assert best is not None
    lacking = {letter for letter in letters if not _has(None, letter)}
    for file in _font_files(tuple(font_folders()))[:_MAX_TRIED] if lacking else ():
        font = _open(file)
        left = {letter for letter in letters if not _has(file, letter)}
        if font is not None and len(left) < len(lacking):
            best, lacking = font, left
        if not lacking:
            break
    plain = {letter: unicodedata.normalize("NFD", letter)[0] for letter in lacking}
    lacking = {letter for letter in lacking if plain[letter] == letter or not _has(None, plain[letter])}
    if len(lacking) > _MOST * len(letters):
        return f"({_named(min(lacking))}: no font on this system has them)", best
    shown, last = "", ""
    for character in caption:
        if character not in lacking:
            shown, last = shown + plain.get(character, character), ""
        elif (name := f"[{_named(character)}: no font]") != last:
            shown, last = shown + name, name
    return shown, best


def _named(letter: str) -> str:
    """The name of a sign, the script of a letter."""
    name = unicodedata.name(letter, f"U+{ord(letter):04X}")
    return name.lower() if unicodedata.category(letter).startswith("S") else f"{name.split()[0]} letters"


@lru_cache(maxsize=2**16)
def _has(file: Path | None, letter: str) -> bool:
    font = _open(file)
    return font is not None and _drawn(font, letter) != _drawn(font, _NOWHERE)


def _drawn(font: ImageFont.FreeTypeFont, letter: str) -> tuple[tuple[int, int], bytes]:
    mask = font.getmask(letter)
    return mask.size, bytes(mask)


@lru_cache(maxsize=8)
def _font_files(folders: tuple[Path, ...]) -> tuple[Path, ...]:
    """All fonts, those of many scripts and of plain style first."""
    files: list[Path] = []
    for file in _walk(folders):
        files.append(file)
        if len(files) == _MAX_FILES:
            break
    return tuple(
        sorted(files, key=lambda file: (not _WIDE.search(file.stem), bool(_STYLED.search(file.stem)), file))
    )


def _walk(folders: tuple[Path, ...]) -> Iterator[Path]:
    for folder in folders:
        for path, _, names in os.walk(folder):
            yield from (Path(path, name) for name in names if name.lower().endswith(_SUFFIXES))


@lru_cache(maxsize=_MAX_TRIED + 1)
def _open(file: Path | None) -> ImageFont.FreeTypeFont | None:
    """The font of a file, Pillow's own for None; None if it can't be read."""
    if file is None:
        return cast(ImageFont.FreeTypeFont, ImageFont.load_default(size=_SIZE))
    try:
        return ImageFont.truetype(file, _SIZE)
    except (OSError, ValueError):  # damaged, or of a kind that FreeType can't read
        return None


def _wrap(text: str, font: ImageFont.FreeTypeFont, width: int) -> list[str]:
    """Lines broken at spaces, and within words that are too long, as those of scripts without spaces are."""
    lines: list[str] = []
    line = ""
    for word in text.split():
        longer = f"{line} {word}" if line else word
        if font.getlength(longer) <= width:
            line = longer
            continue
        if line and font.getlength(word) <= width:
            lines.append(line)
            line = word
            continue
        line = f"{line} " if line else ""
        for character in word:
            if line.strip() and font.getlength(line + character) > width:
                lines.append(line.rstrip())
                line = ""
            line += character
    return [*lines, line] if line else lines
