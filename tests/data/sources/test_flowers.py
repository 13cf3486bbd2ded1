"""flowers: both sets in every layout, and everybody who took a CC-BY photo is named."""

import hashlib
from pathlib import Path

import pytest

from creativeai.data import CaptionedImages, credits_of, prepare
from creativeai.data.sources.flowers import open_flowers
from creativeai.data.sources.shipped_captions import read_shipped
from creativeai.errors import DataError
from data.conftest import noise_picture, save_picture

ROWS = read_shipped("flowers")
OXFORD = [row for row in ROWS if row["file_name"].startswith("oxford102/")][:3]
FLICKR = [row for row in ROWS if row["file_name"].startswith("flower_photos/roses/")][:2]


def stem(row: dict) -> str:
    return Path(row["file_name"]).stem


def save(path: Path, number: int) -> None:
    noise_picture(number).save(save_picture(path))


def published(root: Path) -> Path:
    for number, row in enumerate(OXFORD):
        save(root / "jpg" / f"{stem(row)}.jpg", number)
    for number, row in enumerate(FLICKR, start=10):
        save(root / "flower_photos" / "roses" / f"{stem(row)}.jpg", number)
    return root


def ours(root: Path) -> Path:
    for number, row in enumerate(OXFORD):
        save(root / "images" / "oxford102" / "001.some_class" / f"{stem(row)}.jpg", number)
    for number, row in enumerate(FLICKR, start=10):
        save(root / "images" / "flower_photos" / "rose" / f"{stem(row)}.jpg", number)
    return root


def made(root: Path, out: Path) -> CaptionedImages:
    prepare("flowers", out, root=root, resolutions=(8,), skip_bad=True)
    return CaptionedImages.open(out)


def test_all_captions_are_shipped() -> None:
    assert len(ROWS) == len({row["file_name"] for row in ROWS}) == 10_667
    assert sum("credit" in row for row in ROWS) == 2990
    assert all(len(row["captions"]) == len(row["short_captions"]) == 1 for row in ROWS)
    assert all(row["credit"].endswith(", CC-BY 2.0") and "https://" in row["credit"] for row in FLICKR)


def test_published_layout_and_our_copy_are_one_dataset(tmp_path: Path) -> None:
    first, second = (
        made(published(tmp_path / "a"), tmp_path / "x"),
        made(ours(tmp_path / "b"), tmp_path / "y"),
    )

    assert first.meta.digest == second.meta.digest
    assert [record.file_name for record in first.records] == [
        row["file_name"] for row in FLICKR + OXFORD
    ] or [record.file_name for record in first.records] == [row["file_name"] for row in OXFORD + FLICKR]


def test_credits_are_in_the_dataset_and_its_file(tmp_path: Path) -> None:
    dataset = made(published(tmp_path / "a"), tmp_path / "out")
    content = (tmp_path / "out" / "CREDITS.txt").read_bytes()
    expected = [f"{row['file_name']}: {row['credit']}" for row in FLICKR]

    assert sorted(credits_of(dataset)) == sorted(expected) == sorted(content.decode().splitlines())
    assert dataset.meta.credits_digest == hashlib.sha256(content).hexdigest()
    assert "CC-BY 2.0, authors in CREDITS.txt" in dataset.meta.licence


def test_one_set_alone(tmp_path: Path) -> None:
    for row in OXFORD:
        save_picture(tmp_path / "jpg" / f"{stem(row)}.jpg")
    source = open_flowers(tmp_path, None, 0)

    assert any(note.startswith("not there: flower_photos") for note in source.notes)


def test_none_of_the_sets(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"no photos of these sets: 102flowers\.tgz or jpg/image_00001\.jpg"):
        open_flowers(tmp_path, None, 0)
