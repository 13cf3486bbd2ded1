"""text_files: a folder or archive of pictures, and beside each a text file of its name, a caption a line.

Beside `1.PNG` that is `1.txt`, `1.TXT` or `1.PNG.txt`; the captions of all that are there count.
"""

from collections import defaultdict
from pathlib import Path

from creativeai.data.archives import Archive, open_archive
from creativeai.data.sources.base import Problem, Source, SourcePicture
from creativeai.data.sources.captions import MAX_TEXT_BYTES, parse_caption_file
from creativeai.data.sources.metadata import SPLIT_NAMES
from creativeai.data.sources.places import PICTURE_SUFFIXES, Member, make_source
from creativeai.errors import DataError


def open_text_files(root: Path | None, num_pictures: int | None, seed: int) -> Source:
    """Open the pictures; those below a top folder `train`, `validation` or `test` belong to that split.

    Raises:
        DataError: no folder, or no picture in it.
    """
    if root is None:
        raise DataError("text_files needs --from DIR: the folder with the pictures and a .txt for each")
    archive = open_archive(root)
    names = [name for name in archive.sizes if name.lower().endswith(PICTURE_SUFFIXES)]
    if not names:
        raise DataError(f"{root} has no pictures: 1.jpg with its captions in 1.txt beside it are looked for")
    texts: dict[str, list[str]] = defaultdict(list)
    for text in archive.sizes:
        if text.lower().endswith(".txt"):
            texts[text[: -len(".txt")]].append(text)
    described = [_describe(archive, name, texts) for name in names]
    name = root.resolve().name.partition(".")[0] or "text_files"
    return make_source(
        described,
        num_pictures,
        seed,
        name=name,
        title=name,
        origin=f"text files of {root.resolve().name}",
        licence="not stated",
        description="Captioned pictures, a text file each",
        notes=[],
    )


def _describe(archive: Archive, name: str, texts: dict[str, list[str]]) -> SourcePicture | Problem:
    member = Member(archive, name)
    stem = name.rpartition(".")[0]
    found = [*texts.get(stem, ()), *texts.get(name, ())]
    captions: dict[str, None] = {}  # in order, what two files both say once
    try:
        for text in found or [f"{stem}.txt"]:
            captions |= dict.fromkeys(parse_caption_file(archive.read(text, MAX_TEXT_BYTES)))
    except DataError as error:
        return Problem(str(member), str(error))
    return SourcePicture(
        name, member, tuple(captions), str(member), split=SPLIT_NAMES.get(name.partition("/")[0].lower())
    )
