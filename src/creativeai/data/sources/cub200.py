"""cub200: Caltech-UCSD Birds 200-2011 with Reed's ten captions a picture; 150 and 50 classes.

The split and the captions are those of Reed et al., "Learning Deep Representations of Fine-Grained Visual
Descriptions" (2016), which StackGAN and AttnGAN use too.
"""

from pathlib import Path

from creativeai.data.pictures import Box
from creativeai.data.sources.base import Problem, Source, SourcePicture
from creativeai.data.sources.class_split import Published, check_disjoint, count_notes
from creativeai.data.sources.places import Places, Spot, make_source, open_places
from creativeai.data.sources.split_pickles import read_split_lists
from creativeai.data.sources.texts import Texts
from creativeai.errors import DataError

ARCHIVES = r"(CUB_200_2011|cvpr2016_cub|birds|text|text_c10)\..*"
PUBLISHED = Published({"train": 8855, "test": 2933}, {"train": 150, "test": 50})
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
    split_of = _read_split(places, paths)
    described: list[SourcePicture | Problem] = []
    for number, path in paths.items():
        key = path.rpartition(".")[0]
        split = split_of.get(key)
        if split is None:
            continue
        described.append(describe(birds, f"images/{path}", texts, key, split, boxes.get(number)))
    notes = count_notes(described, PUBLISHED)
    if len(paths) > len(described):
        notes.append(f"not used: {len(paths) - len(described):,} pictures that are in neither split")
    return make_source(
        described,
        num_pictures,
        seed,
        name="cub200",
        title="CUB-200-2011: photographs of birds",
        origin="Caltech-UCSD Birds 200-2011, captions and split by Reed et al. (2016)",
        licence=LICENCE,
        description="Photographs of 200 species of birds, cropped to the bird, with ten captions each",
        notes=notes,
    )


def describe(
    pictures: Spot, path: str, texts: Texts, key: str, split: str, bounding_box: tuple[float, ...] | None
) -> SourcePicture | Problem:
    """One bird: its picture in `pictures`, its captions in `texts`, its class the folder it is in."""
    member = pictures.member(path)
    if not pictures.has(path):
        return Problem(str(member), "the picture is missing")
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


def _read_split(places: Places, paths: dict[int, str]) -> dict[str, str]:
    """Split of each picture by its path without `.jpg`: from Reed's lists of classes, else from AttnGAN's."""
    lists = places.find_file("trainvalclasses.txt")
    if lists is None:
        return {key: split for key, (split, _) in read_split_lists(places).items()}
    train, test = set(lists.lines("trainvalclasses.txt")), set(lists.lines("testclasses.txt"))
    check_disjoint(train, test, f"{lists}/trainvalclasses.txt and testclasses.txt")
    split_of_class = dict.fromkeys(train, "train") | dict.fromkeys(test, "test")
    keys = [path.rpartition(".")[0] for path in paths.values()]
    return {
        key: split_of_class[folder] for key in keys if (folder := key.partition("/")[0]) in split_of_class
    }
