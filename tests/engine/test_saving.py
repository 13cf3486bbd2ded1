import errno
import json
import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from creativeai.engine.model import Model
from creativeai.engine.saving import destination_of, make_grid, save_images, slug_of
from creativeai.errors import RequestError


@pytest.fixture
def images(tiny: Model) -> list[Image.Image]:
    return tiny.generate("a small red bird, at Père's", n=6, seed=40)


def test_one_file_for_one_image(tmp_path: Path, tiny: Model) -> None:
    images = tiny.generate("a red bird", seed=5)
    assert save_images(images, destination_of(str(tmp_path / "bird.png"))) == [tmp_path / "bird.png"]
    with Image.open(tmp_path / "bird.png") as saved:
        assert saved.tobytes() == images[0].tobytes()
    assert os.listdir(tmp_path) == ["bird.png"]


@pytest.mark.parametrize(
    ("name", "kind"), [("g.png", "PNG"), ("g.WEBP", "WEBP"), ("g.jpg", "JPEG"), ("g.jpeg", "JPEG")]
)
def test_grid_in_every_format(tmp_path: Path, images: list[Image.Image], name: str, kind: str) -> None:
    [file] = save_images(images, destination_of(str(tmp_path / name)))
    with Image.open(file) as saved:
        assert saved.format == kind
        assert saved.size == (3 * 36 - 4, 2 * 36 - 4)
        last = np.asarray(saved.convert("RGB"), int)[36:68, 72:104]
    assert np.abs(last - np.asarray(images[5], int)).mean() < (1 if kind == "PNG" else 12)


@pytest.mark.parametrize("ending", ["/", ""])
def test_folder_gets_a_file_for_each(tmp_path: Path, images: list[Image.Image], ending: str) -> None:
    out = tmp_path / "birds"
    if not ending:
        out.mkdir()
    files = save_images(images, destination_of(f"{out}{ending}"))
    assert [file.name for file in files] == [
        f"a-small-red-bird-at-pere-s-{seed}.png" for seed in range(40, 46)
    ]
    assert sorted(out.iterdir()) == sorted(files)


def test_no_output_is_a_file_here(
    tmp_path: Path, images: list[Image.Image], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert save_images(images, destination_of(None)) == [Path("a-small-red-bird-at-pere-s-40.png")]


def test_png_says_how_to_make_it_again(tmp_path: Path, tiny: Model) -> None:
    [file] = save_images(tiny.generate("ein Vögelchen", seed=5), destination_of(str(tmp_path / "v.png")))
    with Image.open(file) as saved:
        metadata = saved.info
    assert metadata["Description"] == "ein Vögelchen"
    assert metadata["Software"].startswith("CreativeAI ")
    made_from = json.loads(metadata["creativeai"])
    assert made_from == {"text": "ein Vögelchen", "seed": 5, "truncation": 0.8, "model": "tiny"}


def test_grid_says_how_many(tmp_path: Path, images: list[Image.Image]) -> None:
    [file] = save_images(images, destination_of(str(tmp_path / "grid.png")))
    with Image.open(file) as saved:
        made_from = json.loads(saved.info["creativeai"])
    assert (made_from["seed"], made_from["n"]) == (40, 6)


@pytest.mark.parametrize(
    ("num", "columns", "rows"),
    [
        (1, 1, 1),
        (2, 2, 1),
        (3, 2, 2),
        (4, 2, 2),
        (5, 3, 2),
        (6, 3, 2),
        (7, 3, 3),
        (8, 4, 2),
        (12, 4, 3),
        (64, 8, 8),
    ],
)
def test_shape_of_grid(num: int, columns: int, rows: int) -> None:
    grid = make_grid([Image.new("RGB", (10, 10)) for _ in range(num)])
    assert grid.size == (columns * 14 - 4, rows * 14 - 4)


@pytest.mark.parametrize(
    ("out", "message"),
    [
        ("bird.gif", r"can't write 'bird\.gif': give a file ending in \.png"),
        ("bird", "can't write 'bird'"),
        ("nowhere/bird.png", r"there is no folder nowhere to write bird\.png to"),
    ],
)
def test_wrong_output_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, out: str, message: str
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(RequestError, match=message):
        destination_of(out)


def test_file_in_place_of_the_folder_is_refused(tmp_path: Path, images: list[Image.Image]) -> None:
    (tmp_path / "file").write_text("mine")
    with pytest.raises(RequestError, match=r"can't write to .*file"):
        save_images(images, destination_of(f"{tmp_path}/file/"))
    assert (tmp_path / "file").read_text() == "mine"


def test_full_disk_keeps_the_old_file(
    tmp_path: Path, images: list[Image.Image], monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "bird.png").write_bytes(b"old")

    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(RequestError, match=r"can't write to .*: No space left on device"):
        save_images(images, destination_of(str(tmp_path / "bird.png")))
    assert (tmp_path / "bird.png").read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["bird.png"]


@pytest.mark.parametrize(
    ("text", "slug"),
    [
        ("A small red bird!", "a-small-red-bird"),
        ("../../etc/passwd", "etc-passwd"),
        ("Père David's", "pere-david-s"),
        ("🐦", "picture"),
        ("x" * 500, "x" * 60),
    ],
)
def test_slug(text: str, slug: str) -> None:
    assert slug_of(text) == slug


def test_rows_of_stages_go_below_each_other(tmp_path: Path, tiny: Model) -> None:
    rows = tiny.generate("a bird", n=3, seed=40, stages=True)
    assert [row.size for row in rows] == [(2 * 36 - 4, 32)] * 3
    [file] = save_images(rows, destination_of(str(tmp_path / "rows.png")))
    with Image.open(file) as saved:
        assert saved.size == (2 * 36 - 4, 3 * 36 - 4)
        assert json.loads(saved.info["creativeai"])["stages"] is True
        pixels = np.asarray(saved)
    for row, picture in enumerate(tiny.pictures("a bird", n=3, seed=40)):
        top = 36 * row
        np.testing.assert_array_equal(pixels[top : top + 32 : 2, 0:32:2], picture.stages[0])
        np.testing.assert_array_equal(pixels[top : top + 32, 36:], picture.stages[1])
