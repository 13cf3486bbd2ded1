"""What sources that come in many files share: the split in a file's name, a choice without listing all."""

import hashlib
import heapq
import re
from collections.abc import Iterable
from pathlib import Path

from creativeai.data.folders import list_folder
from creativeai.data.sources.metadata import SPLIT_NAMES
from creativeai.errors import DataError

MAX_SHARDS = 100_000


def find_shards(root: Path | None, source: str, suffixes: tuple[str, ...]) -> dict[str, Path]:
    """The files by their path below `root`, which may be one of them itself.

    Raises:
        DataError: there are none.
    """
    if root is None:
        raise DataError(
            f"{source} needs --from: a {' or '.join(suffixes)} file, or the folder with such files"
        )
    if root.is_file():
        return {root.name: root}
    if not root.is_dir():
        raise DataError(f"{root}: no such file or folder")
    sizes, _, _ = list_folder(root, MAX_SHARDS)
    shards = {name: root / name for name in sizes if name.lower().endswith(suffixes)}
    outside = next(
        (path for path in shards.values() if not path.resolve().is_relative_to(root.resolve())), None
    )
    if outside is not None:
        raise DataError(f"{outside}: a link leads out of the folder: put the file itself there")
    if not shards:
        raise DataError(f"{root} has no {' or '.join(suffixes)} files")
    return shards


def split_of_shard(name: str) -> str | None:
    """The split from names such as `train-00000-of-00005.parquet` or `test/0.tar`, else None."""
    *folders, file = name.lower().split("/")
    first = re.match(r"([a-z]+)(?=[-_.\d])", file)
    words = ([first[1]] if first else []) + folders[::-1]
    return next((SPLIT_NAMES[word] for word in words if word in SPLIT_NAMES), None)


def chosen_of(names: Iterable[str], num_pictures: int | None, seed: int) -> tuple[set[str] | None, int]:
    """Which names to take, None for all, and how many that are; no more names are held than are taken."""
    num_names = 0

    def ranks() -> Iterable[tuple[bytes, str]]:
        nonlocal num_names
        for name in names:
            num_names += 1
            yield hashlib.sha1(f"{seed}:{name}".encode()).digest(), name

    if num_pictures is None:
        num_names = sum(1 for _ in names)
        return None, num_names
    chosen = {name for _, name in heapq.nsmallest(num_pictures, ranks())}
    return (None if len(chosen) == num_names else chosen), len(chosen)
