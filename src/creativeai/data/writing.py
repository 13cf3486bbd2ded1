"""Writing a prepared dataset so that it is whole or not there: a hidden sibling folder, fsync, rename."""

import errno
import hashlib
import json
import math
import os
import shutil
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import cast

import numpy as np
from numpy.typing import NDArray

from creativeai import __version__
from creativeai.data.captioned_images import (
    CAPTION_KINDS,
    CREDITS_NAME,
    SCHEMA_VERSION,
    SPLITS,
    DatasetInfo,
    NearDuplicates,
)
from creativeai.data.names import captions_of_name
from creativeai.data.near_duplicates import SIDE
from creativeai.data.sources.base import Source, SourcePicture
from creativeai.errors import DataError
from creativeai.whole_files import becoming, sync_file, write_synced

if sys.platform != "win32":
    import fcntl

_WAITING = "captions.waiting.jsonl"
_THUMBNAILS = "thumbnails.waiting"


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


@dataclass(frozen=True, slots=True)
class Written:
    """What of a dataset is not in the pictures themselves, for `dataset.json`."""

    split_rule: str
    near_duplicates: NearDuplicates
    left_out: dict[str, int]
    """Number of pictures by the reason why they are not in the dataset."""
    enlarged: dict[str, int]
    """Number of pictures smaller than a resolution, by the resolution."""


class DatasetWriter:
    """Writes the files of a prepared dataset, one picture after the other.

    The arrays are written as plain streams, not through memory maps: on a full disk a write says so, where a
    memory map kills the process. Splits are known only when all pictures are, so what is told of each picture
    waits in a file of its own until then.
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
        self._num_captions = Counter(dict.fromkeys(CAPTION_KINDS, 0))
        self._attributes: set[str] = set()
        self._labels: set[str] = set()
        self._credits: list[str] = []
        self._stack = ExitStack()
        names = [_WAITING, *(f"images_{resolution}.npy" for resolution in resolutions)]
        if SIDE not in resolutions:
            names.append(_THUMBNAILS)
        self._files = {name: self._stack.enter_context((folder / name).open("w+b")) for name in names}
        hashed = ["captions.jsonl", *(name for name in names if name.endswith(".npy"))]
        self._hashes = {name: hashlib.sha256() for name in hashed}
        for resolution in resolutions:
            self._write_header(resolution)

    def __enter__(self) -> "DatasetWriter":
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def add(self, picture: SourcePicture, squares: dict[int, NDArray[np.uint8]]) -> None:
        """Append one picture, with its pixels [R, R, 3] at each resolution and at 64."""
        told = (*picture.captions, *picture.short_captions)
        record = {
            "file_name": picture.file_name,
            "captions": list(picture.captions),
            "short_captions": list(picture.short_captions),
            "name_captions": list(captions_of_name(picture.label, told)),
            "label": picture.label,
            "attributes": picture.attributes,
            "credit": picture.credit,
        }
        # A lone surrogate, which UTF-8 can't hold, goes back to the escape that JSON had it in.
        line = json.dumps(record, ensure_ascii=False).encode(errors="backslashreplace")
        self._files[_WAITING].write(line + b"\n")
        for resolution in self._resolutions:
            content = squares[resolution].tobytes()
            name = f"images_{resolution}.npy"
            self._files[name].write(content)
            self._hashes[name].update(content)
        if _THUMBNAILS in self._files:
            self._files[_THUMBNAILS].write(squares[SIDE].tobytes())
        for kind in CAPTION_KINDS:
            self._num_captions[kind] += len(cast(list[str], record[kind]))
        self._attributes.update(picture.attributes or ())
        if picture.label is not None:
            self._labels.add(picture.label)
        if picture.credit is not None:
            self._credits.append(f"{picture.file_name}: {picture.credit}\n")
        self.num_pictures += 1

    def thumbnails(self) -> NDArray[np.uint8]:
        """All pictures so far at 64 px, a read-only memory map [N, 64, 64, 3]."""
        name = _THUMBNAILS if _THUMBNAILS in self._files else f"images_{SIDE}.npy"
        self._files[name].flush()
        shape = (self.num_pictures, SIDE, SIDE, 3)
        start = (self._folder / name).stat().st_size - math.prod(shape)
        return np.memmap(self._folder / name, np.uint8, "r", start, shape)

    def finish(self, source: Source, splits: Sequence[str], written: Written) -> DatasetInfo:
        """Write captions with all pictures' splits and `dataset.json`, and force everything to the disk."""
        credits_digest = self._write_captions(splits)
        for resolution in self._resolutions:
            self._write_header(resolution)
        for name, file in self._files.items():
            if name in self._hashes:
                sync_file(file)
            else:
                file.close()
                (self._folder / name).unlink()
        contents = "".join(f"{name} {content.hexdigest()}\n" for name, content in self._hashes.items())
        counts = Counter(splits)
        info = DatasetInfo(
            schema_version=SCHEMA_VERSION,
            name=source.name,
            title=source.title,
            source=source.origin,
            licence=source.licence,
            description=source.description,
            num_pictures=self.num_pictures,
            resolutions=self._resolutions,
            splits={split: counts[split] for split in SPLITS},
            split_rule=written.split_rule,
            num_captions=dict(self._num_captions),
            num_classes=len(self._labels),
            near_duplicates=written.near_duplicates,
            left_out=written.left_out,
            enlarged=written.enlarged,
            digest=hashlib.sha256(contents.encode()).hexdigest(),
            credits_digest=credits_digest,
            attributes=tuple(sorted(self._attributes)) or None,
            created_with=__version__,
        )
        data = json.dumps(asdict(info), indent=2, ensure_ascii=False).encode() + b"\n"
        write_synced(self._folder / "dataset.json", data)
        return info

    def _write_captions(self, splits: Sequence[str]) -> str | None:
        """Write each picture's line with its split; returns the digest of the credits, if there are any."""
        waiting = self._files[_WAITING]
        waiting.seek(0)
        with (self._folder / "captions.jsonl").open("wb") as file:
            for line, split in zip(waiting, splits, strict=True):
                whole = line[:-2] + f', "split": "{split}"}}\n'.encode()
                file.write(whole)
                self._hashes["captions.jsonl"].update(whole)
            sync_file(file)
        if not self._credits:
            return None
        content = "".join(self._credits).encode(errors="backslashreplace")
        write_synced(self._folder / CREDITS_NAME, content)
        return hashlib.sha256(content).hexdigest()

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
