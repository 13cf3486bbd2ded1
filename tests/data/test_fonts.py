"""Captions of the contact sheet in any script: a font of the system, or a note, never boxes."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from creativeai.data import CaptionedImages, fonts, prepare
from creativeai.data.fonts import caption_lines
from creativeai.data.show import contact_sheet
from data.conftest import MakeFolder
from data.tiny_font import write_font

CHINESE = "一只红色的鸟"


@pytest.fixture
def system(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that holds all the fonts of the system, none at first."""
    folder = tmp_path / "fonts"
    folder.mkdir()
    monkeypatch.setattr(fonts, "font_folders", lambda: [folder])
    fonts._font_files.cache_clear()
    return folder


def texts(*captions: str, width: int = 160) -> list[str]:
    return [line.text for line in caption_lines(captions, width)]


def test_latin_letters_need_no_font_of_the_system(system: Path) -> None:
    write_font(system / "NotoSans.ttf", "abcdefghijklmnopqrstuvwxyz- ")
    lines = caption_lines(("a red bird", "it's 2 o'clock!"), 160)

    assert [line.text for line in lines] == ["- a red bird", "- it's 2 o'clock!"]
    assert not any(str(line.font.path).endswith("NotoSans.ttf") for line in lines)


def test_system_font_that_has_the_letters_is_taken(system: Path) -> None:
    write_font(system / "NotoSerif-Cyrillic.ttf", "абв- ")
    write_font(system / "deep" / "wqy-zenhei.ttf", CHINESE + "- ")
    (system / "NotoSans-Damaged.ttf").write_bytes(b"\0\1\0\0damaged")
    [line] = caption_lines((CHINESE,), 160)

    assert line.text == f"- {CHINESE}"
    assert str(line.font.path) == str(system / "deep" / "wqy-zenhei.ttf")


def test_without_such_a_font_a_note_stands_there(system: Path) -> None:
    write_font(system / "NotoSerif-Cyrillic.ttf", "абв- ")

    assert texts(CHINESE, "한국", width=1000) == [
        "- (CJK letters: no font on this system has them)",
        "- (HANGUL letters: no font on this system has them)",
    ]
    assert texts("a bird 🐦 there, un père", "a bird (一只红) it is", width=1000) == [
        "- a bird [bird: no font] there, un pere",
        "- a bird ([CJK letters: no font]) it is",
    ]


def test_lines_are_no_wider_than_the_picture(system: Path) -> None:
    write_font(system / "wqy.ttf", CHINESE + "- ")
    for caption in (CHINESE * 5, "a small red bird sits on a twig, it has black wings", "x" * 200):
        lines = caption_lines((caption,), 100)
        assert 1 < len(lines) <= 6
        assert all(line.font.getlength(line.text) <= 100 for line in lines)
    assert "".join(texts("a small red bird on a twig", width=60)).replace(" ", "") == "-asmallredbirdonatwig"


@given(st.text(max_size=80), st.integers(20, 200))
def test_any_caption_gives_lines(caption: str, width: int) -> None:
    for line in caption_lines((caption,), width):
        assert line.text == line.text.strip() and "\n" not in line.text


def test_sheet_draws_what_the_font_has(system: Path, make_folder: MakeFolder, tmp_path: Path) -> None:
    """A block of nine tenths of the letter's width for each letter, where there were boxes."""
    root = make_folder({"file_name": "1.png", "text": CHINESE})
    dataset = CaptionedImages.open(prepare("folder", tmp_path / "set", root=root, resolutions=(64,)).path)
    without = np.asarray(contact_sheet(dataset).convert("L"))
    write_font(system / "wqy.ttf", CHINESE + "- ")
    fonts._font_files.cache_clear()
    sheet = contact_sheet(dataset)
    drawn = np.asarray(sheet.convert("L"))[72:]

    assert isinstance(sheet, Image.Image) and without.shape[0] >= drawn.shape[0]
    rows = np.flatnonzero((drawn < 100).any(axis=1))
    assert 8 <= len(rows) <= 10  # one line, 800 of 1,000 units of 11 pixels high
    assert (drawn[rows[len(rows) // 2]] < 100).sum() > 6 * 7
