"""Toy birds are what their attributes and captions say, whatever the number asked for."""

import re
from itertools import islice
from pathlib import Path

import numpy as np
import pytest

from creativeai.data import CaptionedImages, prepare
from creativeai.data.attributes import body_colour
from creativeai.data.pictures import to_squares
from creativeai.data.sources import SourcePicture
from creativeai.data.sources.toybirds import open_toybirds
from creativeai.data.sources.toybirds_scene import BODY_COLOURS, POSES, SIZES
from creativeai.errors import DataError


def toys(num_pictures: int, seed: int = 0) -> list[SourcePicture]:
    return [
        item for item in open_toybirds(None, num_pictures, seed).pictures if isinstance(item, SourcePicture)
    ]


def test_picture_depends_on_seed_and_position_alone() -> None:
    few, many = toys(3, seed=7), toys(30, seed=7)[:3]

    for one, other in zip(few, many, strict=True):
        assert (one.file_name, one.captions, one.attributes) == (
            other.file_name,
            other.captions,
            other.attributes,
        )
        assert one.open().tobytes() == other.open().tobytes() == one.open().tobytes()
    assert toys(1, seed=8)[0].open().tobytes() != few[0].open().tobytes()


def test_dataset_is_the_same_again(tmp_path: Path) -> None:
    first = prepare("toybirds", tmp_path / "a", num_pictures=12, resolutions=(16,))
    again = prepare("toybirds", tmp_path / "b", num_pictures=12, resolutions=(16,))
    other = prepare("toybirds", tmp_path / "c", num_pictures=12, resolutions=(16,), seed=1)

    assert first.info.digest == again.info.digest != other.info.digest
    assert first.info.attributes == ("background", "beak", "body", "facing", "pose", "size", "wings")
    assert CaptionedImages.open(tmp_path / "a").records[0].attributes == toys(1)[0].attributes


def test_every_value_is_drawn_and_none_much_more_often() -> None:
    attributes = [picture.attributes or {} for picture in toys(2000)]

    for name, values in (("body", BODY_COLOURS), ("pose", POSES), ("size", SIZES)):
        counts = [sum(one[name] == value for one in attributes) for value in values]
        assert min(counts) > 0.7 * 2000 / len(values)
    assert all(one["background"] != one["body"] for one in attributes)


def test_captions_say_what_is_there_and_nothing_else() -> None:
    colours = {*BODY_COLOURS, "grey"}
    for picture in toys(1000):
        bird = picture.attributes or {}
        assert len(picture.captions) == 3
        for caption in picture.captions:
            words = caption.replace(",", "").split()
            assert bird["body"] in words and "bird" in words
            assert colours & set(words) <= {bird[part] for part in ("body", "wings", "beak", "background")}
            assert set(SIZES) & set(words) <= {bird["size"]}
            assert {"left", "right"} & set(words) <= {bird["facing"]}
            assert ("flying" in words or "flight" in words) <= (bird["pose"] == "flying")
            assert not re.search(r"\ba [aeiou]|\ban [^aeiou]", caption)
        assert bird["wings"] in picture.captions[0] and bird["beak"] in picture.captions[0]


def test_body_colour_can_be_read_from_the_pixels() -> None:
    pictures = list(islice(toys(250, seed=3), 100, 250))
    right = {64: 0, 128: 0}
    for picture in pictures:
        for square in to_squares(picture.open(), (64, 128)):
            right[len(square)] += body_colour(square) == (picture.attributes or {})["body"]

    assert right[64] >= 0.99 * len(pictures)
    assert right[128] >= 0.99 * len(pictures)


def test_facing_and_size_are_drawn() -> None:
    """A mirrored bird has its mass on the other side, and a large one covers more."""
    pictures = [picture for picture in toys(300) if (picture.attributes or {})["background"] == "white"]
    covered: dict[str, list[float]] = {size: [] for size in SIZES}
    for picture in pictures:
        bird = picture.attributes or {}
        if bird["pose"] == "flying":
            pixels = np.asarray(picture.open().convert("L"), dtype=float)
            covered[bird["size"]].append(float((pixels < 0.8 * pixels.max()).mean()))
    assert np.mean(covered["small"]) < np.mean(covered["large"])


def test_senseless_options() -> None:
    with pytest.raises(DataError, match="leave out --from"):
        open_toybirds(Path("photos"), None, 0)
    with pytest.raises(DataError, match="seed must be 0 or more"):
        open_toybirds(None, None, -1)
