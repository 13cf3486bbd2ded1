"""flickr: Flickr8k, Flickr30k, and what Karpathy's lists describe (also COCO); five captions a picture.

Their authors publish `.token` files. Most people have what Kaggle offers: a folder of pictures and a table
with five rows a picture, `captions.txt` or `results.csv`.
"""

from collections import defaultdict
from pathlib import Path

from creativeai.data.sources.base import Problem, Source, SourcePicture
from creativeai.data.sources.captions import clean_captions
from creativeai.data.sources.class_split import Published
from creativeai.data.sources.coco import LICENCE as COCO_LICENCE
from creativeai.data.sources.karpathy import describe_karpathy, photos_by_name
from creativeai.data.sources.metadata import NoCaptions, parse_metadata
from creativeai.data.sources.places import PICTURE_SUFFIXES, Member, Places, Spot, make_source, open_places
from creativeai.errors import DataError

ARCHIVES = r"(flickr|flicker|images|results|train|val|caption_datasets|archive).*"
FLICKR8K = Published({"train": 6000, "validation": 1000, "test": 1000}, {})
_FLICKR30K = Published({"train": 29_000, "validation": 1014, "test": 1000}, {})
_COCO = Published({"train": 113_287, "validation": 5000, "test": 5000}, {})
KARPATHY = {
    "dataset_flickr8k.json": ("flickr8k", "Flickr8k", FLICKR8K),
    "dataset_flickr30k.json": ("flickr30k", "Flickr30k", _FLICKR30K),
    "dataset_coco.json": ("coco_karpathy", "COCO 2014", _COCO),
}
TOKENS = {"Flickr8k.token.txt": "Flickr8k", "results_20130124.token": "Flickr30k"}
_MANY = 10_000
"""Flickr30k has more pictures, Flickr8k fewer: their tables have the same names."""
TABLES = ("captions.txt", "captions.csv", "results.csv")
_WITHOUT_SPLIT = {
    "flickr8k": ("flickr8k", "Flickr8k", Published({}, {}, num_in_all=8091)),
    "flickr30k": ("flickr30k", "Flickr30k", Published({}, {}, num_in_all=31_783)),
}
"""What is published of the pictures where there are no lists of train and test pictures."""
LISTS = {
    "Flickr_8k.trainImages.txt": "train",
    "Flickr_8k.devImages.txt": "validation",
    "Flickr_8k.testImages.txt": "test",
}
LICENCE = "photographs under their Flickr terms, for non-commercial research and education"
WHAT = "the pictures, and Flickr8k.token.txt, results_20130124.token, captions.txt or a list of Karpathy's"


def open_flickr(root: Path | None, num_pictures: int | None, seed: int) -> Source:
    """Open captions and pictures; Karpathy's list is taken where there is one, since it has the split too.

    Raises:
        DataError: a part is missing or damaged.
    """
    places = open_places(root, "flickr", WHAT, ARCHIVES)
    name, spot = _find_list(places)
    photos = photos_by_name(places)
    notes: list[str] = []
    if name in KARPATHY:
        key, title, published = KARPATHY[name]
        described = describe_karpathy(spot, name, photos)
    else:
        where = f"{spot}/{name}"
        if name in TOKENS:
            captions = parse_tokens(spot.lines(name), where)
        else:
            captions, notes = parse_table(spot.read(name), where)
        is_8k = name == "Flickr8k.token.txt" or (name in TABLES and len(captions) < _MANY)
        key, title, published = _WITHOUT_SPLIT["flickr8k" if is_8k else "flickr30k"]
        split_of, split_notes = _read_lists(places, captions) if is_8k else ({}, [])
        if split_of:
            published = FLICKR8K
        else:
            split_of = dict.fromkeys(
                (file for file in captions if file.lower().endswith(PICTURE_SUFFIXES)), ""
            )
            split_notes = ["published split: none, there are no lists of train and test pictures"]
            # Flickr8k's published captions have a picture that doesn't exist: its name ends in .jpg.1.
            odd = next((file for file in captions if file not in split_of), None)
            num_odd = len(captions) - len(split_of)
            split_notes += [f"not used: {num_odd:,} names of no picture, such as {odd}"] if num_odd else []
        notes += split_notes
        described = [_describe(where, file, captions, photos, split) for file, split in split_of.items()]
    return make_source(
        described,
        num_pictures,
        seed,
        name=key,
        title=f"{title}: everyday scenes",
        origin=f"{title}, {name}",
        licence=COCO_LICENCE if name == "dataset_coco.json" else LICENCE,
        description="Photographs of everyday scenes with five captions each",
        notes=notes,
        published=published,
    )


