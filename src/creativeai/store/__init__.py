"""The model store: a folder of published bundles, each with its versions and aliases, that servers follow."""

from creativeai.store.aliases import promote
from creativeai.store.cleaning import clean
from creativeai.store.publishing import Published, publish
from creativeai.store.pulling import pull
from creativeai.store.reading import all_versions, find_version, open_store
from creativeai.store.records import Version
from creativeai.store.removing import remove

__all__ = [
    "Published",
    "Version",
    "all_versions",
    "clean",
    "find_version",
    "open_store",
    "promote",
    "publish",
    "pull",
    "remove",
]
