"""Karpathy's lists dataset_flickr8k.json, dataset_flickr30k.json, dataset_coco.json: captions and splits."""

from creativeai.data.sources.base import Problem, SourcePicture
from creativeai.data.sources.captions import captions_of
from creativeai.data.sources.metadata import SPLIT_NAMES
from creativeai.data.sources.places import PICTURE_SUFFIXES, Member, Places, Spot
from creativeai.errors import DataError

_SPLITS = SPLIT_NAMES | {"restval": "train"}
"""`restval` is what is left of COCO's val, which everyone trains on."""


def describe_karpathy(spot: Spot, name: str, photos: dict[str, Member]) -> list[SourcePicture | Problem]:
    """The pictures that the list `name` describes, with `photos` by their file name without folders.

    Raises:
        DataError: not such a list.
    """
    content = spot.json(name)
    images = content.get("images") if isinstance(content, dict) else None
    if not isinstance(images, list) or not images:
        raise DataError(f"{spot}/{name} is not Karpathy's list of captions: fetch it again")
    described: list[SourcePicture | Problem] = []
    seen: set[str] = set()
    for index, image in enumerate(images):
        file = image.get("filename") if isinstance(image, dict) else None
        split = image.get("split") if isinstance(image, dict) else None
        if not isinstance(file, str) or not isinstance(split, str) or split not in _SPLITS or file in seen:
            raise DataError(f"{spot}/{name}: picture {index} has no new filename or no split: fetch it again")
        seen.add(file)
        described.append(_describe(f"{spot}/{name}", file, _SPLITS[split], image.get("sentences"), photos))
    return described


def photos_by_name(places: Places) -> dict[str, Member]:
    """All pictures there are, by their file name without folders."""
    return {
        name.rpartition("/")[2]: Member(archive, name)
        for archive in places.each()
        for name in archive.sizes
        if name.lower().endswith(PICTURE_SUFFIXES)
    }


def _describe(
    where: str, file: str, split: str, sentences: object, photos: dict[str, Member]
) -> SourcePicture | Problem:
    member = photos.get(file)
    if member is None:
        return Problem(f"{where}: {file!a}", "the picture is missing", is_missing=True)
    try:
        return SourcePicture(file, member, captions_of(sentences), str(member), split=split)
    except DataError as error:
        return Problem(f"{where}: {file}", str(error))
