"""From any source to a prepared dataset: decoded on all cores, written as a stream, renamed when whole."""

import hashlib
import os
import warnings
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from creativeai.data.captioned_images import DatasetInfo
from creativeai.data.pictures import MIN_SIDE, to_squares
from creativeai.data.sources import open_source
from creativeai.data.sources.base import Problem, Source, SourcePicture, Used
from creativeai.data.writing import DatasetWriter, new_folder
from creativeai.errors import DataError

MAX_PROBLEMS = 20
"""Looking for more bad pictures stops here: the user has to mend the folder anyway."""
MAX_RESOLUTION = 1024

_Decoded = tuple[SourcePicture, list[NDArray[np.uint8]]]

Progress = Callable[[int, int], None]
"""Called with the number of pictures done and the number in all."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """What `prepare` has made."""

    path: Path
    info: DatasetInfo
    left_out: tuple[Problem, ...]
    """The bad pictures that `skip_bad` has left out."""
    notes: tuple[str, ...] = ()
    """What the source has counted and checked."""

    def report(self) -> list[str]:
        """Lines for the terminal: what was made, and what was left out and why."""
        info = self.info
        splits = ", ".join(f"{num:,} {split}" for split, num in info.splits.items())
        lines = [f"{self.path}: {info.num_pictures:,} pictures ({splits})", *self.notes]
        if self.left_out:
            lines.append(f"left out {len(self.left_out):,}:")
            lines += [f"  {problem}" for problem in self.left_out[:MAX_PROBLEMS]]
            if len(self.left_out) > MAX_PROBLEMS:
                lines.append(f"  and {len(self.left_out) - MAX_PROBLEMS:,} more")
        return lines


def prepare(
    source: str,
    out: str | Path,
    *,
    root: str | Path | None = None,
    resolutions: tuple[int, ...] = (64, 128),
    num_pictures: int | None = None,
    seed: int = 0,
    skip_bad: bool = False,
    progress: Progress | None = None,
) -> Prepared:
    """Make a prepared dataset that `CaptionedImages.open` reads.

    Everything is written into a hidden sibling of `out` that is renamed at the very end, so `out` is either
    whole or not there, whatever happens in between.

    Args:
        source: Name of a source (`folder`, `cub200`, `toybirds`...) or the path of a folder for `folder`.
        out: Folder to make; it must not exist.
        root: Where the source's files are: a folder, or for most sources an archive.
        resolutions: Side lengths of the square pictures to make, in pixels.
        num_pictures: Use only so many pictures, chosen by `seed` (for `toybirds`: draw so many).
        seed: Seed of that choice, and of the drawing.
        skip_bad: Leave out pictures that can't be used instead of refusing the whole source.
        progress: Told how far the work is.

    Raises:
        DataError: the source or one of its pictures can't be used, `out` exists, or the disk is full.
        UserError: there is no such source.
    """
    resolutions = _check_resolutions(resolutions)
    if num_pictures is not None and num_pictures < 1:
        raise DataError(f"the number of pictures must be at least 1, not {num_pictures}")
    out = Path(out)
    opened = open_source(source, Path(root) if root is not None else None, num_pictures, seed)
    with (
        warnings.catch_warnings(),
        new_folder(out) as folder,
        DatasetWriter(folder, resolutions, opened.num_pictures) as writer,
    ):
        # Pillow warns of odd metadata in good pictures, and of large ones that we refuse anyway.
        warnings.filterwarnings("ignore", module="PIL")
        problems, used = _write_pictures(
            opened, writer, resolutions, None if skip_bad else MAX_PROBLEMS, progress
        )
        if problems and not skip_bad:
            raise DataError(_summary(problems))
        if not writer.num_pictures:
            raise DataError(
                f"no picture can be used: {problems[0]}" if problems else f"{opened.origin}: no pictures"
            )
        info = writer.finish(opened)
    return Prepared(out, info, tuple(problems), opened.notes_on(used))


def parse_resolutions(text: str) -> tuple[int, ...]:
    """Side lengths from text such as `64,128`.

    Raises:
        DataError: not whole numbers with commas between them.
    """
    try:
        return tuple(int(part) for part in text.split(","))
    except ValueError:
        raise DataError(f"resolutions '{text}' are not whole numbers with commas: write 64,128") from None


def split_of(file_name: str) -> str:
    """`val` for one file name in eight, else `train`: by a hash, so no other file matters."""
    return "val" if int(hashlib.sha1(file_name.encode()).hexdigest()[:8], 16) % 8 == 0 else "train"


def _write_pictures(
    source: Source,
    writer: DatasetWriter,
    resolutions: tuple[int, ...],
    max_problems: int | None,
    progress: Progress | None,
) -> tuple[list[Problem], Used]:
    """Write all good pictures in order, ending early at `max_problems`: the problems, and what was used."""
    problems: list[Problem] = []
    used: Used = Counter()
    splits = _Splits()
    for done, item in enumerate(_decode(source.pictures, resolutions), start=1):
        if isinstance(item, Problem):
            problems.append(item)
            if len(problems) == max_problems:
                break
        else:
            picture, squares = item
            split = splits.of(picture, squares[0])
            used[split, picture.label] += 1
            writer.add(picture, split, squares)
        if progress is not None:
            progress(done, source.num_pictures)
    return problems, used


def _decode(
    items: Iterable[SourcePicture | Problem], resolutions: tuple[int, ...]
) -> Iterator[_Decoded | Problem]:
    """Decode in threads (Pillow releases the GIL), a bounded number ahead, and yield in order."""
    num_threads = min(os.cpu_count() or 1, 16)
    waiting: deque[Future[_Decoded | Problem]] = deque()
    with ThreadPoolExecutor(num_threads, thread_name_prefix="decode") as threads:
        for item in items:
            waiting.append(threads.submit(_decode_one, item, resolutions))
            if len(waiting) == 4 * num_threads:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()


def _decode_one(item: SourcePicture | Problem, resolutions: tuple[int, ...]) -> _Decoded | Problem:
    if isinstance(item, Problem):
        return item
    try:
        with item.open() as picture:
            return item, to_squares(picture, resolutions, item.crop)
    except DataError as error:
        return Problem(item.where, str(error))


class _Splits:
    """Names each picture's split, the same one for pictures that are equal pixel for pixel."""

    def __init__(self) -> None:
        self._of_pixels: dict[bytes, str] = {}

    def of(self, picture: SourcePicture, pixels: NDArray[np.uint8]) -> str:
        split = picture.split or split_of(picture.file_name)
        first = self._of_pixels.setdefault(hashlib.sha1(pixels.tobytes()).digest(), split)
        return picture.split or first


def _check_resolutions(resolutions: tuple[int, ...]) -> tuple[int, ...]:
    for resolution in resolutions:
        if not MIN_SIDE <= resolution <= MAX_RESOLUTION:
            raise DataError(f"resolution {resolution} is not between {MIN_SIDE} and {MAX_RESOLUTION} pixels")
    if not resolutions:
        raise DataError("no resolution: give at least one, such as 64,128")
    return tuple(sorted(set(resolutions)))


def _summary(problems: list[Problem]) -> str:
    others = len(problems) - 1
    at_least = "at least " if len(problems) >= MAX_PROBLEMS else ""
    more = f"and {at_least}{others} more: " if others else ""
    return f"{problems[0]} ({more}run with --skip-bad to leave such pictures out)"
