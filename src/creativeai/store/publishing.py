"""Publishes a bundle: its files first, then one small record, which alone makes them a version.

A publisher killed at any point leaves at most files that no record names. Numbers are given by creating the
record's file, which only one publisher can: by a hard link in a folder, by a conditional write
(If-None-Match) in an object store. Where neither is to be had, publishers claim a number before they write
its record.
"""

import hashlib
import random
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from creativeai.bundles import read_bundle
from creativeai.bundles.manifest import MANIFEST_NAME, parse_manifest
from creativeai.errors import BundleError, StoreError, UserError
from creativeai.store.paths import claim_path, cleaning_path, upload_path, version_path
from creativeai.store.reading import open_store, read_record, version_numbers
from creativeai.store.records import (
    MARKER,
    Version,
    check_name,
    removed_content,
    to_bytes,
    version_content,
)
from creativeai.store.storage import CannotCreateOnceError, NotWrittenError, Storage, open_storage
from creativeai.strict_json import parse_json

__all__ = ["Published", "publish"]

_MAX_WAIT_SECONDS = 0.5


@dataclass(frozen=True)
class Published:
    """What became of a bundle."""

    version: Version
    is_new: bool
    """False if the store had it already."""


def publish(url: str, folder: Path, name: str | None = None) -> Published:
    """Put a bundle into a store, as the next version of its model. A store is made where there is none.

    Args:
        url: The store.
        folder: The bundle.
        name: The model's name; by default the bundle's own.

    Raises:
        BundleError: There is no bundle, or it is damaged or changed meanwhile.
        StoreError: The store can't be reached or written, or the name isn't right.
    """
    bundle = read_bundle(folder)
    name = check_name("model", bundle.manifest.name if name is None else name)
    storage = open_storage(url)
    creates_once = _prepare(storage)
    data = (bundle.path / MANIFEST_NAME).read_bytes()
    digest = hashlib.sha256(data).hexdigest()
    numbers = version_numbers(storage, name)
    for number in reversed(numbers):
        if known := _same_bundle(storage, name, number, digest):
            return Published(known, is_new=False)
    manifest = parse_manifest(data, str(bundle.path / MANIFEST_NAME))
    next_number = max(numbers, default=0) + 1
    version = Version(name, next_number, int(time.time()), secrets.token_hex(16), digest, manifest)
    place = upload_path(name, version.upload)
    with _removed_unless_whole(storage, place):
        for file_name in manifest.files:
            storage.upload(f"{place}/{file_name}", bundle.file(file_name))
        storage.replace(f"{place}/{MANIFEST_NAME}", data)
        # What was read a moment ago may have been written over while it was copied.
        if read_bundle(folder).manifest != manifest:
            raise BundleError(f"the bundle {folder} changed while it was published: publish it again")
    try:
        commit = _commit if creates_once else _commit_by_claim
        published = commit(storage, version, parse_json(data))
    except NotWrittenError:
        storage.remove(place)
        raise
    if not published.is_new:
        storage.remove(place)
    elif _was_cleaned(storage, version.name, version.upload):
        number = published.version.number
        storage.replace(version_path(name, number), removed_content(name, number, version.upload))
        raise StoreError(
            f"{storage.url} was cleaned of {name}'s files before they had a version: publish again"
        )
    return published


@contextmanager
def _removed_unless_whole(storage: Storage, place: str) -> Iterator[None]:
    """Take back an upload that fails: on a full disk its space is dear."""
    try:
        yield
    except BaseException as error:
        with suppress(UserError):  # what can't be removed now is a leftover, as of a killed publisher
            storage.remove(place)
        if isinstance(error, FileNotFoundError | FileExistsError):
            raise StoreError(f"{storage.url} lost a file while it was written: {error}") from None
        raise


def _was_cleaned(storage: Storage, name: str, upload: str) -> bool:
    """Whether `creativeai store clean` took an upload for a leftover before its record was there.

    Cleaning marks an upload before it looks for its record a last time; we look for the mark after the record
    is written, so one of the two sees the other. The mark goes after the files: it must be looked for first.
    """
    is_marked = upload in storage.files(cleaning_path(name))
    return is_marked or MANIFEST_NAME not in storage.files(upload_path(name, upload))


def _prepare(storage: Storage) -> bool:
    """Make a store where there is none; whether its storage refuses to create what exists.

    Some object stores take a conditional write and ignore the condition, so we try.
    """
    marker = to_bytes({"kind": "creativeai model store"})
    for _ in range(2):
        try:
            storage.create(MARKER, marker)
        except FileExistsError:
            open_store(storage.url)  # refuses one that is newer
            return True
        except CannotCreateOnceError:
            break
    storage.replace(MARKER, marker)
    return False


def _same_bundle(storage: Storage, name: str, number: int, digest: str) -> Version | None:
    try:
        record = read_record(storage, name, number)
    except (BundleError, FileNotFoundError):
        return None
    return record if isinstance(record, Version) and record.digest == digest else None


def _commit(storage: Storage, version: Version, manifest: Any) -> Published:
    """Write the version's record under the first number that is free."""
    while True:
        try:
            storage.create(version_path(version.name, version.number), version_content(version, manifest))
        except FileExistsError:
            known = _same_bundle(storage, version.name, version.number, version.digest)
            if known is not None:
                # Our own one, if the answer to our writing was lost on its way and it was sent again.
                return Published(known, is_new=known.upload == version.upload)
            version = replace(version, number=version.number + 1)
        else:
            return Published(version, is_new=True)


def _commit_by_claim(storage: Storage, version: Version, manifest: Any) -> Published:
    """Write the version's record under a number that nobody else claims.

    Of those who claim a number at the same time each sees another, as long as the storage lists what was
    written before, and all step back. A claim that was seen alone stays: the number is its owner's for ever,
    and is left out if its owner dies.
    """
    while True:
        folder = claim_path(version.name, version.number)
        storage.replace(f"{folder}/{version.upload}", b"claimed\n")
        others = set(storage.files(folder)) - {version.upload}
        if not others and version.number not in version_numbers(storage, version.name):
            storage.replace(version_path(version.name, version.number), version_content(version, manifest))
            return Published(version, is_new=True)
        storage.remove(f"{folder}/{version.upload}")
        version = replace(version, number=version.number + 1)
        time.sleep(random.uniform(0, _MAX_WAIT_SECONDS))
