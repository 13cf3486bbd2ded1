"""The table and the contact sheet tell what training will see."""

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from rich.console import Console

from creativeai.data import CaptionedImages, prepare
from creativeai.data.show import dataset_table, write_contact_sheet
from creativeai.errors import DataError
from data.conftest import MakeFolder


@pytest.fixture
def dataset(good_folder: Path, tmp_path: Path) -> CaptionedImages:
    return CaptionedImages.open(
        prepare("folder", tmp_path / "set", root=good_folder, resolutions=(16, 32)).path
    )


def test_table_has_the_figures(dataset: CaptionedImages) -> None:
    console = Console(width=120, record=True, file=io.StringIO())
    console.print(dataset_table(dataset))
    text = console.export_text()

    for figure in ("12", "16 x 16, 32 x 32", "1 to 2, 1.9 on average", "not stated", dataset.meta.digest):
        assert figure in text
    assert ", ".join(f"{split} {num}" for split, num in dataset.meta.splits.items()) in text


@pytest.mark.parametrize("name", ["sheet.png", "sheet.webp", "SHEET.PNG"])
def test_sheet_shows_pictures_and_captions(dataset: CaptionedImages, tmp_path: Path, name: str) -> None:
    write_contact_sheet(dataset, tmp_path / name, num_pictures=6)

    with Image.open(tmp_path / name) as sheet:
        pixels = np.asarray(sheet.convert("RGB"))
    if not name.endswith("webp"):
        assert np.array_equal(pixels[8:40, 8:40], dataset.images(32)[0])
    assert pixels[44:60, 8:60].min() < 100  # dark letters under it
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([name, "pictures", "set"])


def test_sheet_of_more_than_there_are(dataset: CaptionedImages, tmp_path: Path) -> None:
    write_contact_sheet(dataset, tmp_path / "sheet.png", num_pictures=1000)

    assert (tmp_path / "sheet.png").exists()


def test_senseless_sheets(dataset: CaptionedImages, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"sheet.jpg: a contact sheet is written as .png or .webp"):
        write_contact_sheet(dataset, tmp_path / "sheet.jpg")
    with pytest.raises(DataError, match="at least 1, not 0"):
        write_contact_sheet(dataset, tmp_path / "sheet.png", 0)
    with pytest.raises(DataError, match="can't be written"):
        write_contact_sheet(dataset, tmp_path / "nowhere" / "sheet.png")


def table_of(dataset: CaptionedImages) -> str:
    console = Console(width=200, record=True, file=io.StringIO())
    console.print(dataset_table(dataset))
    return " ".join(console.export_text().split())


def test_table_tells_kinds_vocabulary_classes_and_what_is_missing(
    make_folder: MakeFolder, tmp_path: Path
) -> None:
    rows = [{"file_name": f"{n}.png", "text": f"a red bird {n}", "label": "owl"} for n in range(6)]
    rows += [
        {"file_name": "6.png", "captions": ["one", "two"], "label": "emu"},
        {"file_name": "7.png", "text": "x"},
    ]
    root = make_folder(*rows, "{", {"file_name": "9.png"})
    (root / "3.png").unlink()
    out = prepare("folder", tmp_path / "out", root=root, resolutions=(16, 64), skip_bad=True).path
    text = table_of(CaptionedImages.open(out))

    assert "written captions a picture │ 1 to 2, 1.1 on average" in text
    assert "short captions a picture │ 0" in text
    assert "names a picture │ 0 to 2, 1.7 on average" in text
    assert "classes │ 2, pictures in each: 1 to 5, 3.0 on average; 1 of one picture alone (emu)" in text
    assert "1 pictures have none" in text
    assert "1: the picture is missing" in text and "1: 9.png: no captions" in text
    assert "near-duplicates │ none" in text
    assert "enlarged │ 7 to 64 px" in text


def test_table_says_that_all_captions_are_the_same(make_folder: MakeFolder, tmp_path: Path) -> None:
    root = make_folder(*({"file_name": f"{n}.png", "text": "a bird"} for n in range(4)))
    (root / "README.md").write_text("---\npretty_name: '[/] odd [bold]'\n---\n")
    out = prepare("folder", tmp_path / "out", root=root, resolutions=(8,)).path

    text = table_of(CaptionedImages.open(out))

    assert "1 of 4: all pictures have the same caption" in text
    assert "[/] odd [bold]" in text
