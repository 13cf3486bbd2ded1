"""Splits by class, as the zero-shot papers have them: no class in both parts, numbers as published."""

from collections import Counter, defaultdict
from dataclasses import dataclass
from itertools import combinations

from creativeai.data.captioned_images import SPLITS
from creativeai.data.sources.base import Problem, SourcePicture, Used
from creativeai.errors import DataError


@dataclass(frozen=True, slots=True)
class Published:
    """Numbers of a data set as its papers state them."""

    num_pictures: dict[str, int]
    """For each split; empty where none is published."""
    num_classes: dict[str, int]
    """For each split, where it goes by class: no class is in two of them then."""
    num_in_all: int | None = None
    """Pictures of a set that is published without a split."""


def check_disjoint(train: set[str], test: set[str], where: str) -> None:
    """Refuse lists that have a class in both parts.

    Raises:
        DataError: which class.
    """
    if both := sorted(train & test):
        raise DataError(
            f"{where}: class {both[0]!a} is in both splits ({len(both)} such): fetch the lists again"
        )


def check_classes(items: list[SourcePicture | Problem], published: Published | None) -> list[str]:
    """A line that says that no class is in two splits, where the published split goes by class.

    Raises:
        DataError: one is.
    """
    if published is None or not published.num_classes:
        return []
    classes: dict[str | None, set[str]] = defaultdict(set)
    for item in items:
        if isinstance(item, SourcePicture) and item.label is not None:
            classes[item.split].add(item.label)
    for first, second in combinations(classes.values(), 2):
        check_disjoint(first, second, "the lists")
    return ["checked: no class is in both splits"]


def count_notes(
    used: Used, as_published: Used, published: Published | None, num_chosen_of: int | None
) -> list[str]:
    """What was found, and each number that differs from the published one.

    Args:
        used: The pictures that were used, by the split that they are in.
        as_published: The same by the published split, of which a part may have become the validation split.
        published: What the papers state; None if they don't.
        num_chosen_of: Of how many pictures some were chosen, None where all were wanted. Who wants some of
            them isn't told that they are fewer than published.
    """
    has_classes = published is not None and bool(published.num_classes)
    pictures, classes = _by_split(used)
    parts = [
        f"{split} {pictures[split]:,} pictures"
        + (f" of {len(classes[split])} classes" if has_classes else "")
        for split in sorted(pictures, key=_place)
        if pictures[split]
    ]
    chosen = "" if num_chosen_of is None else f" (chosen of {num_chosen_of:,})"
    notes = [f"found: {', '.join(parts) or 'no pictures'}{chosen}"]
    if published is None or num_chosen_of is not None:
        return notes
    pictures, classes = _by_split(as_published)
    for split in sorted(published.num_pictures, key=_place):
        notes += _difference(f"{split} pictures", pictures[split], published.num_pictures[split])
        notes += _difference(f"{split} classes", len(classes[split]), published.num_classes.get(split))
    return notes + _difference("pictures", pictures.total(), published.num_in_all)


def _by_split(counts: Used) -> tuple[Counter[str], dict[str, set[str]]]:
    """Number of pictures and the classes of each split."""
    num_pictures: Counter[str] = Counter()
    classes: dict[str, set[str]] = defaultdict(set)
    for (split, label), num in counts.items():
        num_pictures[split] += num
        if label is not None:
            classes[split].add(label)
    return num_pictures, classes


def _place(split: str) -> tuple[int, str]:
    """Training first, then in the usual order."""
    return (SPLITS.index(split) if split in SPLITS else len(SPLITS)), split


def _difference(what: str, found: int, expected: int | None) -> list[str]:
    if expected is None or found == expected:
        return []
    return [f"differs: {found:,} {what}, but {expected:,} are published"]
