"""attngan: the folders that AttnGAN's authors publish for birds and COCO, and those made like them."""

from pathlib import Path

from creativeai.data.sources.base import Problem, Source, SourcePicture
from creativeai.data.sources.captions import clean_captions
from creativeai.data.sources.cub200 import PUBLISHED as PUBLISHED_BIRDS
from creativeai.data.sources.cub200 import bird_crop, read_boxes_by_key
from creativeai.data.sources.places import Places, Spot, make_source, open_places
from creativeai.data.sources.split_pickles import SPLIT_FOLDERS, read_pickle, read_split_lists
from creativeai.data.sources.texts import Texts
from creativeai.errors import DataError

ARCHIVES = r"(birds|coco|flowers|text|CUB_200_2011|images|102flowers|jpg)\..*"
WHAT = "train/filenames.pickle, test/filenames.pickle, text/ or captions.pickle, and the pictures"
_SUFFIXES = (".jpg", ".png", ".jpeg")


def open_attngan(root: Path | None, num_pictures: int | None, seed: int) -> Source:
    """Open lists, captions and pictures; birds with bounding boxes are cropped to them.

    Raises:
        DataError: a part is missing or damaged.
    """
    places = open_places(root, "attngan", WHAT, ARCHIVES)
    lists = read_split_lists(places)
    birds = places.find_file("bounding_boxes.txt")
    boxes = None if birds is None else read_boxes_by_key(birds)
    if not lists:
        raise DataError(f"{places.root}: the lists of pictures are empty")
    photos = _find_photos(places, next(iter(lists)))
    spot = places.find_folder("text", "text_c10")
    texts = None if spot is None else Texts.of(spot)
    sentences = read_captions_pickle(places, lists) if texts is None else {}
    described: list[SourcePicture | Problem] = []
    for key, (split, number) in lists.items():
        name = next((key + suffix for suffix in _SUFFIXES if photos.has(key + suffix)), None)
        where = str(photos.member(key))
        if name is None:
            described.append(Problem(where, "the picture is missing", is_missing=True))
            continue
        if boxes is not None and key not in boxes:
            described.append(Problem(where, "it has no line in bounding_boxes.txt"))
            continue
        try:
            captions = sentences[key] if texts is None else texts.read(key)
        except DataError as error:
            described.append(Problem(f"{spot}: {key}", str(error)))
            continue
        label = key.partition("/")[0] if boxes is not None else number
        crop = None if boxes is None else bird_crop(*boxes[key])
        described.append(SourcePicture(name, photos.member(name), captions, where, label, split, crop=crop))
    notes = [f"captions: {'captions.pickle' if spot is None else spot}"]
    if boxes is not None:
        notes.append("pictures are cropped to the bounding boxes of the birds")
    name = places.root.resolve().name or "attngan"
    return make_source(
        described,
        num_pictures,
        seed,
        name=name,
        title=f"{name}, as published for AttnGAN",
        origin=f"AttnGAN's folder {name}",
        licence="not stated: that of the data set the pictures are from",
        description="Captioned pictures in the split of AttnGAN's lists",
        notes=notes,
        published=PUBLISHED_BIRDS if boxes is not None else None,
    )


def read_captions_pickle(
    places: Places, lists: dict[str, tuple[str, str | None]]
) -> dict[str, tuple[str, ...]]:
    """Captions of each picture out of AttnGAN's `captions.pickle`, whose words are numbers.

    It has two lists of captions, an equal number for each picture in the order of `filenames.pickle`, and the
    words by number. Number 0 is the end.

    Raises:
        DataError: no such file, not of this form, or for other pictures.
    """
    spot = places.need_file("captions.pickle", "there are no text files either")
    content = read_pickle(spot, "captions.pickle")
    where = f"{spot}/captions.pickle"
    if not isinstance(content, list | tuple) or len(content) != 4 or not isinstance(content[2], dict):
        raise DataError(f"{where} is not AttnGAN's: two lists of captions and two dictionaries are meant")
    words = content[2]
    found: dict[str, tuple[str, ...]] = {}
    for split, sentences in zip(SPLIT_FOLDERS.values(), content[:2], strict=True):
        keys = [key for key, (listed, _) in lists.items() if listed == split]
        if not isinstance(sentences, list) or not keys or not sentences or len(sentences) % len(keys):
            num = len(sentences) if isinstance(sentences, list) else 0
            raise DataError(f"{where}: {num:,} captions for the {len(keys):,} pictures of {split}")
        per_picture = len(sentences) // len(keys)
        for index, key in enumerate(keys):
            its = sentences[index * per_picture : (index + 1) * per_picture]
            found[key] = clean_captions(_sentence(sentence, words, where) for sentence in its)
    return found


def _sentence(numbers: object, words: dict[object, object], where: str) -> str:
    if not isinstance(numbers, list) or len(numbers) > 1000:
        raise DataError(f"{where}: a caption is not a list of the numbers of its words")
    found = [words.get(number) if isinstance(number, int) else None for number in numbers if number != 0]
    if not all(isinstance(word, str) and len(word) < 200 for word in found):
        raise DataError(f"{where}: a caption has the number of a word that isn't there")
    return " ".join(map(str, found))


def _find_photos(places: Places, key: str) -> Spot:
    """Where the first picture lies, and with it the others."""
    for suffix in _SUFFIXES:
        for name in (f"images/{key}{suffix}", key + suffix):
            if (spot := places.find_file(name)) is not None:
                return Spot(spot.archive, spot.prefix + name.removesuffix(key + suffix))
    return places.need_folder(f"the pictures, such as {key}.jpg", "images")
