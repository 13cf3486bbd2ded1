"""Folders, zip and tar files behind one interface: checked names, limited sizes, nothing unpacked to disk.

What is read is one of the files listed at opening, so no path in a list or archive can lead anywhere else.
"""

import re
import stat
import tarfile
import zipfile
from collections.abc import Callable, Container, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import IO, Any

from isal import igzip

from creativeai.data.folders import list_folder
from creativeai.errors import DataError
from creativeai.stand_ins import LFS_POINTER, is_web_page

__all__ = ["MAX_PICTURE_BYTES", "Archive", "open_archive"]

MAX_PICTURE_BYTES = 64 * 2**20
"""More is not read of one file, if the caller doesn't say otherwise."""
MAX_MEMBERS = 3_000_000
MAX_RATIO = 200
"""Pictures hardly shrink and text to a fifth; archives that grow by more are made to fill memory."""
MIN_BOMB_BYTES = 64 * 2**20
"""What is no larger unpacked does no harm, whatever its ratio."""
_MAX_HEADER_BYTES = 2**20
_MAX_KEPT_BYTES = 16 * 2**20
_MAX_ALL_KEPT_BYTES = 256 * 2**20
_KEPT = (".txt", ".json", ".jsonl", ".cls", ".mat", ".pickle", ".caption", ".csv", ".tsv", ".token")
_OTHER_KINDS = {
    b"7z\xbc\xaf": "7z",
    b"Rar!": "RAR",
    b"BZh": "bzip2",
    b"\xfd7zXZ": "xz",
    b"(\xb5/\xfd": "zstd",
}
_BLOCK = tarfile.BLOCKSIZE


@dataclass(frozen=True, slots=True)
class Archive:
    """An opened folder or archive."""

    path: Path
    sizes: dict[str, int]
    """Size in bytes of each file by its name, with `/`, in the archive's order."""
    read_member: Callable[[str], bytes] | None
    """Reads any file from any thread; None for compressed tars, which can only be read from start to end."""
    kept: dict[str, bytes] = field(default_factory=dict)
    """Small text files of a compressed tar, kept when it was listed."""
    links: tuple[str, ...] = ()
    """Links to folders elsewhere, which were not followed."""

    def read(self, name: str, max_bytes: int = MAX_PICTURE_BYTES) -> bytes:
        """The content of one file.

        Raises:
            DataError: no such file, larger than `max_bytes`, or damaged.
        """
        if name not in self.sizes:
            raise DataError(f"{self.path} has no {name}")
        if self.sizes[name] > max_bytes:
            raise DataError(f"{name} has {self.sizes[name]:,} bytes, more than the {max_bytes:,} allowed")
        if self.read_member is not None:
            return self.read_member(name)
        if name not in self.kept:
            raise DataError(f"{self.path}: {name} is too large to be read in between: unpack the archive")
        return self.kept[name]

    def stream(self, wanted: Container[str]) -> Iterator[tuple[str, bytes | DataError]]:
        """Read the `wanted` files of a compressed tar in one pass, each content or what is wrong with it.

        Raises:
            DataError: the archive is cut off or damaged.
        """
        with _unpacking(self.path) as stream:
            for info in _members(stream, self.path):
                name = _checked_name(info.name, self.path)
                if name in wanted and info.size > MAX_PICTURE_BYTES:
                    yield name, DataError(f"{name} has {info.size:,} bytes, more than the allowed")
                elif name in wanted:
                    yield name, stream.read_whole(info.size)


