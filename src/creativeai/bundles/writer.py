"""Writes a bundle whole or not at all."""

import hashlib
import json
import os
import shutil
import tempfile
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


def write_bundle(
    out: Path | str, manifest_fields: Mapping[str, Any], files: Mapping[str, bytes | Path]
) -> Bundle:
    """Write a bundle into a temporary folder next to `out`, sync it to disk, read it back and rename it.

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
    if os.path.lexists(out):
        raise BundleError(f"{out} exists already: remove it or choose another folder")
    temporary = None
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        temporary = Path(tempfile.mkdtemp(prefix=f".{out.name}.", suffix=".tmp", dir=out.parent))
        entries = {name: _write_file(temporary, name, content) for name, content in files.items()}
        _write(temporary / MANIFEST_NAME, _manifest_bytes(manifest_fields, entries))
        for folder in sorted({temporary, *((temporary / name).parent for name in files)}):
            _sync_folder(folder)
        read_bundle(temporary)
        temporary.chmod(0o755)
        temporary.rename(out)
        _sync_folder(out.parent)
    except OSError as error:
        raise BundleError(f"can't write the bundle {out}: {error.strerror or error}") from None
    finally:
        if temporary is not None and temporary.exists():
            shutil.rmtree(temporary, ignore_errors=True)
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
    _write(folder / name, data)
    return {"sha256": hashlib.sha256(data).hexdigest(), "size": len(data)}


def _write(file: Path, data: bytes) -> None:
    with file.open("wb") as stream:
        stream.write(data)
        stream.flush()
        os.fsync(stream.fileno())


def _sync_folder(folder: Path) -> None:
    """Make the names in a folder last through a power cut; Windows has no such call and needs none."""
    if os.name == "nt":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
