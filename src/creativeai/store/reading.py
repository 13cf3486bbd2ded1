"""Finds models, versions and aliases in a store. Versions without a record are not there."""

from collections.abc import Iterator

from creativeai.errors import BundleError, StoreError, UnknownModelError
from creativeai.store.paths import MODELS, alias_path, version_number, version_path
from creativeai.store.records import (
    LATEST,
    MARKER,
    MAX_RECORD_SIZE,
    Reference,
    Version,
    check_name,
    parse_alias,
    parse_content,
    parse_version,
)
from creativeai.store.storage import Storage, open_storage

__all__ = [
    "aliased_number",
    "all_versions",
    "find_version",
    "model_names",
    "open_store",
    "read_aliases",
    "read_record",
    "read_version",
    "version_numbers",
]


def open_store(url: str) -> Storage:
    """The store at a path or URL.

    Raises:
        StoreError: There is none, or it can't be reached.
        BundleError: It was made by a newer CreativeAI.
    """
    storage = open_storage(url)
    try:
        parse_content(storage.read(MARKER, MAX_RECORD_SIZE), f"{storage.url}/{MARKER}")
    except FileNotFoundError:
        raise StoreError(
            f"there is no model store at {storage.url}: make one with creativeai store publish BUNDLE --to it"
        ) from None
    return storage


def model_names(storage: Storage) -> list[str]:
    """Names of the models, sorted."""
    names = []
    for name in storage.folders(MODELS):
        try:
            names.append(check_name("model", name))
        except StoreError:
            continue  # not ours
    return names


def version_numbers(storage: Storage, name: str) -> list[int]:
    """Numbers given to a model's versions, removed ones too, rising."""
    numbers = map(version_number, storage.files(version_path(name)))
    return sorted(number for number in numbers if number is not None)


def read_record(storage: Storage, name: str, number: int) -> Version | str | None:
    """What `parse_version` says of a version's record.

    Raises:
        FileNotFoundError: There is none.
        BundleError: It is damaged or newer than this version reads.
    """
    path = version_path(name, number)
    return parse_version(storage.read(path, MAX_RECORD_SIZE), f"{storage.url}/{path}", name, number)


def read_version(storage: Storage, name: str, number: int) -> Version:
    """A version by its number.

    Raises:
        UnknownModelError: There is no such version, or it was removed.
        BundleError: Its record is damaged or newer than this version reads.
    """
    try:
        record = read_record(storage, name, number)
    except FileNotFoundError:
        raise UnknownModelError(_unknown(storage, name, f"no version {number}")) from None
    if not isinstance(record, Version):
        raise UnknownModelError(f"{name}@{number} was removed from {storage.url}")
    return record


def versions_of(storage: Storage, name: str) -> Iterator[Version | BundleError]:
    """A model's versions, the newest first; in place of one that can't be read, why."""
    for number in reversed(version_numbers(storage, name)):
        try:
            record = read_record(storage, name, number)
        except FileNotFoundError:
            continue
        except BundleError as error:
            yield error
        else:
            if isinstance(record, Version):
                yield record


def all_versions(storage: Storage) -> Iterator[Version | BundleError]:
    """Every model's versions, by name, the newest first; in place of one that can't be read, why."""
    for name in model_names(storage):
        yield from versions_of(storage, name)


def read_aliases(storage: Storage, name: str) -> dict[str, int]:
    """Versions by the aliases that were given to them, without `latest`.

    Raises:
        BundleError: An alias's file is damaged.
    """
    aliases = {}
    for file_name in storage.files(alias_path(name)):
        alias = file_name.removesuffix(".json")
        if alias != file_name and (number := _given_number(storage, name, alias)) is not None:
            aliases[alias] = number
    return aliases


def aliased_number(storage: Storage, name: str, alias: str) -> int | None:
    """Number of the version an alias is of; None if the model has no such alias.

    Raises:
        BundleError: The alias's file, or for `latest` the newest version's record, is damaged.
    """
    if alias != LATEST:
        return _given_number(storage, name, alias)
    newest = next(versions_of(storage, name), None)
    if isinstance(newest, BundleError):
        raise newest
    return None if newest is None else newest.number


def find_version(storage: Storage, reference: Reference) -> Version:
    """The version that a reference names.

    Raises:
        UnknownModelError: There is none.
        BundleError: Its record or its alias's is damaged.
    """
    number = reference.number
    if number is None:
        assert reference.alias is not None
        number = aliased_number(storage, reference.name, reference.alias)
    if number is None:
        known = "no version" if reference.alias == LATEST else f"no alias {reference.alias}"
        raise UnknownModelError(_unknown(storage, reference.name, known))
    return read_version(storage, reference.name, number)


def _given_number(storage: Storage, name: str, alias: str) -> int | None:
    path = alias_path(name, alias)
    try:
        return parse_alias(storage.read(path, MAX_RECORD_SIZE), f"{storage.url}/{path}")
    except FileNotFoundError:
        return None


def _unknown(storage: Storage, name: str, what: str) -> str:
    names = model_names(storage)
    if name not in names:
        known = ", ".join(names[:20]) or "none"
        return f"there is no model {name} in {storage.url} (known there: {known})"
    return f"the model {name} in {storage.url} has {what}: see creativeai store list"
