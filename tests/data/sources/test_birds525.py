"""birds525: shipped captions meet photos, however the user has unpacked those."""

import json
from pathlib import Path

import pytest
from creativeai.data.sources.birds525 import open_birds525, read_captions

from creativeai.data import CaptionedImages, prepare
from creativeai.errors import DataError
from data.conftest import save_picture

PHOTOS = ["ABBOTTS BABBLER/1.jpg", "ABBOTTS BABBLER/2.jpg", "ALBATROSS/4.jpg"]


def unpack(root: Path, *names: str) -> Path:
    for name in names:
        save_picture(root / name)
    return root


def test_captions_of_all_photos_are_shipped() -> None:
    rows = read_captions()

    assert len(rows) == len({row["file_name"] for row in rows}) == 2096
    assert all(len(row["captions"]) == 2 and all(row["captions"]) and row["label"] for row in rows)
    assert len({row["label"] for row in rows}) == 524


@pytest.mark.parametrize("layout", ["images/{}", "valid/{}", "{}"])
@pytest.mark.parametrize("spelt", [str, str.lower, lambda name: name.replace(".jpg", ".JPG")])
def test_photos_are_found_in_any_usual_layout(tmp_path: Path, layout: str, spelt) -> None:
    root = unpack(tmp_path / "photos", *(layout.format(spelt(name)) for name in PHOTOS))
    prepare("birds525", tmp_path / "out", root=root, resolutions=(8,), skip_bad=True)
    records = CaptionedImages.open(tmp_path / "out").records

    assert [record.file_name for record in records] == [f"images/{name}" for name in PHOTOS]
    assert records[0].label == "abbotts babbler"
    assert len(records[0].captions) == 3
    assert records[0].captions[2] == "a small olive bird with brown wings"


def test_photos_of_the_archives_other_parts_are_left_alone(tmp_path: Path) -> None:
    root = unpack(tmp_path, "valid/ALBATROSS/4.jpg", "train/ALBATROSS/1.jpg", "valid/LOONEY BIRDS/1.jpg")
    found = [item for item in open_birds525(root, None, 0).pictures if hasattr(item, "file_name")]

    assert [picture.file_name for picture in found] == ["images/ALBATROSS/4.jpg"]


def test_missing_photo_is_named(tmp_path: Path) -> None:
    root = unpack(tmp_path / "photos", *(f"images/{name}" for name in PHOTOS))

    with pytest.raises(
        DataError, match=r"images/ABBOTTS BABBLER/3\.jpg: the photo is missing .and at least 19 more"
    ):
        prepare("birds525", tmp_path / "out", root=root)


def test_no_photos(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="birds525 needs --from DIR"):
        open_birds525(None, None, 0)
    with pytest.raises(DataError, match="no such folder"):
        open_birds525(tmp_path / "nowhere", None, 0)
    with pytest.raises(
        DataError, match=r"has no photos: images/<SPECIES>/<n>.jpg or valid/<SPECIES>/<n>.jpg"
    ):
        open_birds525(tmp_path, None, 0)


def test_licence_says_who_may_use_what(tmp_path: Path) -> None:
    source = open_birds525(unpack(tmp_path, "images/ALBATROSS/4.jpg"), None, 0)

    assert source.licence == "photos CC0, captions Apache-2.0"
    assert json.dumps(source.name) == '"birds525"'
