"""oxford102: 102 Category Flowers with Reed's ten captions a picture, 82 classes to train and 20 held out."""

from pathlib import Path

from creativeai.data.mat_file import read_mat_numbers
from creativeai.data.sources.base import Problem, Source, SourcePicture
from creativeai.data.sources.class_split import Published, check_disjoint
from creativeai.data.sources.places import Spot, make_source, open_places
from creativeai.data.sources.texts import Texts
from creativeai.errors import DataError

ARCHIVES = r"(102flowers|cvpr2016_flowers|text_c10)\..*"
PUBLISHED = Published({"train": 7034, "val": 1155}, {"train": 82, "val": 20})
WHAT = "102flowers.tgz, imagelabels.mat and Reed's captions (text_c10, trainvalclasses.txt, testclasses.txt)"
_MAX_MAT_BYTES = 2**20


def open_oxford102(root: Path | None, num_pictures: int | None, seed: int) -> Source:
    """Open pictures, classes, captions and split.

    Raises:
        DataError: a part is missing or damaged, or a class is in both splits.
    """
    places = open_places(root, "oxford102", WHAT, ARCHIVES)
    labels = read_labels(places.need_file("imagelabels.mat", "the classes of the pictures"))
    photos = places.need_folder("the pictures, of 102flowers.tgz", "jpg")
    texts = Texts.of(places.need_folder("the captions", "text_c10"))
    lists = places.need_file("trainvalclasses.txt", "with testclasses.txt the split by class, by Reed et al.")
    train, val = set(lists.lines("trainvalclasses.txt")), set(lists.lines("testclasses.txt"))
    check_disjoint(train, val, f"{lists}/trainvalclasses.txt and testclasses.txt")
    split_of_class = dict.fromkeys(train, "train") | dict.fromkeys(val, "val")

    described: list[SourcePicture | Problem] = []
    for number, label in enumerate(labels, start=1):
        folder = f"class_{label:05}"
        if folder in split_of_class:
            name = f"image_{number:05}"
            split = split_of_class[folder]
            described.append(_describe(photos, name, texts, f"{folder}/{name}", folder, split))
    num_unlisted = len(labels) - len(described)
    notes = [f"not used: {num_unlisted:,} pictures that are in neither split"] if num_unlisted else []
    return make_source(
        described,
        num_pictures,
        seed,
        name="oxford102",
        title="Oxford-102: photographs of flowers",
        origin="102 Category Flower Dataset, captions and split by Reed et al. (2016)",
        licence="not stated by its authors, made for research; see the official page",
        description="Photographs of 102 kinds of flowers with ten captions each",
        notes=notes,
        published=PUBLISHED,
    )


def read_labels(spot: Spot) -> list[int]:
    """The class from 1 to 102 of each picture, as `imagelabels.mat` has them.

    Raises:
        DataError: not such a file.
    """
    content = spot.read("imagelabels.mat")
    where = f"{spot}/imagelabels.mat"
    if len(content) > _MAX_MAT_BYTES:
        raise DataError(f"{where} has {len(content):,} bytes, too many for a list of classes")
    try:
        labels = read_mat_numbers(content, "labels")
    except DataError as error:
        raise DataError(f"{where} {error}: fetch it again") from None
    if not labels.size or not ((labels >= 1) & (labels <= 99_999) & (labels == labels.round())).all():
        raise DataError(f"{where}: the labels are not numbers of classes")
    return [int(label) for label in labels.reshape(-1)]


def _describe(
    photos: Spot, name: str, texts: Texts, text: str, label: str, split: str
) -> SourcePicture | Problem:
    member = photos.member(f"{name}.jpg")
    if not photos.has(f"{name}.jpg"):
        return Problem(str(member), "the picture is missing", is_missing=True)
    try:
        captions = texts.read(text)
    except DataError as error:
        return Problem(f"{texts.spot}: {text}", str(error))
    return SourcePicture(f"jpg/{name}.jpg", member, captions, str(member), label, split)
