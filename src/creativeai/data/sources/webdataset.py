"""webdataset: tar shards in which files of one key belong together: key.jpg, key.txt or key.json, key.cls."""

import json
from collections.abc import Iterator
from pathlib import Path

from creativeai.data.archives import Archive, open_archive
from creativeai.data.sources.base import Problem, Source, SourcePicture
from creativeai.data.sources.captions import MAX_TEXT_BYTES, captions_of, parse_caption_file
from creativeai.data.sources.metadata import CAPTION_KEYS, each_key_once
from creativeai.data.sources.places import Member, in_reading_order
from creativeai.data.sources.shards import chosen_of, find_shards, split_of_shard
from creativeai.errors import DataError

SUFFIXES = (".tar", ".tar.gz", ".tgz")
PICTURES = ("jpg", "jpeg", "png", "webp", "avif")
TEXTS = ("txt", "caption")
JSON_KEYS = (*CAPTION_KEYS, "sentences")


def open_webdataset(root: Path | None, num_pictures: int | None, seed: int) -> Source:
    """Open the shards; the split is in their names (`train-000000.tar`), else it is made by hash.

    Shards are listed at once and read one after the other, so any number of them takes the same memory.

    Raises:
        DataError: no shards, or one that can't be read.
    """
    shards = find_shards(root, "webdataset", SUFFIXES)
    names = (f"{name}/{key}" for name, path in shards.items() for key in group(open_archive(path)))
    chosen, num_chosen = chosen_of(names, num_pictures, seed)
    if not num_chosen:
        raise DataError(f"{root}: the shards hold no pictures")
    assert root is not None
    name = root.resolve().name.partition(".")[0] or "webdataset"
    return Source(
        name=name,
        title=name,
        origin=f"WebDataset {root.resolve().name}",
        licence="not stated",
        description="Captioned pictures of tar shards",
        pictures=_pictures(shards, chosen),
        num_pictures=num_chosen,
        notes=(f"found: {len(shards):,} shards",),
    )


def group(archive: Archive) -> dict[str, dict[str, str]]:
    """Files that belong together: for each key that has a picture, the file of each suffix.

    A key is the path up to the first dot in the file's name, as WebDataset has it.

    Raises:
        DataError: a key has two files of one suffix.
    """
    groups: dict[str, dict[str, str]] = {}
    for name in archive.sizes:
        folder, slash, file = name.rpartition("/")
        stem, _, suffix = file.partition(".")
        suffix = suffix.lower()
        if suffix in groups.setdefault(folder + slash + stem, {}):
            raise DataError(f"{archive.path}: {folder}{slash}{stem} has two .{suffix} files")
        groups[folder + slash + stem][suffix] = name
    return {key: files for key, files in groups.items() if any(suffix in files for suffix in PICTURES)}


def _pictures(shards: dict[str, Path], chosen: set[str] | None) -> Iterator[SourcePicture | Problem]:
    for shard, path in shards.items():
        archive = open_archive(path)
        yield from in_reading_order(
            _describe(archive, shard, key, files)
            for key, files in group(archive).items()
            if chosen is None or f"{shard}/{key}" in chosen
        )


def _describe(archive: Archive, shard: str, key: str, files: dict[str, str]) -> SourcePicture | Problem:
    where = f"{archive.path}: {key}"
    try:
        captions = _captions(archive, files)
        label = _label(archive, files)
    except DataError as error:
        return Problem(where, str(error))
    picture = Member(archive, next(files[suffix] for suffix in PICTURES if suffix in files))
    return SourcePicture(f"{shard}/{key}", picture, captions, where, label, split_of_shard(shard))


def _captions(archive: Archive, files: dict[str, str]) -> tuple[str, ...]:
    """Those of all files of a key; what two of them both say counts once."""
    captions: dict[str, None] = {}
    for suffix in TEXTS:
        if suffix in files:
            captions |= dict.fromkeys(parse_caption_file(archive.read(files[suffix], MAX_TEXT_BYTES)))
    if "json" in files:
        try:
            captions |= dict.fromkeys(_json_captions(archive.read(files["json"], MAX_TEXT_BYTES)))
        except DataError:
            # Beside a text it may hold anything else, such as boxes or where the picture is from.
            if not captions:
                raise
    if not captions:
        raise DataError("no captions: .txt or .json of the same key are looked for")
    return tuple(captions)


def _json_captions(content: bytes) -> list[str]:
    try:
        fields = json.loads(content, object_pairs_hook=each_key_once)
    except (ValueError, RecursionError):
        raise DataError("the .json is damaged") from None
    keys = [key for key in JSON_KEYS if isinstance(fields, dict) and fields.get(key)]
    if not keys:
        raise DataError(f"the .json has none of {', '.join(JSON_KEYS)}")
    return [caption for key in keys for caption in captions_of(fields[key])]


def _label(archive: Archive, files: dict[str, str]) -> str | None:
    if "cls" not in files:
        return None
    text = archive.read(files["cls"], MAX_TEXT_BYTES).decode(errors="replace").strip()
    if not text.isprintable() or not 0 < len(text) <= 200:
        raise DataError("the .cls is not a class")
    return text
