"""Writes a bundle whole or not at all."""

import hashlib
import json
import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from creativeai import __version__
from creativeai.bundles.manifest import (
    MANIFEST_NAME,
    check_file_name,
    lowest_schema_version,
    manifest_content,
    parse_manifest,
)
from creativeai.bundles.reader import Bundle, read_bundle
from creativeai.errors import BundleError
from creativeai.whole_files import whole_folder, write_synced


def refuse_existing(out: Path) -> None:
    """Refuse to write over something, before minutes are spent on it.

    Raises:
        BundleError: There is a file or folder of that name.
    """
    if os.path.lexists(out):
        raise BundleError(f"{out} exists already: remove it or choose another folder")


def write_bundle(
    out: Path | str, manifest_fields: Mapping[str, Any], files: Mapping[str, bytes | Path]
) -> Bundle:
    """Write a bundle into a temporary folder next to `out`, read it back, sync it to disk and rename it.

    A process killed at any point leaves no bundle at `out`, at most a hidden folder ending in `.tmp`.

    Args:
        out: Folder to make; must not exist.
        manifest_fields: Fields of `BundleManifest` in JSON's types. `schema_version` and `files` are filled
            in here, and so are `created` and `code_version` unless given.
        files: Content, or a file to copy, by path in the bundle.

    Raises:
        BundleError: `out` exists, a field or file name is not right, or the disk can't take it.
    """
    out = Path(out)
    refuse_existing(out)
    try:
        with whole_folder(out) as folder:
            entries = {name: _write_file(folder, name, content) for name, content in files.items()}
            write_synced(folder / MANIFEST_NAME, _manifest_bytes(manifest_fields, entries))
            read_bundle(folder)
    except OSError as error:
        raise BundleError(f"can't write the bundle {out}: {error.strerror or error}") from None
    return read_bundle(out, verify=False)


def _manifest_bytes(fields: Mapping[str, Any], entries: dict[str, dict[str, Any]]) -> bytes:
    written = {"created": int(time.time()), "code_version": __version__}
    content = written | dict(fields) | {"schema_version": lowest_schema_version(fields), "files": entries}
    try:
        data = json.dumps(content, allow_nan=False).encode()
    except (TypeError, ValueError) as error:
        raise BundleError(f"the bundle's manifest is not right: {error}") from None
    manifest = parse_manifest(data, "the bundle's manifest")
    return (json.dumps(manifest_content(manifest), indent=2, ensure_ascii=False) + "\n").encode()


def _write_file(folder: Path, name: str, content: bytes | Path) -> dict[str, Any]:
    """Write one file and return its entry in the manifest."""
    try:
        check_file_name(name)
    except ValueError as error:
        raise BundleError(str(error)) from None
    data = content if isinstance(content, bytes) else content.read_bytes()
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    write_synced(folder / name, data)
    return {"sha256": hashlib.sha256(data).hexdigest(), "size": len(data)}
