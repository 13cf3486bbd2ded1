"""From any source to a prepared dataset: decoded on all cores, written as a stream, renamed when whole."""

import hashlib
import os
import warnings
from collections import Counter, defaultdict, deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from creativeai.data.captioned_images import DatasetInfo, NearDuplicates
from creativeai.data.near_duplicates import SIDE, describe, find_groups
from creativeai.data.near_duplicates_told import GROUPS_NAME, near_duplicate_notes, write_groups
from creativeai.data.pictures import MIN_SIDE, square_side, to_squares
from creativeai.data.sources import open_source
from creativeai.data.sources.base import Problem, Source, SourcePicture
from creativeai.data.splits import assign_splits
from creativeai.data.writing import DatasetWriter, Written, new_folder
from creativeai.errors import DataError

MAX_PROBLEMS = 20
"""Looking for more bad pictures stops here: the user has to mend the folder anyway."""
MAX_RESOLUTION = 1024
DEFAULT_RESOLUTIONS = (32, 64, 128, 256)
"""What the presets ask for, 32 for `debug`, which adds a hundredth to time and disk."""

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
    """What the source has counted and checked, and what became of its pictures."""

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
    resolutions: tuple[int, ...] = DEFAULT_RESOLUTIONS,
    num_pictures: int | None = None,
    seed: int = 0,
    skip_bad: bool = False,
    by_class: bool = False,
    progress: Progress | None = None,
    search_progress: Progress | None = None,
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
        by_class: Make splits of disjoint classes, whatever the source publishes.
        progress: Told how far the work is.
        search_progress: Told afterwards how far the search for near-duplicates is.

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
        told = _write_pictures(opened, writer, resolutions, None if skip_bad else MAX_PROBLEMS, progress)
        problems = told.problems
        if problems and not skip_bad:
            raise DataError(_summary(problems))
        if not writer.num_pictures:
            raise DataError(
                f"no picture can be used: {problems[0]}" if problems else f"{opened.origin}: no pictures"
            )
        squares = writer.thumbnails() if opened.may_have_copies else None
        groups = told.groups(squares, search_progress)
        assigned = assign_splits(told.file_names, told.published, told.labels, groups, by_class=by_class)
        duplicates = NearDuplicates(
            sum(map(len, groups)), len(groups), assigned.num_moved, assigned.num_apart
        )
        left_out = Counter(problem.message for problem in problems)
        written = Written(assigned.rule, duplicates, dict(left_out.most_common()), told.enlarged())
        write_groups(folder / GROUPS_NAME, groups, told.file_names, assigned.splits)
        info = writer.finish(opened, assigned.splits, written)
    used = Counter(zip(assigned.splits, told.labels, strict=True))
    as_published = Counter(
        (split or "", label) for split, label in zip(told.published, told.labels, strict=True)
    )
    notes = (*opened.notes_on(used, as_published), f"split: {assigned.rule}", *told.notes(groups, info))
    return Prepared(out, info, tuple(problems), notes)


def parse_resolutions(text: str) -> tuple[int, ...]:
    """Side lengths from text such as `64,128`.

    Raises:
        DataError: not whole numbers with commas between them.
    """
    try:
        return tuple(int(part) for part in text.split(","))
    except ValueError:
        raise DataError(f"resolutions '{text}' are not whole numbers with commas: write 64,128") from None


def split_by_class(text: str) -> bool:
    """Whether `--split` asks for disjoint classes.

    Raises:
        DataError: neither `pictures` nor `classes`.
    """
    if text not in ("pictures", "classes"):
        raise DataError(f"unknown split '{text}': use pictures or classes")
    return text == "classes"


@dataclass(slots=True)
class _Told:
    """What is remembered of the pictures while they go to the disk, in their order there."""

    resolutions: tuple[int, ...]
    problems: list[Problem] = field(default_factory=list)
    file_names: list[str] = field(default_factory=list)
    published: list[str | None] = field(default_factory=list)
    labels: list[str | None] = field(default_factory=list)
    sides: list[int] = field(default_factory=list)
    """Pixels a side of the square that was taken of each picture."""
    descriptors: list[NDArray[np.uint8]] = field(default_factory=list)
    of_pixels: dict[bytes, list[int]] = field(default_factory=lambda: defaultdict(list))

    def add(self, decoded: "_Decoded") -> None:
        self.descriptors.append(decoded.descriptor)
        self.of_pixels[decoded.pixels_digest].append(len(self.file_names))
        self.file_names.append(decoded.picture.file_name)
        self.published.append(decoded.picture.split)
        self.labels.append(decoded.picture.label)
        self.sides.append(decoded.side)

    def groups(self, squares: NDArray[np.uint8] | None, on_progress: Progress | None) -> list[list[int]]:
        """Positions of pictures that are equal, and of near-duplicates if there are `squares` to compare."""
        equal = [group for group in self.of_pixels.values() if len(group) > 1]
        if squares is None:
            return equal
        return find_groups(np.stack(self.descriptors), squares, equal, on_progress)

    def enlarged(self) -> dict[str, int]:
        """Number of pictures smaller than a resolution, by the resolution."""
        counts = {str(res): sum(side < res for side in self.sides) for res in self.resolutions}
        return {res: num for res, num in counts.items() if num}

    def notes(self, groups: list[list[int]], info: DatasetInfo) -> list[str]:
        """Lines about near-duplicates and pictures that had to be enlarged, if there are any."""
        notes = near_duplicate_notes(info, [[self.file_names[i] for i in group] for group in groups[:1]])
        enlarged = info.enlarged
        if enlarged:
            parts = [f"{num:,} to {resolution} px" for resolution, num in enlarged.items()]
            smallest = min(range(len(self.sides)), key=self.sides.__getitem__)
            notes.append(
                f"enlarged: {', '.join(parts)}, since they have fewer pixels a side "
                f"(the smallest {self.sides[smallest]}: {self.file_names[smallest]})"
            )
        return notes


@dataclass(frozen=True, slots=True)
class _Decoded:
    picture: SourcePicture
    squares: dict[int, NDArray[np.uint8]]
    """Pixels [R, R, 3] by R: at all resolutions, and at that at which near-duplicates are looked for."""
    descriptor: NDArray[np.uint8]
    pixels_digest: bytes
    side: int


def _write_pictures(
    source: Source,
    writer: DatasetWriter,
    resolutions: tuple[int, ...],
    max_problems: int | None,
    progress: Progress | None,
) -> _Told:
    """Write all good pictures in order, ending early at `max_problems`."""
    told = _Told(resolutions)
    for done, item in enumerate(_decode(source.pictures, resolutions), start=1):
        if isinstance(item, Problem):
            told.problems.append(item)
            if len(told.problems) == max_problems:
                break
        else:
            writer.add(item.picture, item.squares)
            told.add(item)
        if progress is not None:
            progress(done, source.num_pictures)
    return told


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
    made = tuple(sorted({*resolutions, SIDE}))
    try:
        with item.open() as picture:
            side = square_side(picture, item.crop)
            squares = dict(zip(made, to_squares(picture, made, item.crop), strict=True))
    except DataError as error:
        return Problem(item.where, str(error))
    pixels_digest = hashlib.sha1(squares[SIDE].tobytes()).digest()
    return _Decoded(item, squares, describe(squares[SIDE]), pixels_digest, side)


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
