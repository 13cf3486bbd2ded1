"""Copies are found whatever was done to them, and what only looks alike is not taken for one."""

import io
import json
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from creativeai.data import CaptionedImages, prepare
from creativeai.data import near_duplicates as found_by
from creativeai.data.near_duplicates import describe, find_groups
from data.conftest import MakeFolder


def picture(seed: int, side: int = 256) -> Image.Image:
    """Blurred patches over which finer ones lie, as photos have large and small shapes."""
    random = np.random.default_rng(seed)
    layers = [
        np.asarray(Image.fromarray(random.integers(0, 256, (n, n, 3), np.uint8)).resize((side, side)), float)
        for n in (4, 12, 40)
    ]
    return Image.fromarray((0.5 * layers[0] + 0.35 * layers[1] + 0.15 * layers[2]).astype(np.uint8))


def encoded_again(image: Image.Image) -> Image.Image:
    file = io.BytesIO()
    image.save(file, "JPEG", quality=40)
    return Image.open(io.BytesIO(file.getvalue()))


def cropped(image: Image.Image, left: float, top: float) -> Image.Image:
    """Without a twentieth of its width and height."""
    side = image.width
    start = (round(left * side), round(top * side))
    return image.crop((*start, start[0] + round(0.95 * side), start[1] + round(0.95 * side)))


def mirrored(image: Image.Image) -> Image.Image:
    return image.transpose(Image.Transpose.FLIP_LEFT_RIGHT)


COPIES = {
    "mirrored": mirrored,
    "corner": lambda image: cropped(image, 0.05, 0),
    "middle": lambda image: cropped(image, 0.025, 0.025),
    "encoded": encoded_again,
    "all": lambda image: encoded_again(mirrored(cropped(image, 0, 0.05))),
    "brighter": lambda image: image.point(lambda value: min(255, int(1.1 * value))),
}


def squares_of(images: list[Image.Image]) -> NDArray[np.uint8]:
    return np.stack([np.asarray(image.convert("RGB").resize((64, 64), 1)) for image in images])


def groups_of(images: list[Image.Image]) -> list[list[int]]:
    squares = squares_of(images)
    return find_groups(np.stack([describe(square) for square in squares]), squares)


@pytest.mark.parametrize("kind", COPIES)
def test_copies_are_found(kind: str) -> None:
    originals = [picture(seed) for seed in range(20)]
    copies = [COPIES[kind](image) for image in originals]

    assert groups_of(originals + copies) == [[i, i + 20] for i in range(20)]


def test_different_pictures_are_none() -> None:
    assert groups_of([picture(seed) for seed in range(80)]) == []


def test_one_background_with_another_shape_is_none() -> None:
    def with_patch(seed: int) -> Image.Image:
        scene = picture(0).filter(ImageFilter.GaussianBlur(24))
        scene.paste(picture(seed, 128), (64, 64))
        return scene

    assert groups_of([with_patch(seed) for seed in range(1, 12)]) == []


def test_copies_of_copies_are_one_group() -> None:
    image = picture(1)

    assert groups_of([picture(2), image, mirrored(image), cropped(image, 0, 0), picture(3)]) == [[1, 2, 3]]


def test_plain_pictures_are_only_what_they_are_said_to_be() -> None:
    plain = [Image.new("RGB", (64, 64), colour) for colour in ("red", "blue", "red")]
    squares = squares_of(plain)
    descriptors = np.stack([describe(square) for square in squares])

    assert find_groups(descriptors, squares) == []
    assert find_groups(descriptors, squares, [[0, 2]]) == [[0, 2]]


def test_blocks_and_crowds_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    images = [picture(seed) for seed in range(30)] + [mirrored(picture(seed)) for seed in range(0, 30, 3)]
    whole = groups_of(images)
    told: list[tuple[int, int]] = []
    monkeypatch.setattr(found_by, "_ROWS", 7)
    monkeypatch.setattr(found_by, "_PAIRS", 3)
    monkeypatch.setattr(found_by, "_MAX_CANDIDATES", 2)
    squares = squares_of(images)
    descriptors = np.stack([describe(square) for square in squares])
    parts = find_groups(descriptors, squares, on_progress=lambda done, total: told.append((done, total)))

    assert parts == whole == [[seed, 30 + seed // 3] for seed in range(0, 30, 3)]
    assert told[-1] == (40, 40) and len(told) == 6


@pytest.mark.parametrize("resolutions", [(64,), (16,), (32, 128)])
def test_prepare_keeps_copies_together_and_tells(
    make_folder: MakeFolder, tmp_path: Path, resolutions: tuple[int, ...]
) -> None:
    names = [f"{number}.png" for number in range(60)]
    root = make_folder(*({"file_name": name, "text": "a bird"} for name in names))
    for number, name in enumerate(names):
        image = picture(number // 2, 96)
        (image if number % 2 else mirrored(image)).save(root / name)
    prepared = prepare("folder", tmp_path / "out", root=root, resolutions=resolutions)
    dataset = CaptionedImages.open(tmp_path / "out")

    for number in range(0, 60, 2):
        assert dataset.records[number].split == dataset.records[number + 1].split
    told = dataset.meta.near_duplicates
    assert (told.num_pictures, told.num_groups, told.num_apart) == (60, 30, 0)
    assert told.num_moved > 0
    assert (
        "near-duplicates: 60 pictures in 30 groups, such as 0.png and 1.png (all in near_duplicates.jsonl)"
        in prepared.report()
    )
    assert f"moved: {told.num_moved} of them into the split of what they are like" in prepared.report()
    lines = (tmp_path / "out" / "near_duplicates.jsonl").read_text().splitlines()
    assert [list(json.loads(line)) for line in lines[:2]] == [["0.png", "1.png"], ["2.png", "3.png"]]
    left = {path.name for path in (tmp_path / "out").iterdir()}
    assert left == {"captions.jsonl", "dataset.json", "near_duplicates.jsonl"} | {
        f"images_{resolution}.npy" for resolution in resolutions
    }
