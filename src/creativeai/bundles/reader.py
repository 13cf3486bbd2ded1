"""Reads a bundle, and trusts nothing in it before its digest is checked. Nothing is ever unpickled."""

import hashlib
import os
import stat
from dataclasses import dataclass
from pathlib import Path

from creativeai.bundles.manifest import MANIFEST_NAME, BundleManifest, FileEntry, parse_manifest
from creativeai.errors import BundleError
from creativeai.stand_ins import LFS_POINTER

MAX_MANIFEST_SIZE = 4_000_000


@dataclass(frozen=True)
class Bundle:
    """A trained model: a folder and what it says of itself."""

    path: Path
    manifest: BundleManifest

    def file(self, name: str) -> Path:
        """Path of one of the files the manifest lists.

        Raises:
            BundleError: The manifest has no such file.
        """
        if name not in self.manifest.files:
            raise BundleError(f"the bundle {self.path} has no file {name}")
        return self.path / name


def read_bundle(path: Path | str, verify: bool = True) -> Bundle:
    """Read a bundle's manifest and check its files.

    Args:
        path: The bundle's folder.
        verify: Whether to compute every file's SHA-256; presence and size are checked anyway.

    Raises:
        BundleError: There is no bundle, a file is missing, damaged, a link or a git-LFS pointer, or the
            manifest is broken or newer than this version reads.
    """
    path = Path(path)
    if not path.is_dir():
        raise BundleError(f"there is no bundle at {path}: give the folder that has {MANIFEST_NAME} in it")
    data = _read_manifest(path)
    manifest = parse_manifest(data, str(path / MANIFEST_NAME))
    for name, entry in manifest.files.items():
        _check_file(path, name, entry, verify)
    return Bundle(path, manifest)


def _read_manifest(path: Path) -> bytes:
    file = path / MANIFEST_NAME
    size = _size_of_regular_file(path, MANIFEST_NAME)
    if size > MAX_MANIFEST_SIZE:
        raise BundleError(f"{file} is damaged: {size} bytes are too many for it")
    data = _read(file)
    if data.startswith(LFS_POINTER):
        raise BundleError(_lfs_message(file))
    return data


def _check_file(path: Path, name: str, entry: FileEntry, verify: bool) -> None:
    file = path / name
    size = _size_of_regular_file(path, name)
    if size != entry.size:
        if size < 1024 and _read(file).startswith(LFS_POINTER):
            raise BundleError(_lfs_message(file))
        raise BundleError(
            f"{file} is damaged: it has {size} bytes instead of {entry.size}; copy the bundle again"
        )
    if verify and _sha256(file) != entry.sha256:
        raise BundleError(
            f"{file} is damaged: its SHA-256 is not the one in {MANIFEST_NAME}; copy the bundle again"
        )


def _size_of_regular_file(path: Path, name: str) -> int:
    """Size of a file, after making sure that neither it nor a folder on the way to it is a link."""
    file = path
    for part in Path(name).parts:
        file = file / part
        try:
            status = os.lstat(file)
        except FileNotFoundError:
            raise BundleError(f"{path / name} is missing: copy the whole bundle again") from None
        except OSError as error:
            raise BundleError(f"can't read {path / name}: {error.strerror}") from None
        if stat.S_ISLNK(status.st_mode):
            raise BundleError(f"{file} is a link: a bundle must have its files in its own folder")
    if not stat.S_ISREG(status.st_mode):
        raise BundleError(f"{file} is not a file: copy the whole bundle again")
    return status.st_size


def _read(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise BundleError(f"can't read {file}: {error.strerror}") from None


def _sha256(file: Path) -> str:
    try:
        with file.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError as error:
        raise BundleError(f"can't read {file}: {error.strerror}") from None


def _lfs_message(file: Path) -> str:
    return f"{file} is a git-LFS pointer instead of the file itself: run `git lfs pull` where it was cloned"
