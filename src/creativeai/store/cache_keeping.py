"""What a server's cache of pulled versions remembers, and how old ones leave it.

Servers may share a cache. Each writes down what it serves and served before; what none of them has written
down is removed, but never while one of them is pulling or loading.
"""

import json
import re
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path
from typing import BinaryIO

from creativeai.bundles.decoding import from_json
from creativeai.strict_json import parse_json
from creativeai.whole_files import replace_file

try:
    import fcntl
except ImportError:  # Windows has no such lock
    fcntl = None  # type: ignore[assignment]

__all__ = ["Remembered", "clean_cache", "memory_file", "read_memory", "using_cache", "write_memory"]

_DIGEST = "[0-9a-f]{64}"


@dataclass(frozen=True)
class Remembered:
    """A version that was served."""

    version: int
    digest: str
    before: str | None = None
    """Digest of the version that was served before it."""


def memory_file(cache: Path, url: str, alias: str) -> Path:
    """The file in which a cache remembers what was served of a store's alias."""
    store = sha256(f"{url}\n{alias}".encode()).hexdigest()[:32]
    return cache / f"served-{store}.json"


def read_memory(file: Path) -> dict[str, Remembered]:
    """What was served, by the model's name; nothing if the file is damaged or absent."""
    try:
        remembered: dict[str, Remembered] = from_json(dict[str, Remembered], parse_json(file.read_bytes()))
        return remembered
    except (OSError, ValueError):
        return {}


def write_memory(file: Path, served: Mapping[str, Remembered]) -> None:
    """Write down what is served.

    Raises:
        OSError: The disk is full or can't be written.
    """
    content = {name: asdict(remembered) for name, remembered in served.items()}
    replace_file(file, lambda stream: stream.write(json.dumps(content).encode()))


@contextmanager
def using_cache(cache: Path) -> Iterator[None]:
    """Keep others from cleaning a cache while something is pulled into it and loaded from it."""
    file = _lock(cache, exclusive=False)
    try:
        yield
    finally:
        if file is not None:
            file.close()


def clean_cache(cache: Path) -> list[Path]:
    """Remove the versions that no server with this cache serves or served before, and what is half pulled.

    Nothing is removed while a server pulls or loads, nor where the system has no locks.

    Returns:
        The folders that were removed.
    """
    file = _lock(cache, exclusive=True)
    if file is None:
        return []
    with file:
        try:
            # Of a damaged memory too: what looks like a digest is one.
            kept = {
                digest.decode()
                for memory in cache.glob("served-*.json")
                for digest in re.findall(_DIGEST.encode(), memory.read_bytes())
            }
            removed = [folder for folder in (cache / "bundles").iterdir() if _may_go(folder.name, kept)]
        except OSError:
            return []
        for folder in removed:
            shutil.rmtree(folder, ignore_errors=True)
        return removed


def _may_go(name: str, kept: set[str]) -> bool:
    """Whether a folder is of our making and nobody's."""
    is_half = re.fullmatch(rf"\.{_DIGEST}\..*\.tmp", name)
    return bool(is_half) or (re.fullmatch(_DIGEST, name) is not None and name not in kept)


def _lock(cache: Path, *, exclusive: bool) -> BinaryIO | None:
    """The open file that holds the lock until it is closed; None where it can't be had."""
    if fcntl is None:
        return None
    try:
        cache.mkdir(parents=True, exist_ok=True)
        file = (cache / ".lock").open("ab")
    except OSError:  # such as a cache that can only be read, which nobody cleans either
        return None
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB if exclusive else fcntl.LOCK_SH)
    except OSError:
        file.close()
        return None
    return file
