"""Copies a version out of a store, and believes nothing of it before its digest is checked."""

import hashlib
import os
import shutil
from pathlib import Path

from creativeai.bundles import Bundle, read_bundle
from creativeai.bundles.manifest import MANIFEST_NAME, parse_manifest
from creativeai.bundles.reader import MAX_MANIFEST_SIZE
from creativeai.bundles.writer import refuse_existing
from creativeai.errors import BundleError, StoreError
from creativeai.store.paths import upload_path
from creativeai.store.records import Version
from creativeai.store.storage import Storage
from creativeai.user_cache import user_cache
from creativeai.whole_files import whole_folder, write_synced

__all__ = ["default_cache", "pull", "pull_to_cache"]


def pull(storage: Storage, version: Version, out: Path) -> Bundle:
    """Copy a version's bundle into a new folder, whole or not at all.

    Raises:
        BundleError: It is damaged in the store (a file is missing, has another size or another digest), or
            `out` exists or can't be written.
        StoreError: The store can't be reached.
    """
    refuse_existing(out)
    try:
        with whole_folder(out) as folder:
            _copy(storage, version, folder)
    except OSError as error:
        raise BundleError(f"can't write {out}: {error.strerror or error}") from None
    return read_bundle(out, verify=False)


def pull_to_cache(storage: Storage, version: Version, cache: Path) -> Path:
    """Folder of a version's bundle in a cache, copied there unless it is there already and whole.

    Raises:
        BundleError: It is damaged in the store, or the cache can't be written.
        StoreError: The store can't be reached.
    """
    folder = cache / "bundles" / version.digest
    if is_whole(folder, version.digest):
        return folder
    try:
        if os.path.lexists(folder):
            damaged = folder.with_name(f".{folder.name}.{os.urandom(4).hex()}.tmp")
            folder.rename(damaged)
            shutil.rmtree(damaged, ignore_errors=True)
    except OSError as error:
        raise BundleError(f"can't replace the damaged {folder}: {error.strerror}") from None
    try:
        pull(storage, version, folder)
    except BundleError:
        # Another server with the same cache may have been faster.
        if not is_whole(folder, version.digest):
            raise
    return folder


def is_whole(folder: Path, digest: str) -> bool:
    """Whether a folder is the bundle of that digest, every file as it should be."""
    try:
        read_bundle(folder)
        return hashlib.sha256((folder / MANIFEST_NAME).read_bytes()).hexdigest() == digest
    except (BundleError, OSError):
        return False


def default_cache() -> Path:
    """The user's folder for what can be had again.

    Raises:
        StoreError: The user has no home.
    """
    folder = user_cache()
    if folder is None:
        raise StoreError("this user has no home to keep pulled models in: name a folder with --cache")
    return folder


def _copy(storage: Storage, version: Version, folder: Path) -> None:
    place = upload_path(version.name, version.upload)
    what = f"{version.reference} in {storage.url}"
    try:
        data = storage.read(f"{place}/{MANIFEST_NAME}", MAX_MANIFEST_SIZE)
        if hashlib.sha256(data).hexdigest() != version.digest:
            raise BundleError(f"{what} is damaged: the SHA-256 of {MANIFEST_NAME} is not the recorded one")
        write_synced(folder / MANIFEST_NAME, data)
        manifest = parse_manifest(data, f"{MANIFEST_NAME} of {what}")
        for name, entry in manifest.files.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            storage.download(f"{place}/{name}", folder / name, entry.size)
    except FileNotFoundError as error:
        missing = error.filename or error
        raise BundleError(f"{what} is damaged: {missing} is missing") from None
    try:
        read_bundle(folder)
    except BundleError as error:
        raise BundleError(f"{what} is damaged: {str(error).removeprefix(f'{folder}/')}") from None
