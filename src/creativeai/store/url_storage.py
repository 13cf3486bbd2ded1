"""A store in an object store, such as S3, or anything else that fsspec has a file system for."""

import posixpath
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from creativeai.errors import BundleError, StoreError
from creativeai.store.storage import CannotCreateOnceError
from creativeai.whole_files import sync_file

if TYPE_CHECKING:
    from fsspec import AbstractFileSystem

__all__ = ["UrlStorage", "open_url"]


def open_url(url: str) -> "UrlStorage":
    """The storage at a URL.

    Raises:
        StoreError: fsspec, or its part for such URLs, is not installed, or doesn't take the URL.
    """
    kind = url.split("://")[0]
    try:
        import fsspec

        filesystem, root = fsspec.core.url_to_fs(url)
    except ImportError as error:
        raise StoreError(
            f"a store at {kind}:// needs another package ({error}): for S3 pip install 'creativeai[store]'"
        ) from None
    except Exception as error:  # each file system has errors of its own
        raise StoreError(f"can't open the store {url}: {_one_line(error)}") from None
    return UrlStorage(url, filesystem, root.rstrip("/"))


@dataclass(frozen=True)
class UrlStorage:
    """A `Storage`."""

    url: str
    filesystem: "AbstractFileSystem"
    root: str

    def read(self, path: str, max_size: int) -> bytes:
        """As `Storage.read`."""
        with self._told(path, "read"):
            data: bytes = self.filesystem.cat_file(self._full(path), start=0, end=max_size + 1)
        if len(data) > max_size:
            raise BundleError(f"{self.url}/{path} is damaged: it has more than {max_size} bytes")
        return data

    def create(self, path: str, data: bytes) -> None:
        """As `Storage.create`."""
        self._make_folder(path)
        try:
            self.filesystem.pipe_file(self._full(path), data, mode="create")
        except (NotImplementedError, TypeError):
            raise CannotCreateOnceError from None
        except Exception as error:
            # A lost race has many faces: FileExistsError, 412, 409, 412 after a retry of what had worked.
            with self._told(path, "write"):
                self.filesystem.invalidate_cache()
                if self.filesystem.exists(self._full(path)):
                    raise FileExistsError(path) from None
            raise StoreError(f"can't write {self.url}/{path}: {_one_line(error)}") from None

    def replace(self, path: str, data: bytes) -> None:
        """As `Storage.replace`."""
        self._make_folder(path)
        with self._told(path, "write"):
            self.filesystem.pipe_file(self._full(path), data)

    def folders(self, path: str) -> list[str]:
        """As `Storage.folders`."""
        return self._names(path, "directory")

    def files(self, path: str) -> list[str]:
        """As `Storage.files`."""
        return self._names(path, "file")

    def upload(self, path: str, file: Path) -> None:
        """As `Storage.upload`."""
        self._make_folder(path)
        with self._told(path, "write"):
            self.filesystem.put_file(str(file), self._full(path))

    def download(self, path: str, file: Path, size: int) -> None:
        """As `Storage.download`."""
        with self._told(path, "read"):
            found = self.filesystem.size(self._full(path))
        if found != size:
            raise BundleError(f"{self.url}/{path} is damaged: it has {found} bytes instead of {size}")
        with file.open("xb") as stream:
            for chunk in self._chunks(path):
                stream.write(chunk)
            sync_file(stream)

    def modified(self, path: str) -> float:
        """As `Storage.modified`."""
        with self._told(path, "read"):
            self.filesystem.invalidate_cache()
            files = self.filesystem.find(self._full(path))
            if not files:
                raise FileNotFoundError(path)
            try:
                return max(self.filesystem.modified(file).timestamp() for file in files)
            except NotImplementedError:
                raise StoreError(f"{self.url} doesn't say when its files were written") from None

    def temporaries(self) -> list[str]:
        """As `Storage.temporaries`: all that is written here has its own name at once, but for cleaning."""
        return [name for name in self.files("") if name.startswith(".") and name.endswith(".tmp")]

    def remove(self, path: str) -> None:
        """As `Storage.remove`."""
        with self._told(path, "remove"):
            self.filesystem.invalidate_cache()
            try:
                self.filesystem.rm(self._full(path), recursive=True)
            except FileNotFoundError:
                return

    def _names(self, path: str, kind: str) -> list[str]:
        with self._told(path, "read"):
            # What others wrote meanwhile must be seen.
            self.filesystem.invalidate_cache()
            try:
                entries: list[dict[str, Any]] = self.filesystem.ls(self._full(path), detail=True)
            except FileNotFoundError:
                return []
        names = [posixpath.basename(entry["name"].rstrip("/")) for entry in entries if entry["type"] == kind]
        return sorted(name for name in names if name)

    def _chunks(self, path: str) -> Iterator[bytes]:
        """A file's content bit by bit; what fails here is the store's fault, not that of our disk."""
        with self._told(path, "read"):
            stream = self.filesystem.open(self._full(path), "rb")
        with stream:
            while True:
                with self._told(path, "read"):
                    chunk: bytes = stream.read(1 << 22)
                if not chunk:
                    return
                yield chunk

    def _full(self, path: str) -> str:
        return f"{self.root}/{path}" if path else self.root

    def _make_folder(self, path: str) -> None:
        """Make the folders above a file where there are such; an object store has none, and S3 no buckets."""
        protocols = self.filesystem.protocol
        if {"s3", "gs", "abfs"} & set([protocols] if isinstance(protocols, str) else protocols):
            return
        with self._told(path, "write"):
            self.filesystem.makedirs(posixpath.dirname(self._full(path)), exist_ok=True)

    @contextmanager
    def _told(self, path: str, verb: str) -> Iterator[None]:
        try:
            yield
        except (FileNotFoundError, FileExistsError, BundleError, StoreError):
            raise
        except Exception as error:  # each file system has errors of its own
            raise StoreError(f"can't {verb} {self.url}/{path}: {_one_line(error)}") from None


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())[:200] or type(error).__name__
