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
