"""coco: Common Objects in Context, the captions and pictures of 2014 or 2017."""

from collections import defaultdict
from pathlib import Path
from typing import Any

from creativeai.data.sources.base import Problem, Source, SourcePicture
from creativeai.data.sources.captions import clean_captions
from creativeai.data.sources.class_split import Published
from creativeai.data.sources.places import Places, make_source, open_places
from creativeai.errors import DataError

ARCHIVES = r"(annotations_trainval|annotations|captions_train-val|train|val)\d*\..*"
PUBLISHED = {
    2014: Published({"train": 82_783, "test": 40_504}, {}),
    2017: Published({"train": 118_287, "test": 5_000}, {}),
}
_SPLITS = {"train": "train", "val": "test"}
"""What COCO's authors hold back of their own test is not published: `val` is what papers report on."""
LICENCE = "captions CC BY 4.0; photographs under their Flickr licences, each named in the annotations"
WHAT = "captions_train2014.json, captions_val2014.json, train2014/ and val2014/ (or their zips; or 2017)"


def open_coco(root: Path | None, num_pictures: int | None, seed: int) -> Source:
    """Open the captions and pictures of one year.

    Raises:
        DataError: a part is missing or damaged, or both years are there.
    """
    places = open_places(root, "coco", WHAT, ARCHIVES)
    years = [year for year in PUBLISHED if places.find_file(f"captions_train{year}.json")]
    if len(years) != 1:
        found = (
            "captions of both 2014 and 2017"
            if years
            else "no captions_train2014.json or captions_train2017.json"
        )
        raise DataError(f"{root}: {found}: give a folder with one year's files")
    year = years[0]
    described = [item for split in ("train", "val") for item in _describe_split(places, split, year)]
    return make_source(
        described,
        num_pictures,
        seed,
        name=f"coco{year}",
        title=f"COCO {year}: everyday scenes",
        origin=f"COCO {year}, train and val",
        licence=LICENCE,
        description="Photographs of everyday scenes with some five captions each",
        notes=[],
        published=PUBLISHED[year],
    )


def _describe_split(places: Places, split: str, year: int) -> list[SourcePicture | Problem]:
    name = f"captions_{split}{year}.json"
    spot = places.need_file(name, f"the captions of {split}")
    photos = places.need_folder(f"the pictures of {split}", f"{split}{year}")
    captions: dict[int, list[str]] = defaultdict(list)
    try:
        content = spot.json(name)
        for annotation in content["annotations"]:
            captions[annotation["image_id"]].append(_text(annotation["caption"]))
        files = {image["id"]: _text(image["file_name"]) for image in content["images"]}
        if len(files) != len(content["images"]):
            raise ValueError("two pictures of one id")
    except (TypeError, KeyError, ValueError) as error:
        raise DataError(
            f"{spot}/{name} is not COCO's list of captions ({error!s:.100}): fetch it again"
        ) from None

    described: list[SourcePicture | Problem] = []
    for number, file in files.items():
        member = photos.member(file)
        if not photos.has(file):
            described.append(Problem(str(member), "the picture is missing", is_missing=True))
            continue
        try:
            cleaned = clean_captions(captions[number])
        except DataError as error:
            described.append(Problem(f"{spot}/{name}: {file}", str(error)))
            continue
        described.append(
            SourcePicture(f"{split}{year}/{file}", member, cleaned, str(member), split=_SPLITS[split])
        )
    return described


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError("not a text where one is meant")
    return value
