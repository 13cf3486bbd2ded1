"""flowers: 10,700 photos of Oxford-102 and TensorFlow's flower_photos joined; the captions ship here.

Oxford-102 (Nilsback and Zisserman 2008) is a research set whose authors state no licence. The photos of
flower_photos are CC-BY 2.0: each has its author and page in its credit, which goes beside a model that is
trained on them.
"""

import re
from pathlib import Path

from creativeai.data.sources.base import Source
from creativeai.data.sources.places import Member, make_source, open_places
from creativeai.data.sources.shipped_captions import PhotoSet, describe_sets, photo_paths, read_shipped

ARCHIVES = r"(102flowers|flower_photos|flowers|archive).*\..*"
SETS = (
    PhotoSet("oxford102", "Oxford-102", "102flowers.tgz or jpg/image_00001.jpg"),
    PhotoSet("flower_photos", "flower_photos", "flower_photos.tgz or roses/<n>.jpg"),
)
WHAT = "102flowers.tgz (creativeai data download oxford102 fetches it) and flower_photos.tgz of TensorFlow"


def open_flowers(root: Path | None, num_pictures: int | None, seed: int) -> Source:
    """Open the photos below `root`: of both sets, or of the one that is there.

    Each photo has a written caption and a short one, written too.

    Raises:
        DataError: no folder, or no photos of either set in it.
    """
    places = open_places(root, "flowers", WHAT, ARCHIVES)
    rows = read_shipped("flowers")
    folder_of = {_stem(row["file_name"]): row["file_name"].rpartition(".")[0].casefold() for row in rows}
    photos: dict[str, Member] = {}
    for member, path in photo_paths(places):
        # Numbers and Flickr's names are unique, whatever folder a copy has them in.
        name = folder_of.get(_stem(path[-1]))
        if name is not None:
            photos.setdefault(name, member)
    described, notes = describe_sets(places, SETS, rows, photos, lambda row: tuple(row["short_captions"]))
    num_credits = len({row["credit"] for row in rows if "credit" in row})
    notes.append(f"licence: {num_credits:,} photos of flower_photos are CC-BY 2.0, see CREDITS.txt")
    return make_source(
        described,
        num_pictures,
        seed,
        name="flowers",
        title="Flowers: photos of 104 kinds",
        origin="Oxford-102 (Nilsback, Zisserman 2008), TensorFlow's flower_photos, captions by CreativeAI",
        licence=(
            "photos of Oxford-102: not stated, made for research; of flower_photos: CC-BY 2.0, "
            "authors in CREDITS.txt; captions Apache-2.0"
        ),
        description="Photos of flowers with a written caption and a short one each",
        notes=notes,
    )


def _stem(path: str) -> str:
    return re.sub(r"\.[a-z]+$", "", path.casefold().rpartition("/")[2])
