"""oxford102: 102 Category Flowers with Reed's ten captions a picture, 82 classes to train and 20 held out.

Without Reed's lists of classes the split is Oxford's own, by picture: `setid.mat`.
"""

from pathlib import Path

from creativeai.data.mat_file import read_mat_numbers
from creativeai.data.sources.base import Problem, Source, SourcePicture
from creativeai.data.sources.class_split import Published, check_disjoint
from creativeai.data.sources.places import Places, Spot, make_source, open_places
from creativeai.data.sources.texts import Texts
from creativeai.errors import DataError

ARCHIVES = r"(102flowers|cvpr2016_flowers|text_c10)\..*"
PUBLISHED = Published({"train": 7034, "test": 1155}, {"train": 82, "test": 20})
PUBLISHED_BY_PICTURE = Published({"train": 1020, "validation": 1020, "test": 6149}, {})
"""Oxford's own split, of all 102 classes in each part."""
CLASS_LISTS = ("trainvalclasses.txt", "testclasses.txt")
_OWN_LISTS = {"trnid": "train", "valid": "validation", "tstid": "test"}
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
    split_of, published, rule = _read_split(places, labels)

    described: list[SourcePicture | Problem] = []
    for number, split in sorted(split_of.items()):
        folder, name = f"class_{labels[number - 1]:05}", f"image_{number:05}"
        described.append(_describe(photos, name, texts, f"{folder}/{name}", folder, split))
    notes = [f"published split: {rule}"]
    if num_unlisted := len(labels) - len(described):
        notes.append(f"not used: {num_unlisted:,} pictures that are in neither split")
    return make_source(
        described,
        num_pictures,
        seed,
        name="oxford102",
        title="Oxford-102: photographs of flowers",
        origin="102 Category Flower Dataset, captions by Reed et al. (2016)",
        licence="not stated by its authors, made for research; see the official page",
        description="Photographs of 102 kinds of flowers with ten captions each",
        notes=notes,
        published=published,
    )


def read_labels(spot: Spot) -> list[int]:
    """The class from 1 to 102 of each picture, as `imagelabels.mat` has them.

    Raises:
        DataError: not such a file.
    """
    return _read_numbers(spot, "imagelabels.mat", "labels", "classes")


def _read_split(places: Places, labels: list[int]) -> tuple[dict[int, str], Published, str]:
    """Split of each picture by its number, its published numbers, and whose it is. Raises `DataError`."""
    lists = places.find_file(CLASS_LISTS[0])
    if lists is not None:
        train, test = (set(lists.lines(name)) for name in CLASS_LISTS)
        check_disjoint(train, test, f"{lists}/{' and '.join(CLASS_LISTS)}")
        split_of_class = dict.fromkeys(train, "train") | dict.fromkeys(test, "test")
        folders = {number: f"class_{label:05}" for number, label in enumerate(labels, start=1)}
        split_of = {
            number: split_of_class[name] for number, name in folders.items() if name in split_of_class
        }
        return split_of, PUBLISHED, f"by class, {' and '.join(CLASS_LISTS)} of Reed et al."
    own = places.find_file("setid.mat")
    if own is None:
        raise DataError(
            f"{places.root} has no split: looked for {' and '.join(CLASS_LISTS)} (Reed's lists of classes, "
            "in cvpr2016_flowers) and setid.mat (Oxford's own)"
        )
    split_of = {}
    for name, split in _OWN_LISTS.items():
        for number in _read_numbers(own, "setid.mat", name, "pictures"):
            if number > len(labels) or number in split_of:
                raise DataError(
                    f"{own}/setid.mat: {name} has picture {number}, which is in two lists or none"
                )
            split_of[number] = split
    rule = f"by picture, Oxford's own setid.mat, since there are no {' and '.join(CLASS_LISTS)}"
    return split_of, PUBLISHED_BY_PICTURE, f"{rule}: every class is in every part"


def _read_numbers(spot: Spot, file: str, name: str, what: str) -> list[int]:
    """Whole numbers from 1 on of a matrix in a MATLAB file. Raises `DataError`."""
    content = spot.read(file)
    where = f"{spot}/{file}"
    if len(content) > _MAX_MAT_BYTES:
        raise DataError(f"{where} has {len(content):,} bytes, too many for a list of {what}")
    try:
        numbers = read_mat_numbers(content, name)
    except DataError as error:
        raise DataError(f"{where} {error}: fetch it again") from None
    if not numbers.size or not ((numbers >= 1) & (numbers <= 99_999) & (numbers == numbers.round())).all():
        raise DataError(f"{where}: the {name} are not numbers of {what}")
    return [int(number) for number in numbers.reshape(-1)]


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