def parse_tokens(lines: list[str], where: str) -> dict[str, list[str]]:
    """Captions by file name, from lines of a file name, `#`, a number, a tab and a caption.

    Raises:
        DataError: a line is none of that form.
    """
    captions: dict[str, list[str]] = defaultdict(list)
    for number, line in enumerate(lines, start=1):
        name, tab, caption = line.partition("\t")
        file, hash_sign, index = name.rpartition("#")
        if not tab or not hash_sign or not index.strip().isdecimal() or not file.isprintable():
            raise DataError(
                f"{where}: caption {number} is not FILE#NUMBER, a tab, and a sentence: {line[:60]!a}"
            )
        captions[file].append(caption)
    return captions


def parse_table(content: bytes, where: str) -> tuple[dict[str, list[str]], list[str]]:
    """Captions by file name from a table with a row for each, and notes on rows that have none.

    Raises:
        DataError: it has no columns of pictures and captions, or a row can't be read.
    """
    metadata = parse_metadata(content, where, is_table=True)
    captions: dict[str, list[str]] = defaultdict(list)
    without: list[int] = []
    for number, row in metadata.rows:
        if isinstance(row, NoCaptions):
            without.append(number)  # Flickr30k's table has one
        elif isinstance(row, DataError):
            raise DataError(f"{where} line {number}: {row}")
        else:
            captions[row.file_name.rpartition("/")[2]] += row.captions
    notes = list(metadata.notes)
    if without:
        notes.append(
            f"not used: {len(without):,} rows of {where} without a caption, the first is line {without[0]:,}"
        )
    return captions, notes


def _find_list(places: Places) -> tuple[str, Spot]:
    found = [(name, spot) for name in (*KARPATHY, *TOKENS) if (spot := places.find_file(name)) is not None]
    found += (
        [] if found else [(name, spot) for name in TABLES if (spot := places.find_file(name)) is not None]
    )
    if not found:
        raise DataError(f"{places.root} has none of {', '.join((*KARPATHY, *TOKENS, *TABLES))}")
    if found[0][0] in TABLES:
        if len(found) > 1:
            raise DataError(f"{places.root} has {' and '.join(name for name, _ in found)}: keep one of them")
        return found[0]
    titles = sorted({KARPATHY[name][1] if name in KARPATHY else TOKENS[name] for name, _ in found})
    if len(titles) > 1:
        raise DataError(
            f"{places.root} has the captions of {' and '.join(titles)}: give a folder with one of them"
        )
    return found[0]


def _read_lists(places: Places, captions: dict[str, list[str]]) -> tuple[dict[str, str], list[str]]:
    """Split of each picture that Flickr8k's lists name, and a note on those that they don't."""
    split_of: dict[str, str] = {}
    for list_name, split in LISTS.items():
        lists = places.find_file(list_name)
        if lists is not None:
            split_of |= dict.fromkeys(lists.lines(list_name), split)
    # The published captions have one picture more than the lists, and it doesn't exist.
    num_unlisted = len(captions.keys() - split_of.keys())
    return split_of, [f"not used: {num_unlisted:,} pictures in none of the lists"] if num_unlisted else []


def _describe(
    where: str, file: str, captions: dict[str, list[str]], photos: dict[str, Member], split: str
) -> SourcePicture | Problem:
    member = photos.get(file)
    if member is None:
        return Problem(f"{where}: {file}", "the picture is missing", is_missing=True)
    try:
        return SourcePicture(
            file, member, clean_captions(captions.get(file, ())), str(member), split=split or None
        )
    except DataError as error:
        return Problem(f"{where}: {file}", str(error))
