"""Writing a prepared dataset so that it is whole or not there: a hidden sibling folder, fsync, rename."""

import errno
import hashlib
import json
import os
import shutil
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from creativeai import __version__
from creativeai.data.captioned_images import SCHEMA_VERSION, DatasetInfo
from creativeai.data.sources.base import Source, SourcePicture
from creativeai.errors import DataError
from creativeai.whole_files import becoming, sync_file, write_synced

if sys.platform != "win32":
    import fcntl


@contextmanager
def new_folder(out: Path) -> Iterator[Path]:
    """Give an empty hidden folder next to `out` that becomes `out` when the block ends well, else disappears.

    What an earlier, killed process has left there is removed. The folder is locked meanwhile.

    Raises:
        DataError: `out` exists, is being made by another process, can't be written, or the disk is full.
    """
    out = Path(os.path.abspath(out))
    _refuse_existing(out)
    partial = out.with_name(f".{out.name}.tmp")
    try:
        partial.mkdir(parents=True, exist_ok=True)
        with _locked(partial, out):
            _refuse_existing(out)
            with becoming(out, partial):
                _empty(partial)
                yield partial
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise DataError(
                f"no space left on the disk of {out}: free some space or choose another folder"
            ) from None
        raise DataError(f"{out} can't be made: {error.strerror or error}") from error


class DatasetWriter:
    """Writes the files of a prepared dataset, one picture after the other.

    The arrays are written as plain streams, not through memory maps: on a full disk a write says so, where a
    memory map kills the process.
    """

    def __init__(self, folder: Path, resolutions: tuple[int, ...], max_pictures: int) -> None:
        needed = max_pictures * sum(3 * resolution**2 for resolution in resolutions)
        if needed > (free := shutil.disk_usage(folder).free):
            raise DataError(
                f"no space left on the disk of {folder.parent}: "
                f"{needed // 2**20 + 1:,} MB needed, {free // 2**20:,} MB free"
            )
        self.num_pictures = 0
        self._folder = folder
        self._resolutions = resolutions
        self._splits: Counter[str] = Counter(train=0, val=0)
        self._attributes: set[str] = set()
        self._stack = ExitStack()
        names = ["captions.jsonl", *(f"images_{resolution}.npy" for resolution in resolutions)]
        self._files = {name: self._stack.enter_context((folder / name).open("wb")) for name in names}
        self._hashes = {name: hashlib.sha256() for name in names}
        for resolution in resolutions:
            self._write_header(resolution)

    def __enter__(self) -> "DatasetWriter":
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def add(self, picture: SourcePicture, split: str, squares: list[NDArray[np.uint8]]) -> None:
        """Append one picture, with its pixels [R, R, 3] at each resolution."""
        record = {
            "file_name": picture.file_name,
            "captions": list(picture.captions),
            "split": split,
            "label": picture.label,
            "attributes": picture.attributes,
        }
        # A lone surrogate, which UTF-8 can't hold, goes back to the escape that JSON had it in.
        line = json.dumps(record, ensure_ascii=False).encode(errors="backslashreplace")
        self._append("captions.jsonl", line + b"\n")
        for resolution, square in zip(self._resolutions, squares, strict=True):
            self._append(f"images_{resolution}.npy", square.tobytes())
        self._splits[split] += 1
        self._attributes.update(picture.attributes or ())
        self.num_pictures += 1

    def finish(self, source: Source) -> DatasetInfo:
        """Write `dataset.json` and force everything to the disk."""
        for resolution in self._resolutions:
            self._write_header(resolution)
        for file in self._files.values():
            sync_file(file)
        contents = "".join(f"{name} {content.hexdigest()}\n" for name, content in self._hashes.items())
        info = DatasetInfo(
            schema_version=SCHEMA_VERSION,
            name=source.name,
            title=source.title,
            source=source.origin,
            licence=source.licence,
            description=source.description,
            num_pictures=self.num_pictures,
            resolutions=self._resolutions,
            splits=dict(self._splits),
            digest=hashlib.sha256(contents.encode()).hexdigest(),
            attributes=tuple(sorted(self._attributes)) or None,
            created_with=__version__,
        )
        data = json.dumps(asdict(info), indent=2, ensure_ascii=False).encode() + b"\n"
        write_synced(self._folder / "dataset.json", data)
        return info

    def _append(self, name: str, content: bytes) -> None:
        self._files[name].write(content)
        self._hashes[name].update(content)

    def _write_header(self, resolution: int) -> None:
        # Written before the first picture and again at the end: NumPy pads it so that the count can grow.
        file = self._files[f"images_{resolution}.npy"]
        shape = (self.num_pictures, resolution, resolution, 3)
        file.seek(0)
        np.lib.format.write_array_header_1_0(file, {"descr": "|u1", "fortran_order": False, "shape": shape})


def _refuse_existing(out: Path) -> None:
    if os.path.lexists(out):
        raise DataError(f"{out} exists already: remove it or choose another folder")


@contextmanager
def _locked(partial: Path, out: Path) -> Iterator[None]:
    """Hold a lock on the folder itself, which the system drops when the process dies in whatever way."""
    if sys.platform == "win32":  # where a folder with open files can't be emptied anyway
        yield
        return
    descriptor = os.open(partial, os.O_RDONLY)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise DataError(f"{out} is being made by another process right now") from None
        # The process that held the lock may have renamed or removed the folder between our open and our lock.
        if not partial.is_dir() or not os.path.samestat(os.fstat(descriptor), partial.stat()):
            raise DataError(f"{out} was made by another process right now")
        yield
    finally:
        os.close(descriptor)


def _empty(folder: Path) -> None:
    for entry in folder.iterdir():
        if entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry)
        else:
            entry.unlink()
