"""CaptionedImages opens what prepare wrote and refuses everything else with one clear line."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from creativeai.data import CaptionedImages, prepare
from creativeai.errors import DataError


@pytest.fixture
def dataset(good_folder: Path, tmp_path: Path) -> Path:
    return prepare("folder", tmp_path / "dataset", root=good_folder, resolutions=(8, 16)).path


def test_open_reads_what_prepare_wrote(dataset: Path) -> None:
    opened = CaptionedImages.open(dataset)

    assert len(opened) == 12
    assert opened.name == "pictures"
    assert opened.meta.resolutions == (8, 16)
    assert opened.images(16).shape == (12, 16, 16, 3)
    assert opened.images(16).dtype == np.uint8
    assert opened.records[0].captions == ("bird 0", "a bird")
    assert opened.records[11].file_name == "deep/last.png"
    assert opened.records[11].label == "owl"


def test_images_are_mapped_and_read_only(dataset: Path) -> None:
    images = CaptionedImages.open(dataset).images(8)

    assert isinstance(images, np.memmap)
    with pytest.raises(ValueError, match="read-only"):
        images[0] = 0


def test_indices_part_the_pictures(dataset: Path) -> None:
    opened = CaptionedImages.open(dataset)
    train, val = opened.indices("train"), opened.indices("val")

    assert train.dtype == np.int64
    assert sorted([*train, *val]) == list(range(12))
    assert opened.meta.splits == {"train": len(train), "val": len(val)}


def test_unknown_split_and_resolution_are_named(dataset: Path) -> None:
    opened = CaptionedImages.open(dataset)

    with pytest.raises(DataError, match="unknown split 'holdout'"):
        opened.indices("holdout")
    with pytest.raises(DataError, match=r"no pictures at 64 x 64 .it has 8, 16.*--resolutions 8,16,64"):
        opened.images(64)


def test_missing_folder(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no such folder"):
        CaptionedImages.open(tmp_path / "nowhere")


def test_folder_that_was_not_prepared(good_folder: Path) -> None:
    with pytest.raises(DataError, match="not a prepared dataset"):
        CaptionedImages.open(good_folder)


def change_info(dataset: Path, **changes: object) -> None:
    file = dataset / "dataset.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | changes))


def test_newer_dataset_says_upgrade(dataset: Path) -> None:
    change_info(dataset, schema_version=2)

    with pytest.raises(DataError, match=r"newer CreativeAI .schema 2, this one reads 1.: upgrade"):
        CaptionedImages.open(dataset)


@pytest.mark.parametrize(
    "changes",
    [
        {"schema_version": None},
        {"resolutions": 64},
        {"resolutions": [8, "wide"]},
        {"splits": [1, 2]},
        {"num_pictures": "many"},
    ],
)
def test_damaged_info(dataset: Path, changes: dict[str, object]) -> None:
    change_info(dataset, **changes)

    with pytest.raises(DataError, match=r"dataset\.json is damaged"):
        CaptionedImages.open(dataset)


@pytest.mark.parametrize("content", [b"{", b"[]", b"\xff\xfe", b'{"schema_version": 1}'])
def test_broken_info(dataset: Path, content: bytes) -> None:
    (dataset / "dataset.json").write_bytes(content)

    with pytest.raises(DataError, match=r"dataset\.json is damaged"):
        CaptionedImages.open(dataset)


def test_truncated_array(dataset: Path) -> None:
    file = dataset / "images_8.npy"
    file.write_bytes(file.read_bytes()[:-1])

    with pytest.raises(DataError, match=r"images_8\.npy is damaged"):
        CaptionedImages.open(dataset)


def test_array_of_another_shape(dataset: Path) -> None:
    np.save(dataset / "images_8.npy", np.zeros((12, 9, 9, 3), np.uint8))

    with pytest.raises(DataError, match=r"images_8\.npy is damaged .not a uint8 array of shape"):
        CaptionedImages.open(dataset)


def test_pickled_array_is_not_loaded(dataset: Path) -> None:
    np.save(dataset / "images_8.npy", np.array([{"a": 1}], dtype=object), allow_pickle=True)

    with pytest.raises(DataError, match="is damaged"):
        CaptionedImages.open(dataset)


@pytest.mark.parametrize("name", ["images_16.npy", "captions.jsonl"])
def test_missing_file_is_named(dataset: Path, name: str) -> None:
    (dataset / name).unlink()

    with pytest.raises(DataError, match=rf"{name} is damaged .the file is missing"):
        CaptionedImages.open(dataset)


@pytest.mark.parametrize(
    "line",
    [
        "{",
        "[]",
        "7",
        '{"file_name": "a"}',
        '{"file_name":"a","captions":[],"split":"train","label":null,"attributes":null}',
        '{"file_name":"a","captions":["a"],"split":"holdout","label":null,"attributes":null}',
    ],
)
def test_broken_caption_line_is_numbered(dataset: Path, line: str) -> None:
    file = dataset / "captions.jsonl"
    lines = file.read_text().splitlines()
    lines[4] = line
    file.write_text("\n".join(lines) + "\n")

    with pytest.raises(DataError, match=r"captions\.jsonl is damaged .line 5"):
        CaptionedImages.open(dataset)


def test_missing_caption_line(dataset: Path) -> None:
    file = dataset / "captions.jsonl"
    file.write_text("".join(file.read_text().splitlines(keepends=True)[:-1]))

    with pytest.raises(DataError, match="11 lines for 12 pictures"):
        CaptionedImages.open(dataset)


def test_dataset_can_be_moved(dataset: Path, tmp_path: Path) -> None:
    shutil.move(dataset, tmp_path / "elsewhere")

    assert len(CaptionedImages.open(str(tmp_path / "elsewhere"))) == 12
