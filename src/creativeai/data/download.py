"""Fetching published files: goes on where it broke off, and nothing is kept that isn't what was published."""

import hashlib
import os
import re
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import requests

from creativeai.errors import DataError
from creativeai.whole_files import sync_file, sync_folder

__all__ = ["RemoteFile", "RemoteSet", "download"]

CHUNK_BYTES = 1 << 20
MAX_BARREN_TRIES = 4
"""Connections in a row that bring nothing before it gives up."""
PAUSE_SECONDS = 1.0
"""Before the second try; doubles with each barren one."""
TIMEOUT_SECONDS = (15, 60)
"""To connect, and between two pieces."""
MAX_UNKNOWN_BYTES = 16 << 20
"""Most that a file of unknown length may have."""

Progress = Callable[[str, int, int | None], None]
"""Called with a file's name, how many of its bytes are here, and of how many."""


@dataclass(frozen=True, slots=True)
class RemoteFile:
    """A published file."""

    name: str
    url: str
    md5: str
    """As its publishers or the field's libraries state it."""
    num_bytes: int | None = None


@dataclass(frozen=True, slots=True)
class RemoteSet:
    """The files of a dataset."""

    title: str
    page: str
    licence: str
    files: tuple[RemoteFile, ...]
    by_hand: str
    """What else is needed that can't be fetched by a program."""

    @property
    def num_bytes(self) -> int:
        """Of all files whose length is known."""
        return sum(file.num_bytes or 0 for file in self.files)


def download(files: tuple[RemoteFile, ...], folder: Path, progress: Progress | None = None) -> list[Path]:
    """Fetch files into a folder; those that are there and whole already are left alone.

    A file that isn't whole yet is called NAME.part; the same call goes on with it.

    Raises:
        DataError: A site can't be reached or gives something else, the disk is full, or a file of that name
            is there that isn't the published one.
    """
    told = progress or (lambda *_: None)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        needed = sum(max(0, (file.num_bytes or 0) - _size(_part_of(folder, file))) for file in files)
        if needed > (free := shutil.disk_usage(folder).free):
            raise DataError(
                f"the disk of {folder} is too full: {needed >> 20:,} MB needed, {free >> 20:,} MB free"
            )
        return [_fetch(file, folder, told) for file in files]
    except OSError as error:
        raise DataError(f"{folder} can't be written: {error.strerror or error}") from None


def _fetch(file: RemoteFile, folder: Path, progress: Progress) -> Path:
    path, part = folder / file.name, _part_of(folder, file)
    if os.path.lexists(path):
        if _md5(path) != file.md5:
            raise DataError(f"{path} is there, but isn't the published file: move it away and try again")
        progress(file.name, path.stat().st_size, path.stat().st_size)
        return path
    barren = 0
    while True:
        before = _size(part)
        try:
            _receive(file, part, progress)
            break
        except requests.RequestException as error:
            barren = barren + 1 if _size(part) == before else 0
            if barren == MAX_BARREN_TRIES:
                raise DataError(
                    f"{file.url} can't be reached or breaks off ({_reason(error)}): try again later, the "
                    f"same command goes on; or fetch it by other means and put it at {path}"
                ) from None
            time.sleep(PAUSE_SECONDS * 2**barren)
    if _md5(part) != file.md5:
        part.unlink()
        raise DataError(
            f"{file.url}: what came is not the published file (its MD5 is not {file.md5}): try again later"
        )
    with part.open("rb+") as whole:
        sync_file(whole)
    part.rename(path)
    sync_folder(folder)
    return path


def _receive(file: RemoteFile, part: Path, progress: Progress) -> None:
    """One connection: append to `part` until the file is whole.

    Raises:
        requests.RequestException: The connection failed or ended early; what has come is kept.
        DataError: The site gives something else.
    """
    if file.num_bytes is not None and _size(part) > file.num_bytes:
        part.unlink()
    start = _size(part)
    if start and start == file.num_bytes:
        return
    headers = {"Accept-Encoding": "identity"} | ({"Range": f"bytes={start}-"} if start else {})
    with requests.get(file.url, headers=headers, stream=True, timeout=TIMEOUT_SECONDS) as answer:
        if start and answer.status_code == requests.codes.requested_range_not_satisfiable:
            part.unlink()  # of unknown length, and longer than what is offered now
            raise requests.ConnectionError("the part here doesn't fit what the site has")
        _check_answer(file, answer)
        if start and not _goes_on_at(start, answer):
            start = 0
        total = _total_bytes(file, answer, start)
        with part.open("r+b" if part.exists() else "wb") as out:
            out.truncate(start)
            out.seek(start)
            _copy(file, answer, out, start, total, progress)


def _copy(
    file: RemoteFile,
    answer: requests.Response,
    out: BinaryIO,
    start: int,
    total: int | None,
    progress: Progress,
) -> None:
    have = start
    most = MAX_UNKNOWN_BYTES if total is None else total
    for piece in answer.iter_content(CHUNK_BYTES):
        have += len(piece)
        if have > most:
            raise DataError(f"{file.url} sends more than the {most:,} bytes of the published file")
        out.write(piece)
        progress(file.name, have, total)
    if total is not None and have < total:
        raise requests.ConnectionError(f"ended after {have:,} of {total:,} bytes")


def _check_answer(file: RemoteFile, answer: requests.Response) -> None:
    """Tell errors that pass, which are tried again, from those that don't."""
    if file.url.startswith("https:") and not answer.url.startswith("https:"):
        raise DataError(f"{file.url} leads to {answer.url}, which isn't encrypted")
    if answer.status_code in (408, 429) or answer.status_code >= 500:
        raise requests.HTTPError(f"the site answers {answer.status_code}")
    if not answer.ok:
        raise DataError(f"{file.url}: the site answers {answer.status_code}: has the file moved?")
    if answer.headers.get("Content-Type", "").startswith("text/html"):
        raise DataError(f"{file.url}: the site sends a web page instead of the file: open it in a browser")


def _goes_on_at(start: int, answer: requests.Response) -> bool:
    """Whether the answer is what follows the first `start` bytes, and not the whole file once more."""
    said = re.match(r"bytes (\d+)-", answer.headers.get("Content-Range", ""))
    return answer.status_code == requests.codes.partial_content and said is not None and int(said[1]) == start


def _total_bytes(file: RemoteFile, answer: requests.Response, start: int) -> int | None:
    """Length of the whole file: as published, which the site must agree with, or as the site says."""
    said = answer.headers.get("Content-Length", "")
    offered = start + int(said) if said.isdecimal() else None
    if file.num_bytes is not None and offered is not None and offered != file.num_bytes:
        raise DataError(
            f"{file.url}: the site offers {offered:,} bytes, the published file has {file.num_bytes:,}"
        )
    return file.num_bytes or offered


def _part_of(folder: Path, file: RemoteFile) -> Path:
    return folder / f"{file.name}.part"


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def _md5(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()
    except OSError as error:
        raise DataError(f"{path} can't be read: {error.strerror}") from None


def _reason(error: Exception) -> str:
    """The innermost reason, in one line: requests wraps its errors several times."""
    while isinstance(inner := getattr(error, "reason", None) or (error.args or [None])[0], Exception):
        error = inner
    text = " ".join(str(error).split()).rpartition("): ")[2]  # without the connection's own name
    return text[:120] or type(error).__name__
