"""parquet: pictures and captions in Parquet files as Hugging Face keeps them, read in small batches."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from creativeai.data.archives import MAX_PICTURE_BYTES
from creativeai.data.pictures import open_picture_bytes
from creativeai.data.sources.base import Problem, Source, SourcePicture
from creativeai.data.sources.captions import captions_of
from creativeai.data.sources.metadata import CAPTION_KEYS
from creativeai.data.sources.shards import chosen_of, find_shards, split_of_shard
from creativeai.errors import DataError
from creativeai.stand_ins import LFS_POINTER, is_web_page

IMAGE_COLUMNS = ("image", "img", "jpg", "png", "picture")
CAPTION_COLUMNS = (*CAPTION_KEYS, "sentences", "sentence", "txt")
LABEL_COLUMNS = ("label", "labels", "class")
BATCH_SIZE = 32
_MAX_RATIO = 100
_MIN_BOMB_BYTES = 64 * 2**20


def open_parquet(root: Path | None, num_pictures: int | None, seed: int) -> Source:
    """Open the files; the split is in their names (`train-00000-of-00005.parquet`), else it is made by hash.

    Raises:
        DataError: no files, one that can't be read or has no column of pictures or captions, or PyArrow isn't
            installed.
    """
    shards = find_shards(root, "parquet", (".parquet",))
    num_rows = {name: _num_rows(path) for name, path in shards.items()}
    names = (f"{name}/{row:07}" for name, num in num_rows.items() for row in range(num))
    chosen, num_chosen = chosen_of(names, num_pictures, seed)
    if not num_chosen:
        raise DataError(f"{root}: the files hold no pictures")
    assert root is not None
    name = root.resolve().name.partition(".")[0] or "parquet"
    return Source(
        name=name,
        title=name,
        origin=f"Parquet files of {root.resolve().name}",
        licence="not stated: see the data set's page",
        description="Captioned pictures of Parquet files",
        pictures=_pictures(shards, chosen),
        num_pictures=num_chosen,
        notes=(f"found: {len(shards):,} Parquet files with {sum(num_rows.values()):,} rows",),
    )


def _num_rows(path: Path) -> int:
    with _opened(path) as file:
        _columns(path, file)
        return file.metadata.num_rows


def _pictures(shards: dict[str, Path], chosen: set[str] | None) -> Iterator[SourcePicture | Problem]:
    for shard, path in shards.items():
        split = split_of_shard(shard)
        with _opened(path) as file:
            image, captions, label_column = _columns(path, file)
            columns = [image, *captions] if label_column is None else [image, *captions, label_column]
            classes = [] if label_column is None else _class_names(file.schema_arrow.metadata, label_column)
            row = 0
            for batch in file.iter_batches(batch_size=BATCH_SIZE, columns=columns, use_threads=False):
                for index in range(batch.num_rows):
                    name = f"{shard}/{row:07}"
                    row += 1
                    if chosen is not None and name not in chosen:
                        continue
                    cells = {column: batch.column(column)[index].as_py() for column in columns}
                    label = None if label_column is None else _label(cells[label_column], classes)
                    texts = [cells[column] for column in captions]
                    yield _describe(name, f"{path} row {row}", cells[image], texts, label, split)


def _describe(
    name: str, where: str, image: Any, texts: list[Any], label: str | None, split: str | None
) -> SourcePicture | Problem:
    content = image.get("bytes") if isinstance(image, dict) else image
    try:
        if not isinstance(content, bytes):
            raise DataError("no picture: only its path is stored, or nothing")
        if len(content) > MAX_PICTURE_BYTES:
            raise DataError(
                f"the picture has {len(content):,} bytes, more than the {MAX_PICTURE_BYTES:,} allowed"
            )
        # An empty cell beside another's captions loses nothing.
        texts = [text for text in texts if text is not None] or [None]
        captions = tuple(dict.fromkeys(caption for text in texts for caption in captions_of(text)))
    except DataError as error:
        return Problem(where, str(error))
    return SourcePicture(name, partial(open_picture_bytes, content), captions, where, label, split)


def _columns(path: Path, file: Any) -> tuple[str, list[str], str | None]:
    """Columns of pictures, captions (all there are) and, where there is one, classes."""
    names = file.schema_arrow.names
    image, label = (
        next((column for column in columns if column in names), None)
        for columns in (IMAGE_COLUMNS, LABEL_COLUMNS)
    )
    captions = [column for column in CAPTION_COLUMNS if column in names]
    if image is None or not captions:
        missing = (
            f"pictures ({', '.join(IMAGE_COLUMNS)})"
            if image is None
            else f"captions ({', '.join(CAPTION_COLUMNS)})"
        )
        raise DataError(f"{path} has no column of {missing}, only {', '.join(names)[:200]!a}")
    for column in (image, *captions, label):
        if names.count(column) > 1:
            raise DataError(f"{path} has two columns called {column}: keep one, or rename it")
    return image, captions, label


def _class_names(metadata: dict[bytes, bytes] | None, column: str) -> list[str]:
    """Names of the classes that Hugging Face writes into a file, empty where there are none."""
    try:
        features = json.loads((metadata or {})[b"huggingface"])["info"]["features"]
        names = features[column]["names"]
    except (KeyError, TypeError, ValueError, RecursionError):
        return []
    return names if isinstance(names, list) and all(isinstance(name, str) for name in names) else []


def _label(value: Any, classes: list[str]) -> str | None:
    if isinstance(value, int) and 0 <= value < len(classes):
        return classes[value]
    return str(value) if isinstance(value, int | str) else None


@contextmanager
def _opened(path: Path) -> Iterator[Any]:
    try:
        import pyarrow.parquet  # type: ignore[import-untyped]
    except ImportError:
        raise DataError("reading Parquet files needs PyArrow: pip install 'creativeai[data]'") from None
    try:
        with path.open("rb") as start:
            first = start.read(512)
        if first.startswith(LFS_POINTER):
            raise DataError(f"{path} is a git-LFS pointer instead of the file: run git lfs pull")
        if is_web_page(first):
            raise DataError(f"{path} is a web page saved under this name: fetch the file itself")
        with pyarrow.parquet.ParquetFile(path, pre_buffer=False, page_checksum_verification=True) as file:
            groups = [file.metadata.row_group(index) for index in range(file.metadata.num_row_groups)]
            largest = max((group.total_byte_size for group in groups), default=0)
            if largest > _MIN_BOMB_BYTES + _MAX_RATIO * path.stat().st_size:
                raise DataError(
                    f"{path} unpacks to over {_MAX_RATIO} times its size: it is made to fill memory"
                )
            yield file
    except DataError:
        raise
    # Arrow's errors are of many kinds, OSError and ValueError among them; so are those of damaged text cells.
    except (pyarrow.ArrowException, OSError, ValueError, OverflowError, IndexError, KeyError) as error:
        reason = " ".join(str(error).split())[:100] or type(error).__name__
        raise DataError(
            f"{path} is damaged, cut off or no Parquet file ({reason!a}): fetch it again"
        ) from None
