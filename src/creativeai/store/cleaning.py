"""Removes what killed publishers and removers left in a store, and nothing that a living one writes.

An upload is marked before its record is looked for a last time, and a publisher looks for the mark after it
has written the record. So however slow a publisher is, and however clocks jump, no version loses its files:
in the worst case publishing says that it has to be done again.
"""

import re
import secrets
from collections.abc import Callable, Iterator

from creativeai.errors import BundleError
from creativeai.store.paths import claim_path, cleaning_path, upload_path
from creativeai.store.reading import model_names, read_record, version_numbers
from creativeai.store.records import Version
from creativeai.store.storage import Storage

__all__ = ["MIN_AGE_SECONDS", "clean"]

MIN_AGE_SECONDS = 86_400.0
"""What is younger may be in the making."""


def clean(storage: Storage, min_age_seconds: float = MIN_AGE_SECONDS) -> Iterator[str | BundleError]:
    """Remove leftovers older than a day by the storage's own clock.

    Yields:
        A line for each thing as it is removed; an error for a model of which nothing can be removed.

    Raises:
        StoreError: The store can't be reached or written, or doesn't say how old its files are.
    """
    is_old = _old_since(_now(storage) - min_age_seconds, storage)
    for name in model_names(storage):
        try:
            yield from _clean_uploads(storage, name, is_old)
        except BundleError as error:
            yield BundleError(f"nothing of {name} was removed: {error}")
            continue
        yield from _clean_claims(storage, name, is_old)
    # Last, since removing one makes the upload that it is in look young.
    for path in storage.temporaries():
        if is_old(path):
            storage.remove(path)
            yield f"{path}: half written"


def _clean_uploads(storage: Storage, name: str, is_old: Callable[[str], bool]) -> Iterator[str]:
    """Remove uploads that no version has: they were never finished, or their version was removed.

    Raises:
        BundleError: A record is damaged, so nobody knows which upload it is of.
    """
    uploads = [text for text in storage.folders(upload_path(name)) if re.fullmatch("[0-9a-f]{32}", text)]
    used = _used_uploads(storage, name)
    for upload in uploads:
        path = upload_path(name, upload)
        if upload in used or not is_old(path):
            continue
        mark = cleaning_path(name, upload)
        storage.replace(mark, b"no version has this upload\n")
        if upload not in _used_uploads(storage, name):
            storage.remove(path)
            yield f"{path}: no version has it"
        storage.remove(mark)
    for upload in storage.files(cleaning_path(name)):  # of cleaners that were killed themselves
        mark = cleaning_path(name, upload)
        if upload not in uploads and is_old(mark):
            storage.remove(mark)
            yield f"{mark}: nothing to remove any more"


def _clean_claims(storage: Storage, name: str, is_old: Callable[[str], bool]) -> Iterator[str]:
    """Remove claims to numbers that are given. The others stay: their owners may be slow."""
    given = set(version_numbers(storage, name))
    for text in storage.folders(claim_path(name)):
        if text.isdigit() and int(text) in given and is_old(path := claim_path(name, int(text))):
            storage.remove(path)
            yield f"{path}: the number is given"


def _used_uploads(storage: Storage, name: str) -> set[str]:
    records = [read_record(storage, name, number) for number in version_numbers(storage, name)]
    return {record.upload for record in records if isinstance(record, Version)}


def _old_since(moment: float, storage: Storage) -> Callable[[str], bool]:
    def is_old(path: str) -> bool:
        try:
            return storage.modified(path) <= moment
        except FileNotFoundError:
            return False

    return is_old


def _now(storage: Storage) -> float:
    """The time by the clock that also says when files were written, which need not be this machine's."""
    path = f".clock.{secrets.token_hex(4)}.tmp"
    storage.replace(path, b"what time is it?\n")
    try:
        return storage.modified(path)
    finally:
        storage.remove(path)
