"""cub200: Caltech-UCSD Birds 200-2011 with Reed's ten captions a picture; 150 and 50 classes.

The captions are those of Reed et al., "Learning Deep Representations of Fine-Grained Visual Descriptions"
(2016), and so is the split, which StackGAN and AttnGAN use too. Without their lists the split is CUB's own,
by picture, where every class is trained on and tested.
"""

from pathlib import Path

from creativeai.data.pictures import Box
from creativeai.data.sources.base import Problem, Source, SourcePicture
from creativeai.data.sources.class_split import Published, check_disjoint
from creativeai.data.sources.places import Places, Spot, make_source, open_places
from creativeai.data.sources.split_pickles import read_split_lists
from creativeai.data.sources.texts import Texts
from creativeai.errors import DataError

ARCHIVES = r"(CUB_200_2011|cvpr2016_cub|birds|text|text_c10)\..*"
PUBLISHED = Published({"train": 8855, "test": 2933}, {"train": 150, "test": 50})
PUBLISHED_BY_PICTURE = Published({"train": 5994, "test": 5794}, {})
"""CUB's own split, of all 200 classes in both parts."""
CLASS_LISTS = ("trainvalclasses.txt", "testclasses.txt")
WHAT = "CUB_200_2011 (or its .tgz), and Reed's captions text_c10 or AttnGAN's text"
LICENCE = "photographs for non-commercial research and education; see the official page"


def open_cub200(root: Path | None, num_pictures: int | None, seed: int) -> Source:
    """Open pictures, bounding boxes, captions and split; each picture is cropped to its bird.

    Raises:
        DataError: a part is missing or damaged, or a class is in both splits.
    """
    places = open_places(root, "cub200", WHAT, ARCHIVES)
    birds = places.need_file("images.txt", "the list of pictures in CUB_200_2011")
    boxes = read_boxes(birds)
    paths = _read_paths(birds)
    texts = Texts.of(places.need_folder("the captions", "text_c10", "text"))
    split_of, published, rule = _read_split(places, birds, paths)
    described: list[SourcePicture | Problem] = []
    for number, path in paths.items():
        key = path.rpartition(".")[0]
        split = split_of.get(key)
        if split is None:
            continue
        described.append(describe(birds, f"images/{path}", texts, key, split, boxes.get(number)))
    notes = [f"published split: {rule}"]
    if len(paths) > len(described):
        notes.append(f"not used: {len(paths) - len(described):,} pictures that are in neither split")
    return make_source(
        described,
        num_pictures,
        seed,
        name="cub200",
        title="CUB-200-2011: photographs of birds",
        origin="Caltech-UCSD Birds 200-2011, captions by Reed et al. (2016)",
        licence=LICENCE,
        description="Photographs of 200 species of birds, cropped to the bird, with ten captions each",
        notes=notes,
        published=published,
    )


def describe(
    pictures: Spot, path: str, texts: Texts, key: str, split: str, bounding_box: tuple[float, ...] | None
) -> SourcePicture | Problem:
    """One bird: its picture in `pictures`, its captions in `texts`, its class the folder it is in."""
    member = pictures.member(path)
    if not pictures.has(path):
        return Problem(str(member), "the picture is missing", is_missing=True)
    if bounding_box is None:
        return Problem(str(member), "it has no line in bounding_boxes.txt")
    try:
        captions = texts.read(key)
    except DataError as error:
        return Problem(f"{texts.spot}: {key}", str(error))
    label = key.partition("/")[0]
    return SourcePicture(
        path.removeprefix("images/"),
        member,
        captions,
        str(member),
        label,
        split,
        crop=bird_crop(*bounding_box),
    )


def bird_crop(x: float, y: float, width: float, height: float) -> Box:
    """The square around a bounding box that StackGAN and AttnGAN crop to, 1.5 times its longer side.

    It may reach beyond the picture, where it is cut off.
    """
    radius = int(max(width, height) * 0.75)
    middle_x, middle_y = int((2 * x + width) / 2), int((2 * y + height) / 2)
    return middle_x - radius, middle_y - radius, middle_x + radius, middle_y + radius


