"""Gives names to versions, and moves them at one stroke."""

from creativeai.errors import StoreError
from creativeai.store.paths import alias_path
from creativeai.store.reading import find_version, read_version
from creativeai.store.records import LATEST, Reference, Version, check_name, to_bytes
from creativeai.store.storage import Storage

__all__ = ["promote"]


def promote(storage: Storage, reference: Reference, alias: str) -> Version:
    """Make an alias, or move it, to a version.

    Raises:
        StoreError: The alias isn't right, or the store can't be written.
        UnknownModelError: There is no such version.
        BundleError: The version's record is damaged.
    """
    if check_name("alias", alias) == LATEST:
        raise StoreError(f"{LATEST} is the newest version by itself: choose another alias")
    version = find_version(storage, reference)
    storage.replace(alias_path(version.name, alias), to_bytes({"version": version.number}))
    # It may have been removed between the two lines above, by one who saw no alias of it.
    return read_version(storage, version.name, version.number)
