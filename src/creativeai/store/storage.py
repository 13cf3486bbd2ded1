"""Where a store's files are: what a store needs of a folder or an object store, and nothing more.

Paths are those within the store, with forward slashes.
"""

from pathlib import Path
from typing import Protocol

from creativeai.errors import StoreError

__all__ = ["CannotCreateOnceError", "NotWrittenError", "Storage", "local_folder", "open_storage"]


class CannotCreateOnceError(Exception):
    """The storage can't refuse to write a file that exists already."""


class NotWrittenError(StoreError):
    """A file was not written, for certain: over a network, one that failed to answer may have written it."""


class Storage(Protocol):
    """Files by path. Whatever fails otherwise than as said is a `StoreError`."""

    @property
    def url(self) -> str:
        """Where it is, for messages."""

    def read(self, path: str, max_size: int) -> bytes:
        """A small file's content.

        Raises:
            FileNotFoundError: There is none.
            BundleError: It has more than `max_size` bytes, or is a link.
        """

    def create(self, path: str, data: bytes) -> None:
        """Write a file that must not exist, at one stroke: nobody sees a part of it.

        Raises:
            FileExistsError: It exists, perhaps from this very call: an answer may be lost on its way.
            CannotCreateOnceError: The storage has no such call.
            NotWrittenError: The disk is full, for example.
        """

    def replace(self, path: str, data: bytes) -> None:
        """Write a file at one stroke, whether it exists or not."""

    def folders(self, path: str) -> list[str]:
        """Names of the folders in a folder; none if it doesn't exist."""

    def files(self, path: str) -> list[str]:
        """Names of the files in a folder; none if it doesn't exist."""

    def upload(self, path: str, file: Path) -> None:
        """Copy a file of any size into the storage. It may be seen before it is whole."""

    def download(self, path: str, file: Path, size: int) -> None:
        """Copy a file of that size out of the storage, synced to the disk.

        Raises:
            FileNotFoundError: There is none.
            BundleError: It has another size, or is a link.
            OSError: `file` can't be written.
        """

    def modified(self, path: str) -> float:
        """When a file, or the newest one in a folder, was written: Unix time by the storage's own clock.

        Raises:
            FileNotFoundError: There is none.
        """

    def temporaries(self) -> list[str]:
        """Paths of files under a temporary name: being written now, or left behind by a killed writer."""

    def remove(self, path: str) -> None:
        """Remove a file, or a folder with all that is in it; nothing happens if there is none."""


def local_folder(url: str) -> Path | None:
    """The folder that a store's path or URL names; None for one of another kind."""
    if "://" in url and not url.startswith("file://"):
        return None
    return Path(url.removeprefix("file://")).absolute()


def open_storage(url: str) -> Storage:
    """The storage at a path or at a URL that fsspec knows.

    Raises:
        StoreError: The URL is of no known kind, or what it needs is not installed.
    """
    if not url or "\0" in url:
        raise StoreError("no store is named: give its folder or URL, or set CREATIVEAI_STORE")
    if (folder := local_folder(url)) is not None:
        from creativeai.store.local_storage import LocalStorage

        return LocalStorage(folder)
    from creativeai.store.url_storage import open_url

    return open_url(url)
