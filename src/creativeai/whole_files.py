"""Files and folders that are whole, or as they were before, whatever happens while they are written.

They are written under another name beside their own, synced to the disk, and renamed.
"""

import errno
import io
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

__all__ = ["becoming", "replace_file", "sync_file", "sync_folder", "whole_folder", "write_synced"]

# A folder that may be written but not read, and disks that can't sync folders, such as some on a network.
_CANT_SYNC_FOLDERS = {errno.EACCES, errno.EINVAL, errno.ENOTSUP}


def replace_file(path: Path, write: Callable[[BinaryIO], object]) -> None:
    """Make a file, or replace one, by what `write` writes to the file it is given.

    Processes and threads may write the same file at a time: the last one's stays.

    Raises:
        OSError: The disk is full or can't be written; an older file of that name is untouched.
    """
    temporary = path.with_name(f".{path.name}.{os.urandom(4).hex()}.tmp")
    try:
        raw = _TellingFile(temporary, "xb")
        with io.BufferedWriter(raw) as file:
            try:
                write(file)
            except Exception as error:
                if raw.failure is None or raw.failure is error:
                    raise
                raise raw.failure from error
            sync_file(file)
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)
    sync_folder(path.parent)


class _TellingFile(io.FileIO):
    """A file that knows why it could not be written: torch, for one, doesn't tell of a full disk."""

    failure: OSError | None = None

    def write(self, data: Any) -> int:
        try:
            return super().write(data)
        except OSError as error:
            self.failure = error
            raise


@contextmanager
def whole_folder(out: Path) -> Iterator[Path]:
    """Give an empty hidden folder that becomes `out`, for all to read, when the block ends well.

    It is gone when the block fails; a process killed at any point leaves at most a hidden folder ending in
    `.tmp`.

    Args:
        out: Must not exist. Folders above it are made.

    Raises:
        OSError: The disk is full or can't be written.
    """
    out.parent.mkdir(parents=True, exist_ok=True)
    temporary = Path(tempfile.mkdtemp(prefix=f".{out.name}.", suffix=".tmp", dir=out.parent))
    with becoming(out, temporary):
        yield temporary
        temporary.chmod(0o755)


@contextmanager
def becoming(out: Path, temporary: Path) -> Iterator[None]:
    """Rename the folder `temporary` to `out`, synced to the disk, when the block ends well; else remove it.

    Files within must be synced already, their names need not be.
    """
    try:
        yield
        for folder, _, _ in os.walk(temporary):
            sync_folder(Path(folder))
        temporary.rename(out)
    except BaseException:
        shutil.rmtree(temporary, ignore_errors=True)
        raise
    sync_folder(out.parent)


def write_synced(path: Path, data: bytes) -> None:
    """Write a file whose content lasts through a power cut; its name does once its folder is synced."""
    with path.open("wb") as file:
        file.write(data)
        sync_file(file)


def sync_file(file: BinaryIO) -> None:
    """Make what was written to an open file last through a power cut."""
    file.flush()
    os.fsync(file.fileno())


def sync_folder(folder: Path) -> None:
    """Make the names in a folder last through a power cut, where the system can.

    Raises:
        OSError: The disk is full or broken.
    """
    if os.name == "nt":  # has no such call, and needs none
        return
    try:
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
    except OSError as error:
        if error.errno not in _CANT_SYNC_FOLDERS:
            raise
