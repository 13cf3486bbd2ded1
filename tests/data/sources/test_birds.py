"""birds: shipped captions meet the photos of both sets, however the user has unpacked those."""

import tarfile
from pathlib import Path

import pytest

from creativeai.data import CaptionedImages, prepare
from creativeai.data.sources.birds import open_birds
from creativeai.data.sources.shipped_captions import read_shipped
from creativeai.data.splits import split_of
from creativeai.errors import DataError
from data.conftest import save_picture

PHOTOS_525 = ["ABBOTTS BABBLER/1.jpg", "ABBOTTS BABBLER/2.jpg", "ALBATROSS/4.jpg"]
PHOTOS_150 = {"train": "EMU/005.jpg", "valid": "ALBATROSS/1.jpg", "test": "ALBATROSS/1.jpg"}


def unpack(root: Path, *names: str) -> Path:
    for name in names:
        save_picture(root / name)
    return root


def names_of(root: Path, out: Path) -> list[str]:
    prepare("birds", out, root=root, resolutions=(8,), skip_bad=True)
    return sorted(record.file_name for record in CaptionedImages.open(out).records)


def test_captions_of_all_photos_are_shipped() -> None:
    rows_525, rows_150 = read_shipped("birds525"), read_shipped("birds150")
    rows = rows_525 + rows_150

    assert len(rows_525) == 2096 and len(rows_150) == 19526
    assert len({row["file_name"] for row in rows}) == len(rows)
    assert all(row["captions"] and all(row["captions"]) and row["label"] for row in rows)
    assert len({row["label"] for row in rows}) == 534


def test_shipped_captions_are_small() -> None:
    folder = Path(str(__import__("creativeai.data.sources", fromlist=["__file__"]).__file__)).parent

    assert sum(file.stat().st_size for file in folder.glob("*_captions.jsonl.bz2")) < 1_500_000


@pytest.mark.parametrize("layout", ["birds525/images/{}", "birds525/valid/{}", "valid/{}", "525/valid/{}"])
@pytest.mark.parametrize("spelt", [str, str.lower, lambda name: name.replace(".jpg", ".JPG")])
def test_photos_of_525_are_found_in_any_usual_layout(tmp_path: Path, layout: str, spelt) -> None:
    root = unpack(tmp_path / "photos", *(layout.format(spelt(name)) for name in PHOTOS_525))

    assert names_of(root, tmp_path / "out") == [f"birds525/valid/{name}" for name in PHOTOS_525]
    record = CaptionedImages.open(tmp_path / "out").records[0]
    assert record.label == "abbotts babbler"
    assert len(record.captions) == 2
    assert record.short_captions == ("a small olive bird with brown wings",)
    assert record.name_captions == ("an abbotts babbler", "a photo of an abbotts babbler")
    assert record.all_captions == record.captions + record.short_captions + record.name_captions


def test_published_150_and_our_copy_are_one_dataset(tmp_path: Path) -> None:
    rows = {row["file_name"] for row in read_shipped("birds150")}
    known = [f"{part}/{name}" for part, name in PHOTOS_150.items() if f"birds150/{part}/{name}" in rows]
    assert known
    published = unpack(tmp_path / "a", *(f"BIRDS-150/{name}" for name in known))
    renamed = (name.split("/") for name in known)
    ours = unpack(
        tmp_path / "b",
        *(
            f"birds150/images/{species}/{part}_{file.replace('jpg', 'png')}"
            for part, species, file in renamed
        ),
    )

    found = names_of(published, tmp_path / "out a")
    assert found == sorted(f"birds150/{name}" for name in known) == names_of(ours, tmp_path / "out b")


def test_both_sets_have_a_photo_of_one_name(tmp_path: Path) -> None:
    root = unpack(tmp_path / "p", "one/valid/ALBATROSS/1.jpg", "one/valid/AZURE JAY/1.jpg")
    unpack(root, "two/train/EMU/005.jpg", "two/valid/ALBATROSS/1.jpg")

    found = names_of(root, tmp_path / "out")
    assert {"birds525/valid/ALBATROSS/1.jpg", "birds525/valid/AZURE JAY/1.jpg"} <= set(found)
    rows = {row["file_name"] for row in read_shipped("birds150")}
    expected = {"birds150/train/EMU/005.jpg", "birds150/valid/ALBATROSS/1.jpg"} & rows
    assert {name for name in found if name.startswith("birds150/")} == expected


def test_photos_in_an_archive(tmp_path: Path) -> None:
    root = unpack(tmp_path / "photos", *(f"birds525/valid/{name}" for name in PHOTOS_525))
    (tmp_path / "down").mkdir()
    with tarfile.open(tmp_path / "down" / "birds525.tar", "w") as archive:
        archive.add(root / "birds525", "birds525")

    found = names_of(tmp_path / "down", tmp_path / "out")
    assert found == [f"birds525/valid/{name}" for name in PHOTOS_525]


def test_a_set_that_is_not_there_is_told(tmp_path: Path) -> None:
    root = unpack(tmp_path / "photos", *(f"birds525/valid/{name}" for name in PHOTOS_525))
    notes = open_birds(root, None, 0).notes

    assert notes == (
        "listed: 2,096 photos of BIRDS-525, of which 3 are there",
        "not there: BIRDS-150 (birds150/train|valid|test/<SPECIES>/<n>.jpg); prepared without it",
    )


def test_split_is_that_of_the_published_name(tmp_path: Path) -> None:
    root = unpack(tmp_path / "photos", *(f"birds525/images/{name}" for name in PHOTOS_525))
    prepare("birds", tmp_path / "out", root=root, resolutions=(8,), skip_bad=True)

    for record in CaptionedImages.open(tmp_path / "out").records:
        assert record.split == split_of(record.file_name) or record.split == "train"


def test_missing_photo_is_named(tmp_path: Path) -> None:
    root = unpack(tmp_path / "photos", *(f"birds525/images/{name}" for name in PHOTOS_525))

    with pytest.raises(
        DataError, match=r"birds525/valid/ABBOTTS BABBLER/3\.jpg: the photo is missing .and at least 19 more"
    ):
        prepare("birds", tmp_path / "out", root=root)


def test_no_photos(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="birds needs --from DIR"):
        open_birds(None, None, 0)
    with pytest.raises(DataError, match="no such file or folder"):
        open_birds(tmp_path / "nowhere", None, 0)
    with pytest.raises(DataError, match=r"has no photos of these sets: birds525/valid/<SPECIES>/<n>\.jpg"):
        open_birds(tmp_path, None, 0)


def test_licence_says_who_may_use_what(tmp_path: Path) -> None:
    source = open_birds(unpack(tmp_path, "birds525/images/ALBATROSS/4.jpg"), None, 0)

    assert (source.name, source.licence) == ("birds", "photos CC0, captions Apache-2.0")
