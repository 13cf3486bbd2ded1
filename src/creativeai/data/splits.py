"""Which pictures are trained on, which the best checkpoint is chosen by, and which are only reported on.

A picture's place follows from its file name alone, so it stays where it is whatever is added or left out.
Pictures that are near-duplicates of each other stand in one split.
"""

import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from creativeai.data.captioned_images import SPLITS
from creativeai.errors import DataError

__all__ = ["MIN_CLASSES", "Assigned", "assign_splits", "split_of"]

MIN_CLASSES = 10
"""Fewer can't be parted into three splits of disjoint classes."""
_BY_HASH = "by a hash of the file name, a twentieth validation and two test"
_BY_CLASS = "disjoint classes by a hash of the label, a twentieth validation and two test"


@dataclass(frozen=True, slots=True)
class Assigned:
    """Every picture's split, and how it came to it."""

    splits: tuple[str, ...]
    rule: str
    """Who or what decided, in words."""
    num_moved: int
    """Pictures that are not where the rule alone would have them, because of near-duplicates."""
    num_apart: int
    """Pictures whose near-duplicates stand in another split, since their source publishes the splits."""


def split_of(name: str) -> str:
    """The split of a file name or label by its hash: of 20 one is validation, two are test."""
    rest = int(hashlib.sha1(name.encode(errors="surrogatepass")).hexdigest()[:8], 16) % 20
    return "validation" if rest == 0 else "test" if rest in (1, 2) else "train"


def assign_splits(
    file_names: Sequence[str],
    published: Sequence[str | None],
    labels: Sequence[str | None],
    groups: Sequence[Sequence[int]],
    *,
    by_class: bool = False,
) -> Assigned:
    """Name every picture's split.

    A split that the source publishes stands. Where it publishes no test or no validation pictures, those that
    the hash says are taken out of its training pictures.

    Args:
        file_names: Of all pictures.
        published: Each one's split as the source has it, None where it has none.
        labels: Each one's class, None where it has none.
        groups: Positions of pictures that are near-duplicates of each other.
        by_class: Make the splits of disjoint classes, whatever the source publishes.

    Raises:
        DataError: `by_class`, and pictures have no label or there are too few classes.
    """
    if by_class:
        return _by_class(labels, groups)
    given = {split for split in published if split is not None}
    # Only what the source does not hold out itself may be taken out of its training pictures.
    free = set(SPLITS) - given | {"train"}
    own = [
        by_hash if split is None or (split == "train" and by_hash in free) else split
        for split, by_hash in zip(published, map(split_of, file_names), strict=True)
    ]
    locked = [split is not None and split != "train" for split in published]
    splits = list(own)
    num_apart = 0
    for group in groups:
        together = _one_of([own[i] for i in sorted(group)])
        for i in group:
            splits[i] = own[i] if locked[i] else together
        num_apart += sum(splits[i] != together for i in group)
    num_moved = sum(before != after for before, after in zip(own, splits, strict=True))
    return Assigned(tuple(splits), _rule(given, None in published, own, published), num_moved, num_apart)


def _one_of(splits: Sequence[str]) -> str:
    """Where a group of near-duplicates goes: what is like a training picture becomes one itself."""
    return "train" if "train" in splits else splits[0]


def _rule(given: set[str], has_others: bool, own: Sequence[str], published: Sequence[str | None]) -> str:
    if not given:
        return _BY_HASH
    taken = Counter(split for split, before in zip(own, published, strict=True) if before == "train" != split)
    parts = ["as the source publishes them"]
    if taken:
        names = " and ".join(split for split in SPLITS if taken[split])
        parts.append(f"{names} taken out of its training pictures by a hash of the file name")
    if has_others:
        parts.append(f"pictures it names no split for {_BY_HASH}")
    return "; ".join(parts)


def _by_class(labels: Sequence[str | None], groups: Sequence[Sequence[int]]) -> Assigned:
    classes = {label for label in labels if label is not None}
    num_without = sum(label is None for label in labels)
    if num_without:
        raise DataError(
            f"{num_without:,} of {len(labels):,} pictures have no label, which --split classes needs: "
            "use --split pictures"
        )
    if len(classes) < MIN_CLASSES:
        raise DataError(
            f"--split classes needs {MIN_CLASSES} classes or more, there are {len(classes)}: "
            "use --split pictures"
        )
    ranked = sorted(classes, key=lambda label: hashlib.sha1(label.encode(errors="surrogatepass")).digest())
    num_validation, num_test = -(-len(ranked) // 20), -(-len(ranked) // 10)
    own = dict.fromkeys(ranked, "train")
    own |= dict.fromkeys(ranked[:num_validation], "validation")
    own |= dict.fromkeys(ranked[num_validation : num_validation + num_test], "test")
    # Classes that share a near-duplicate stay together, else a side would hold a picture of another's class.
    first_of = {label: label for label in classes}

    def root(label: str) -> str:
        while first_of[label] != label:
            label = first_of[label]
        return label

    for group in groups:
        roots = {root(str(labels[i])) for i in group}
        for label in roots:
            first_of[label] = min(roots)
    together: dict[str, list[str]] = {}
    for label in ranked:
        together.setdefault(root(label), []).append(own[label])
    after = {label: _one_of(together[root(label)]) for label in classes}
    splits = tuple(after[str(label)] for label in labels)
    if missing := set(SPLITS) - set(splits):
        raise DataError(
            f"--split classes leaves no class for {' and '.join(sorted(missing))}: too many of the "
            f"{len(classes)} classes share pictures; use --split pictures"
        )
    num_moved = sum(own[str(label)] != split for label, split in zip(labels, splits, strict=True))
    return Assigned(splits, _BY_CLASS, num_moved, 0)
