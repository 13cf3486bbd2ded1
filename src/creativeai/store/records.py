"""The small files that a store believes: a record for each version, and one for each alias."""

import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from creativeai.bundles.decoding import from_json
from creativeai.bundles.manifest import BundleManifest, parse_manifest
from creativeai.errors import BundleError, StoreError
from creativeai.strict_json import parse_json

__all__ = [
    "LATEST",
    "MARKER",
    "MAX_RECORD_SIZE",
    "Reference",
    "Version",
    "check_name",
    "parse_alias",
    "parse_reference",
    "parse_version",
    "removed_content",
    "version_content",
]

MARKER = "creativeai-store.json"
"""The file that makes a folder a store: a mount point whose disk is gone has none."""
LATEST = "latest"
"""The alias of the newest version, which no file holds: it moves with the version's own record."""
SCHEMA_VERSION = 1
MAX_RECORD_SIZE = 8_000_000
_NAME = re.compile("[a-z0-9][a-z0-9_.-]{0,63}")


@dataclass(frozen=True)
class _Fields:
    """A version's record, but for the schema version and the bundle's manifest."""

    name: str
    version: int
    published: int
    upload: str
    digest: str

    def __post_init__(self) -> None:
        if not re.fullmatch("[0-9a-f]{32}", self.upload):
            raise ValueError("upload must be 32 hexadecimal digits")
        if not re.fullmatch("[0-9a-f]{64}", self.digest):
            raise ValueError("digest must be a SHA-256 in 64 hexadecimal digits")


@dataclass(frozen=True)
class Version:
    """A published version of a model."""

    name: str
    number: int
    published: int
    """Unix time by the publisher's clock."""
    upload: str
    """Name of the folder with its files, below `models/NAME/uploads`."""
    digest: str
    """SHA-256 of its `bundle.json`, which has those of all other files."""
    manifest: BundleManifest

    @property
    def reference(self) -> str:
        """What the command line calls it."""
        return f"{self.name}@{self.number}"


@dataclass(frozen=True)
class Reference:
    """What `NAME[@VERSION|@ALIAS]` says."""

    name: str
    number: int | None
    alias: str | None

    def __str__(self) -> str:
        return f"{self.name}@{self.alias if self.number is None else self.number}"


def check_name(kind: str, name: str) -> str:
    """Refuse the name of a model or alias that could lead elsewhere or be taken for a number.

    Raises:
        StoreError: As said.
    """
    if not _NAME.fullmatch(name) or (kind == "alias" and name.isdigit()):
        digits = ", not digits alone" if kind == "alias" else ""
        raise StoreError(
            f"{name[:80]!r} can't be the name of any {kind}: take 1 to 64 lower-case letters, digits, '-', "
            f"'_' and '.'{digits}"
        )
    return name


def parse_reference(text: str) -> Reference:
    """Read `NAME`, `NAME@VERSION` or `NAME@ALIAS`; a name alone is its latest version.

    Raises:
        StoreError: It is none of these.
    """
    name, at, which = text.partition("@")
    check_name("model", name)
    if re.fullmatch("[1-9][0-9]{0,8}", which):
        return Reference(name, int(which), None)
    return Reference(name, None, check_name("alias", which) if at else LATEST)


def version_content(version: Version, manifest: Mapping[str, Any]) -> bytes:
    """The record of a version; `manifest` is what its `bundle.json` holds."""
    fields = _Fields(version.name, version.number, version.published, version.upload, version.digest)
    return to_bytes({**asdict(fields), "manifest": manifest})


def removed_content(name: str, number: int, upload: str | None) -> bytes:
    """The record of a version that was removed: its number is not given again."""
    return to_bytes({"name": name, "version": number, "upload": upload, "removed": True})


def to_bytes(content: Mapping[str, Any]) -> bytes:
    """JSON of one of the store's files."""
    return (json.dumps({"schema_version": SCHEMA_VERSION, **content}, indent=1) + "\n").encode()


def parse_version(data: bytes, origin: str, name: str, number: int) -> Version | str | None:
    """Read a version's record.

    Args:
        data: Its bytes.
        origin: What they are, for messages.
        name: The model it should be of.
        number: The number it should have.

    Returns:
        The version; of a removed one the name of its upload, or None if not even that is known.

    Raises:
        BundleError: It is damaged, made by a newer CreativeAI, or another version's.
    """
    content = parse_content(data, origin)
    if content.get("removed") is True:
        upload = content.get("upload")
        return upload if isinstance(upload, str) and re.fullmatch("[0-9a-f]{32}", upload) else None
    manifest = parse_manifest(json.dumps(content.pop("manifest", None)).encode(), f"the manifest in {origin}")
    try:
        fields: _Fields = from_json(_Fields, content)
    except ValueError as error:
        raise BundleError(f"{origin} is not right: {error}") from None
    if (fields.name, fields.version) != (name, number):
        raise BundleError(f"{origin} is not right: it is that of another version")
    return Version(name, number, fields.published, fields.upload, fields.digest, manifest)


def parse_alias(data: bytes, origin: str) -> int:
    """Number of the version that an alias's file names.

    Raises:
        BundleError: It is damaged or made by a newer CreativeAI.
    """
    number = parse_content(data, origin).get("version")
    if type(number) is not int or not 1 <= number < 10**9:
        raise BundleError(f"{origin} is not right: version must be a whole number of at least 1")
    return number


def parse_content(data: bytes, origin: str) -> dict[str, Any]:
    """Read one of the store's files, without its schema version.

    Raises:
        BundleError: It is no JSON object or made by a newer CreativeAI.
    """
    try:
        content = parse_json(data)
    except ValueError as error:
        problem = " ".join(str(error).split())[:200]
        raise BundleError(f"{origin} is damaged: it is not JSON ({problem})") from None
    schema = content.pop("schema_version", None) if isinstance(content, dict) else None
    if type(schema) is not int or schema < 1:
        raise BundleError(f"{origin} is damaged: it has no schema_version")
    if schema > SCHEMA_VERSION:
        raise BundleError(
            f"{origin} was made by a newer CreativeAI (schema version {schema}, this one reads "
            f"{SCHEMA_VERSION}): upgrade with `pip install -U creativeai`"
        )
    return dict(content)