def read_boxes(birds: Spot) -> dict[int, tuple[float, ...]]:
    """Left, top, width and height of the bird by the picture's number. Raises `DataError`."""
    boxes: dict[int, tuple[float, ...]] = {}
    for line in birds.lines("bounding_boxes.txt"):
        try:
            number, *box = line.split()
            boxes[int(number)] = tuple(float(value) for value in box)
            if len(box) != 4 or not all(abs(value) < 1e6 for value in boxes[int(number)]):  # nor NaN
                raise ValueError
        except ValueError:
            raise DataError(f"{birds}/bounding_boxes.txt: not a number and a box: {line[:60]!a}") from None
    return boxes


def read_boxes_by_key(birds: Spot) -> dict[str, tuple[float, ...]]:
    """The same by the picture's path without `.jpg`. Raises `DataError`."""
    boxes = read_boxes(birds)
    return {
        path.rpartition(".")[0]: boxes[number]
        for number, path in _read_paths(birds).items()
        if number in boxes
    }


def _read_paths(birds: Spot) -> dict[int, str]:
    """Path of each picture below `images/` by its number, checked against the list of classes."""
    paths: dict[int, str] = {}
    for line in birds.lines("images.txt"):
        number, _, path = line.partition(" ")
        if not number.isdecimal() or len(number) > 9 or "/" not in path or int(number) in paths:
            raise DataError(f"{birds}/images.txt: not a new number and a path: {line[:60]!a}")
        paths[int(number)] = path.strip()
    if not birds.has("image_class_labels.txt"):
        return paths
    folders: dict[str, str] = {}
    for line in birds.lines("image_class_labels.txt"):
        number, _, label = line.partition(" ")
        listed = paths.get(int(number)) if number.isdecimal() and len(number) <= 9 else None
        if listed is None or folders.setdefault(label, listed.partition("/")[0]) != listed.partition("/")[0]:
            raise DataError(f"{birds}/image_class_labels.txt doesn't fit images.txt: {line[:60]!a}")
    return paths


def _read_split(places: Places, birds: Spot, paths: dict[int, str]) -> tuple[dict[str, str], Published, str]:
    """Split of each picture by its path without `.jpg`, its published numbers, and whose split it is.

    Reed's lists of classes are taken, else AttnGAN's of pictures, else CUB's own. Raises `DataError`.
    """
    keys = {number: path.rpartition(".")[0] for number, path in paths.items()}
    lists = places.find_file(CLASS_LISTS[0])
    if lists is not None:
        train, test = (set(lists.lines(name)) for name in CLASS_LISTS)
        check_disjoint(train, test, f"{lists}/{' and '.join(CLASS_LISTS)}")
        split_of_class = dict.fromkeys(train, "train") | dict.fromkeys(test, "test")
        folders = {key: key.partition("/")[0] for key in keys.values()}
        split_of = {
            key: split_of_class[folder] for key, folder in folders.items() if folder in split_of_class
        }
        return split_of, PUBLISHED, f"by class, {' and '.join(CLASS_LISTS)} of Reed et al."
    if places.find_file("train/filenames.pickle") is not None:
        split_of = {key: split for key, (split, _) in read_split_lists(places).items()}
        return split_of, PUBLISHED, "by class, AttnGAN's filenames.pickle"
    if not birds.has("train_test_split.txt"):
        raise DataError(
            f"{places.root} has no split: looked for {' and '.join(CLASS_LISTS)} (Reed's lists of classes, "
            "in cvpr2016_cub), train/filenames.pickle and test/filenames.pickle (AttnGAN's) and "
            "CUB_200_2011/train_test_split.txt (CUB's own)"
        )
    rule = f"by picture, CUB's own train_test_split.txt, since there are no {' and '.join(CLASS_LISTS)}"
    return _read_own_split(birds, keys), PUBLISHED_BY_PICTURE, f"{rule}: every class is in both parts"


def _read_own_split(birds: Spot, keys: dict[int, str]) -> dict[str, str]:
    """Split by path without `.jpg`, from lines of a picture's number, and 1 if it is to train on, else 0."""
    split_of: dict[str, str] = {}
    for line in birds.lines("train_test_split.txt"):
        number, _, is_training = line.partition(" ")
        key = keys.get(int(number)) if number.isdecimal() and len(number) <= 9 else None
        if key is None or key in split_of or is_training not in ("0", "1"):
            raise DataError(f"{birds}/train_test_split.txt: not a new number and 0 or 1: {line[:60]!a}")
        split_of[key] = "train" if is_training == "1" else "test"
    return split_of