def open_archive(path: Path) -> Archive:
    """List a folder, zip, tar or compressed tar, told apart by their content.

    Raises:
        DataError: it can't be read or isn't what its name says, a name or link in it leads out of it, a name
            is there twice, or it is made to fill memory.
    """
    if path.is_dir():
        sizes, read, links = list_folder(path, MAX_MEMBERS)
        return Archive(path, sizes, read, links=links)
    if not path.is_file():
        raise DataError(f"{path}: {'not a file' if path.exists() else 'no such file or folder'}")
    with path.open("rb") as file:
        start = file.read(_BLOCK)
    if not start:
        raise DataError(f"{path} is empty: fetch it again")
    if start.startswith(LFS_POINTER):
        raise DataError(f"{path} is a git-LFS pointer instead of the file: run git lfs pull")
    if is_web_page(start):
        raise DataError(f"{path} is a web page saved under this name, not the archive: fetch it again")
    for magic, kind in _OTHER_KINDS.items():
        if start.startswith(magic):
            raise DataError(f"{path} is a {kind} archive: unpack it, and give the folder")
    if start.startswith(b"PK"):
        return _open_zip(path)
    if start.startswith(b"\x1f\x8b"):
        return _open_compressed_tar(path)
    if start[257:262] == b"ustar" or path.suffix == ".tar":
        return _open_tar(path)
    raise DataError(f"{path} is neither a folder nor a zip or tar archive")


def _open_zip(path: Path) -> Archive:
    infos: dict[str, zipfile.ZipInfo] = {}
    with _naming_damage(path):
        archive = zipfile.ZipFile(path)
        packed_size = path.stat().st_size
        for info in archive.infolist():
            name = _checked_name(info.filename, path)
            if info.is_dir() or _is_litter(name):
                continue
            if stat.S_ISLNK(info.external_attr >> 16):
                raise _link(path, name)
            if info.flag_bits & 1:
                raise DataError(f"{path}: {name} is encrypted: unpack the archive, and give the folder")
            _add(infos, name, info, path)
            if info.file_size > MIN_BOMB_BYTES and info.file_size > MAX_RATIO * info.compress_size:
                raise _bomb(path)
        if sum(info.file_size for info in infos.values()) > MIN_BOMB_BYTES + MAX_RATIO * packed_size:
            raise _bomb(path)

    def read(name: str) -> bytes:
        with _naming_damage(path, name):
            return archive.read(infos[name])

    return Archive(path, {name: info.file_size for name, info in infos.items()}, read)


def _open_tar(path: Path) -> Archive:
    places: dict[str, tuple[int, int]] = {}
    size = path.stat().st_size
    with _naming_damage(path), path.open("rb") as file:
        for info in _members(_Forwards(file, size), path):
            name = _checked_name(info.name, path)
            if info.offset_data + info.size > size:
                raise _damaged(path, "cut off")
            if not _is_litter(name):
                _add(places, name, (info.offset_data, info.size), path)

    def read(name: str) -> bytes:
        offset, num_bytes = places[name]
        with _naming_damage(path, name), path.open("rb") as file:
            file.seek(offset)
            content = file.read(num_bytes)
        if len(content) < num_bytes:
            raise _damaged(path, "cut off")
        return content

    return Archive(path, {name: num_bytes for name, (_, num_bytes) in places.items()}, read)


def _open_compressed_tar(path: Path) -> Archive:
    sizes: dict[str, int] = {}
    kept: dict[str, bytes] = {}
    num_kept = 0
    with _unpacking(path) as stream:
        for info in _members(stream, path):
            name = _checked_name(info.name, path)
            if _is_litter(name):
                continue
            _add(sizes, name, info.size, path)
            if name.lower().endswith(_KEPT) and info.size <= _MAX_KEPT_BYTES:
                kept[name] = stream.read_whole(info.size)
                num_kept += info.size
                if num_kept > _MAX_ALL_KEPT_BYTES:
                    raise DataError(f"{path} holds too much text to be kept: unpack it, and give the folder")
    return Archive(path, sizes, None, kept)


