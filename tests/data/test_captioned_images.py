"""CaptionedImages opens what prepare wrote and refuses everything else with one clear line."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from creativeai.data import CaptionedImages, credits_of, prepare
from creativeai.errors import DataError

LINE = {
    "file_name": "a",
    "captions": ["a"],
    "short_captions": [],
    "name_captions": [],
    "label": None,
    "attributes": None,
    "credit": None,
    "split": "test",
}


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
    parts = {split: opened.indices(split) for split in ("train", "validation", "test")}

    assert all(part.dtype == np.int64 for part in parts.values())
    assert sorted(np.concatenate(list(parts.values()))) == list(range(12))
    assert opened.meta.splits == {split: len(part) for split, part in parts.items()}


def test_unknown_split_and_resolution_are_named(dataset: Path) -> None:
    opened = CaptionedImages.open(dataset)

    with pytest.raises(DataError, match="unknown split 'val'"):
        opened.indices("val")
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


def test_older_dataset_says_prepare_again(dataset: Path) -> None:
    change_info(dataset, schema_version=1)

    with pytest.raises(DataError, match=r"older CreativeAI .schema 1, this one reads 2.: prepare it again"):
        CaptionedImages.open(dataset)


def test_newer_dataset_says_upgrade(dataset: Path) -> None:
    change_info(dataset, schema_version=3)

    with pytest.raises(DataError, match=r"newer CreativeAI .schema 3, this one reads 2.: upgrade"):
        CaptionedImages.open(dataset)


@pytest.mark.parametrize(
    "changes",
    [
        {"schema_version": None},
        {"resolutions": 64},
        {"resolutions": [8, "wide"]},
        {"splits": [1, 2]},
        {"num_pictures": "many"},
        {"num_pictures": float("inf")},
        {"num_captions": None},
        {"near_duplicates": {"num_pictures": 1, "num_other": 2}},
        {"left_out": {"missing": "many"}},
        {"credits_digest": 7},
        {"title": ["a"]},
    ],
)
def test_damaged_info(dataset: Path, changes: dict[str, object]) -> None:
    change_info(dataset, **changes)

    with pytest.raises(DataError, match=r"dataset\.json is damaged"):
        CaptionedImages.open(dataset)


@pytest.mark.parametrize("content", [b"{", b"[]", b"\xff\xfe", b'{"schema_version": 2}'])
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
        *(
            json.dumps(LINE | changes)
            for changes in (
                {"captions": []},
                {"captions": "a bird"},
                {"captions": [7]},
                {"name_captions": None},
                {"split": "val"},
                {"file_name": 3},
                {"label": 3},
                {"credit": ["x"]},
                {"attributes": []},
            )
        ),
        '{"file_name": ' + "[" * 5000,
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


def test_kinds_of_captions_are_kept_apart_and_any_one_is_enough(dataset: Path) -> None:
    file = dataset / "captions.jsonl"
    lines = file.read_text().splitlines()
    kinds = {"captions": [], "short_captions": ["an owl"], "name_captions": ["a photo of an owl"]}
    lines[0] = json.dumps(LINE | kinds | {"credit": "Ann, https://example.org, CC-BY 2.0"})
    file.write_text("\n".join(lines) + "\n")
    opened = CaptionedImages.open(dataset)

    assert opened.records[0].all_captions == ("an owl", "a photo of an owl")
    assert opened.records[11].all_captions == ("the last bird", "an owl", "a photo of an owl")
    assert credits_of(opened) == ("a: Ann, https://example.org, CC-BY 2.0",)


@pytest.mark.parametrize(
    "content", [b"PK\3\4" + bytes(200), b"\x93NUMPY\x01\x00v\x00{'descr': (" + b"(" * 300]
)
def test_arrays_of_odd_content(dataset: Path, content: bytes) -> None:
    (dataset / "images_8.npy").write_bytes(content)

    with pytest.raises(DataError, match=r"images_8\.npy is damaged"):
        CaptionedImages.open(dataset)


def test_random_damage_is_an_error_in_one_line(dataset: Path) -> None:
    random = np.random.default_rng(0)
    for name in ("dataset.json", "captions.jsonl", "images_8.npy"):
        whole = (dataset / name).read_bytes()
        for _ in range(60):
            content = bytearray(whole)
            for place in random.integers(0, min(len(content), 400), 3):
                content[place] = random.integers(256)
            (dataset / name).write_bytes(bytes(content))
            try:
                CaptionedImages.open(dataset)
            except DataError as error:
                assert "\n" not in str(error)
        (dataset / name).write_bytes(whole)
