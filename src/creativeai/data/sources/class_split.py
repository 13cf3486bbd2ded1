"""Splits by class, as the zero-shot papers have them: no class in both parts, numbers as published."""

from collections import Counter
from dataclasses import dataclass

from creativeai.data.captioned_images import SPLITS
from creativeai.data.sources.base import Problem, SourcePicture
from creativeai.errors import DataError


@dataclass(frozen=True, slots=True)
class Published:
    """Numbers of a data set as its papers state them, for each split."""

    num_pictures: dict[str, int]
    num_classes: dict[str, int]


def check_disjoint(train: set[str], test: set[str], where: str) -> None:
    """Refuse lists that have a class in both parts.

    Raises:
        DataError: which class.
    """
    if both := sorted(train & test):
        raise DataError(
            f"{where}: class {both[0]!a} is in both splits ({len(both)} such): fetch the lists again"
        )


def count_notes(items: list[SourcePicture | Problem], published: Published | None) -> list[str]:
    """What was counted, and each number that differs from the published one.

    Raises:
        DataError: a class is in both splits, where the split goes by class (`published` has classes).
    """
    pictures = [item for item in items if isinstance(item, SourcePicture)]
    num_pictures = Counter(picture.split for picture in pictures)
    classes = {
        split: {picture.label for picture in pictures if picture.split == split and picture.label is not None}
        for split in SPLITS
    }
    has_classes = published is not None and bool(published.num_classes)
    parts = [
        f"{split} {num_pictures[split]:,} pictures"
        + (f" of {len(classes[split])} classes" if has_classes else "")
        for split in SPLITS
        if num_pictures[split]
    ]
    if num_pictures[None]:
        parts.append(f"{num_pictures[None]:,} pictures without a split")
    notes = [f"listed: {', '.join(parts) or 'no pictures'}"]
    if published is None or not any(num_pictures[split] for split in SPLITS):
        return notes
    if has_classes:
        check_disjoint({str(c) for c in classes["train"]}, {str(c) for c in classes["test"]}, "the lists")
        notes.append("checked: no class is in both splits")
    for split in SPLITS:
        notes += _difference(f"{split} pictures", num_pictures[split], published.num_pictures.get(split))
        notes += _difference(f"{split} classes", len(classes[split]), published.num_classes.get(split))
    return notes


def _difference(what: str, found: int, expected: int | None) -> list[str]:
    if expected is None or found == expected:
        return []
    return [f"differs: {found:,} {what}, but {expected:,} are published"]
