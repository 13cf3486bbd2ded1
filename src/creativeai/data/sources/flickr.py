"""flickr: Flickr8k, Flickr30k, and what Karpathy's lists describe (also COCO); five captions a picture."""

from collections import defaultdict
from pathlib import Path

from creativeai.data.sources.base import Problem, Source, SourcePicture
from creativeai.data.sources.captions import clean_captions
from creativeai.data.sources.class_split import Published
from creativeai.data.sources.coco import LICENCE as COCO_LICENCE
from creativeai.data.sources.karpathy import describe_karpathy, photos_by_name
from creativeai.data.sources.places import Member, Places, Spot, make_source, open_places
from creativeai.errors import DataError

ARCHIVES = r"(flickr|flicker|images|results|train|val|caption_datasets).*"
KARPATHY = {
    "dataset_flickr8k.json": ("flickr8k", "Flickr8k", Published({"train": 6000, "val": 2000}, {})),
    "dataset_flickr30k.json": ("flickr30k", "Flickr30k", Published({"train": 29_000, "val": 2014}, {})),
    "dataset_coco.json": ("coco_karpathy", "COCO 2014", Published({"train": 113_287, "val": 10_000}, {})),
}
TOKENS = {
    "Flickr8k.token.txt": ("flickr8k", "Flickr8k", Published({"train": 6000, "val": 2000}, {})),
    "results_20130124.token": ("flickr30k", "Flickr30k", None),
}
LISTS = {
    "Flickr_8k.trainImages.txt": "train",
    "Flickr_8k.devImages.txt": "val",
    "Flickr_8k.testImages.txt": "val",
}
LICENCE = "photographs under their Flickr terms, for non-commercial research and education"
WHAT = "the pictures, and Flickr8k.token.txt, results_20130124.token or a list of Karpathy's"


def open_flickr(root: Path | None, num_pictures: int | None, seed: int) -> Source:
    """Open captions and pictures; Karpathy's list is taken where there is one, since it has the split too.

    Raises:
        DataError: a part is missing or damaged.
    """
    places = open_places(root, "flickr", WHAT, ARCHIVES)
    name, spot = _find_list(places)
    key, title, published = (KARPATHY | TOKENS)[name]
    photos = photos_by_name(places)
    notes: list[str] = []
    if name in KARPATHY:
        described = describe_karpathy(spot, name, photos)
    else:
        described, notes = _describe_tokens(spot, name, photos, places)
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


def _find_list(places: Places) -> tuple[str, Spot]:
    found = [(name, spot) for name in (*KARPATHY, *TOKENS) if (spot := places.find_file(name)) is not None]
    if not found:
        raise DataError(f"{places.root} has none of {', '.join((*KARPATHY, *TOKENS))}")
    titles = sorted({(KARPATHY | TOKENS)[name][1] for name, _ in found})
    if len(titles) > 1:
        raise DataError(
            f"{places.root} has the captions of {' and '.join(titles)}: give a folder with one of them"
        )
    return found[0]


def _describe_tokens(
    spot: Spot, name: str, photos: dict[str, Member], places: Places
) -> tuple[list[SourcePicture | Problem], list[str]]:
    where = f"{spot}/{name}"
    captions = parse_tokens(spot.lines(name), where)
    split_of: dict[str, str] = {}
    for list_name, split in LISTS.items() if name == "Flickr8k.token.txt" else ():
        lists = places.find_file(list_name)
        if lists is not None:
            split_of |= dict.fromkeys(lists.lines(list_name), split)
    notes: list[str] = []
    if split_of:
        # The published captions have one picture more than the lists, and it doesn't exist.
        num_unlisted = len(captions.keys() - split_of.keys())
        notes += [f"not used: {num_unlisted:,} pictures in none of the lists"] if num_unlisted else []
    else:
        split_of = dict.fromkeys(captions, "")
        notes = ["no lists of train and test pictures: an eighth is held out, by a hash of the file's name"]
    described: list[SourcePicture | Problem] = []
    for file, split in split_of.items():
        member = photos.get(file)
        if member is None:
            described.append(Problem(f"{where}: {file}", "the picture is missing"))
            continue
        try:
            cleaned = clean_captions(captions.get(file, ()))
        except DataError as error:
            described.append(Problem(f"{where}: {file}", str(error)))
            continue
        described.append(SourcePicture(file, member, cleaned, str(member), split=split or None))
    return described, notes