class _Forwards:
    """A stream read from start to end in bounded pieces, which knows the last piece it gave."""

    def __init__(self, file: IO[bytes], max_bytes: int, *, can_seek: bool = True) -> None:
        self._file = file
        self._max_bytes = max_bytes
        self._can_seek = can_seek
        self._position = 0
        self.last = b""

    def tell(self) -> int:
        return self._position

    def read(self, num_bytes: int) -> bytes:
        if not 0 <= num_bytes <= _MAX_HEADER_BYTES:
            raise ValueError("a header of impossible size")
        self.last = self._file.read(num_bytes)
        self._advance(len(self.last))
        return self.last

    def read_whole(self, num_bytes: int) -> bytes:
        pieces = []
        while num_bytes:
            pieces.append(self.read(min(num_bytes, _MAX_HEADER_BYTES)))
            if not pieces[-1]:
                raise EOFError("cut off")
            num_bytes -= len(pieces[-1])
        return b"".join(pieces)

    def seek(self, position: int) -> None:
        if position < self._position:
            raise ValueError("a header of impossible size")
        if self._can_seek:
            self._file.seek(position)
            self._position = position
        while self._position < position:
            if not self.read(min(position - self._position, _MAX_HEADER_BYTES)):
                raise EOFError("cut off")

    def drain(self) -> None:
        """Read on to the end, which is where a compressed file has its checksum."""
        while self.read(_MAX_HEADER_BYTES):
            pass

    def _advance(self, num_bytes: int) -> None:
        self._position += num_bytes
        if self._position > self._max_bytes:
            raise OverflowError


@contextmanager
def _unpacking(path: Path) -> Iterator[_Forwards]:
    max_bytes = MIN_BOMB_BYTES + MAX_RATIO * path.stat().st_size
    with _naming_damage(path), igzip.open(path, "rb") as file:
        stream = _Forwards(file, max_bytes, can_seek=False)
        try:
            yield stream
            stream.drain()
        except OverflowError:
            raise _bomb(path) from None


def _members(stream: _Forwards, path: Path) -> Iterator[tarfile.TarInfo]:
    """The plain files of a tar, whose content may be read from `stream` before the next is asked for."""
    archive = tarfile.TarFile(fileobj=stream)  # type: ignore[arg-type]  # it reads, seeks and tells
    while (info := archive.next()) is not None:
        archive.members.clear()  # type: ignore[attr-defined]  # else it holds them all
        if info.islnk() or info.issym():
            raise _link(path, info.name)
        if info.isdir():
            continue
        if not info.isreg() or info.issparse() or info.size < 0:
            raise DataError(f"{path}: {info.name!a} is not a plain file: unpack the archive")
        yield info
    # tarfile takes anything that is no header for the end, but the end is a block of zeros.
    if stream.last != bytes(_BLOCK):
        raise _damaged(path, "cut off")


def _checked_name(name: str, path: Path) -> str:
    pure = PurePosixPath(name)
    if pure.is_absolute() or ".." in pure.parts or "\\" in name or re.match(r"[A-Za-z]:", name):
        raise DataError(f"{path} holds {name[:200]!a}, which leads out of it: don't use this archive")
    if re.search(r"[\x00-\x1f\x7f\ud800-\udfff]", name):
        raise DataError(f"{path} holds a file with a broken name: {name[:200]!a}")
    return str(pure)


def _is_litter(name: str) -> bool:
    """What macOS puts beside files."""
    return name.startswith("__MACOSX/") or name.rpartition("/")[2].startswith("._")


def _add(members: dict[str, Any], name: str, value: object, path: Path) -> None:
    if name in members:
        raise DataError(f"{path} holds {name} twice: don't use this archive")
    if len(members) == MAX_MEMBERS:
        raise DataError(f"{path} holds more than {MAX_MEMBERS:,} files")
    members[name] = value


def _link(path: Path, name: str) -> DataError:
    return DataError(f"{path}: {name!a} is a link, which is not followed: unpack it, and give the folder")


def _bomb(path: Path) -> DataError:
    return DataError(f"{path} unpacks to over {MAX_RATIO} times its size: it is made to fill memory")


def _damaged(path: Path, reason: str) -> DataError:
    return DataError(f"{path} is damaged or cut off ({reason}): fetch it again")


@contextmanager
def _naming_damage(path: Path, name: str = "") -> Iterator[None]:
    try:
        yield
    except DataError:
        raise
    # Damaged archives raise nearly anything: BadZipFile, TarError, zlib.error, EOFError, RecursionError...
    except Exception as error:
        reason = " ".join(str(error).split())[:100] or type(error).__name__
        raise _damaged(path, f"{name}: {reason}" if name else reason) from None
