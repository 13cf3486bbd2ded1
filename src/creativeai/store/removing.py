"""Removes a version: its record says so first, then its files go."""

from creativeai.errors import BundleError, StoreError, UnknownModelError
from creativeai.store.paths import alias_path, upload_path, version_path
from creativeai.store.reading import find_version, read_aliases, read_record, versions_of
from creativeai.store.records import LATEST, Reference, Version, removed_content
from creativeai.store.storage import Storage

__all__ = ["remove"]


def remove(storage: Storage, reference: Reference, *, force: bool = False) -> str:
    """Remove a version and its files; its number is not given again. Done twice, it finishes what was begun.

    Args:
        storage: The store.
        reference: The version.
        force: Remove it along with the aliases that are of it, and even if its record is damaged.

    Returns:
        What was removed, as `NAME@VERSION`.

    Raises:
        StoreError: An alias is of it and `force` isn't given, or the store can't be written.
        UnknownModelError: There is no such version.
        BundleError: Its record is damaged and `force` isn't given.
    """
    name = reference.name
    number = reference.number or find_version(storage, reference).number
    try:
        record = read_record(storage, name, number)
    except FileNotFoundError:
        raise UnknownModelError(f"there is no {name}@{number} in {storage.url}") from None
    except BundleError:
        if not force:
            raise
        record = None
    aliases = [alias for alias, aliased in read_aliases(storage, name).items() if aliased == number]
    newest = next(versions_of(storage, name), None)
    is_latest = isinstance(newest, Version) and newest.number == number
    named = [*aliases, LATEST] if is_latest else aliases
    if named and not force:
        raise StoreError(
            f"{name}@{number} has the alias {' and '.join(named)}: promote or publish another version first, "
            "or remove it with --force"
        )
    for alias in aliases:
        storage.remove(alias_path(name, alias))
    upload = record.upload if isinstance(record, Version) else record
    storage.replace(version_path(name, number), removed_content(name, number, upload))
    if upload is not None:
        storage.remove(upload_path(name, upload))
    return f"{name}@{number}"
