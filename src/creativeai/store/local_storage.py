"""A store in a folder of this machine, or in one that is mounted from another."""

import errno
import os
import shutil
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path
from typing import BinaryIO

from creativeai.errors import BundleError, StoreError
from creativeai.store.records import MARKER
from creativeai.store.storage import CannotCreateOnceError, NotWrittenError, local_folder
from creativeai.whole_files import replace_file, sync_file, sync_folder

__all__ = ["LocalStorage", "refuse_mistyped_folder"]

_CHUNK = 1 << 20
_NO_HARD_LINKS = {errno.EPERM, errno.ENOSYS, errno.EOPNOTSUPP, errno.EMLINK}


@dataclass(frozen=True)
class LocalStorage:
    """A `Storage`. Links within it are refused: they could lead anywhere."""

    root: Path

    @property
    def url(self) -> str:
        """Its folder."""
        return str(self.root)

    def read(self, path: str, max_size: int) -> bytes:
        """As `Storage.read`."""
        with self._told(path, "read"), self._open(path) as file:
            data = file.read(max_size + 1)
        if len(data) > max_size:
            raise BundleError(f"{self.root / path} is damaged: it has more than {max_size} bytes")
        return data

    def create(self, path: str, data: bytes) -> None:
        """As `Storage.create`."""
        file = self.root / path
        temporary = file.with_name(f".{file.name}.{os.urandom(4).hex()}.tmp")
        with self._told(path, "write"):
            self._make_folder(path)
            try:
                try:
                    with temporary.open("xb") as stream:
                        stream.write(data)
                        sync_file(stream)
                    _link(temporary, file)
                finally:
                    temporary.unlink(missing_ok=True)
            except FileExistsError:
                raise
            except OSError as error:
                raise NotWrittenError(f"can't write {file}: {error.strerror or error}") from None
            sync_folder(file.parent)

    def replace(self, path: str, data: bytes) -> None:
        """As `Storage.replace`."""
        with self._told(path, "write"):
            self._make_folder(path)
            replace_file(self.root / path, lambda stream: stream.write(data))

    def folders(self, path: str) -> list[str]:
        """As `Storage.folders`."""
        return self._names(path, folders=True)

    def files(self, path: str) -> list[str]:
        """As `Storage.files`."""
        return self._names(path, folders=False)

    def upload(self, path: str, file: Path) -> None:
        """As `Storage.upload`."""
        target = self.root / path
        with self._told(path, "write"):
            self._make_folder(path)
            with file.open("rb") as source, target.open("xb") as stream:
                shutil.copyfileobj(source, stream, _CHUNK)
                sync_file(stream)
            sync_folder(target.parent)

    def download(self, path: str, file: Path, size: int) -> None:
        """As `Storage.download`."""
        with self._told(path, "read"):
            source = self._open(path)
        with source, file.open("xb") as stream:
            found = os.fstat(source.fileno()).st_size
            if found != size:
                raise BundleError(f"{self.root / path} is damaged: it has {found} bytes instead of {size}")
            shutil.copyfileobj(source, stream, _CHUNK)
            sync_file(stream)

    def modified(self, path: str) -> float:
        """As `Storage.modified`."""
        with self._told(path, "read"):
            self._refuse_links(path)
            newest = os.lstat(self.root / path).st_mtime
            for folder, folders, files in os.walk(self.root / path):
                newest = max([newest, *(os.lstat(Path(folder, name)).st_mtime for name in folders + files)])
            return newest

    def temporaries(self) -> list[str]:
        """As `Storage.temporaries`."""
        found = []
        with self._told("", "read"):
            for folder, _, files in os.walk(self.root):
                found += [Path(folder, name) for name in files if fnmatch(name, ".*.tmp")]
        return sorted(path.relative_to(self.root).as_posix() for path in found if not path.is_symlink())

    def remove(self, path: str) -> None:
        """As `Storage.remove`."""
        target = self.root / path
        with self._told(path, "remove"):
            try:
                self._refuse_links(path)
                shutil.rmtree(target) if target.is_dir() else target.unlink()
                sync_folder(target.parent)
            except FileNotFoundError:
                return

    def _names(self, path: str, *, folders: bool) -> list[str]:
        with self._told(path, "read"):
            try:
                self._refuse_links(path)
                with os.scandir(self.root / path) as entries:
                    # What a killed writer left behind has a hidden name.
                    return sorted(
                        entry.name
                        for entry in entries
                        if not entry.name.startswith(".")
                        and (entry.is_dir if folders else entry.is_file)(follow_symlinks=False)
                    )
            except FileNotFoundError:
                return []

    def _open(self, path: str) -> BinaryIO:
        self._refuse_links(path)
        if not stat.S_ISREG(os.lstat(self.root / path).st_mode):
            raise BundleError(f"{self.root / path} is not a file")
        return (self.root / path).open("rb")

    def _refuse_links(self, path: str) -> None:
        place = self.root
        for part in Path(path).parts:
            place = place / part
            if stat.S_ISLNK(os.lstat(place).st_mode):
                raise _link_error(place)

    def _make_folder(self, path: str) -> None:
        """Make the folders above a file, such that they are still there after a power cut."""
        folders = [*reversed(self.root.parents), self.root]
        for part in Path(path).parent.parts:
            folders.append(folders[-1] / part)
            if folders[-1].is_symlink():
                raise _link_error(folders[-1])
        for folder in folders:
            if not folder.is_dir():
                folder.mkdir(exist_ok=True)
                sync_folder(folder.parent)

    @contextmanager
    def _told(self, path: str, verb: str) -> Iterator[None]:
        try:
            yield
        except (FileNotFoundError, FileExistsError):
            raise
        except OSError as error:
            raise StoreError(f"can't {verb} {self.root / path}: {error.strerror or error}") from None


def refuse_mistyped_folder(url: str) -> None:
    """Refuse a folder that is no store and won't become one, so that nobody waits for it.

    An empty folder may be a mount point whose disk comes later, and one that isn't there yet may be made by
    the first `creativeai store publish`: these are fine, and so is any URL.

    Raises:
        StoreError: As said.
    """
    folder = local_folder(url)
    if folder is None:
        return
    try:
        if not folder.parent.is_dir():
            raise StoreError(
                f"there is no model store at {folder}: there is not even a folder {folder.parent}"
            )
        if folder.is_dir():
            if any(folder.iterdir()) and not (folder / MARKER).is_file():
                raise StoreError(
                    f"{folder} is no model store (it has no {MARKER}): give a store's folder as --store, or "
                    "folders of bundles as --models"
                )
        elif os.path.lexists(folder):
            raise StoreError(f"{folder} is no model store: it is no folder")
    except OSError as error:
        raise StoreError(f"can't read {folder}: {error.strerror or error}") from None


def _link_error(place: Path) -> BundleError:
    return BundleError(f"{place} is a link: a store must have its files in its own folder")


def _link(temporary: Path, file: Path) -> None:
    """Give a file its name unless that is taken; unlike a rename, a hard link never replaces another file."""
    try:
        os.link(temporary, file)
    except FileExistsError:
        raise
    except OSError as error:
        if error.errno in _NO_HARD_LINKS:
            raise CannotCreateOnceError from None
        raise
