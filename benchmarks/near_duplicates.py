"""Near-duplicates that are found of those planted in a prepared dataset, and false alarms.

    python benchmarks/near_duplicates.py DATASET [--num 2000] [--other DATASET] [--sheet FILE.png]

Copies of some pictures are planted: mirrored, cropped by 5% at a random place, encoded again as JPEG at
quality 40, and all combinations of these. A planted copy is found if it stands in its original's group.
It raises a false alarm if it stands with a picture that its original does not stand with before, and so
does a picture of `--other`, a dataset of other things, that stands with one of the dataset. What else is
found are the dataset's own near-duplicates, which `--sheet` shows side by side, for people to judge;
those of two labels are counted.
"""

import argparse
import io
import time
from collections import Counter
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from creativeai.data import CaptionedImages
from creativeai.data.near_duplicates import SIDE, describe, find_groups
from measuring import report

KINDS = ("m", "c", "q", "mc", "mq", "cq", "mcq")
"""Mirrored, cropped, of low quality, and their combinations."""
PARTS = {"m": "mirrored", "c": "cropped", "q": "encoded again"}
SHEET_PAIRS = 96


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("dataset", help="prepared with 64 px and a larger resolution")
    parser.add_argument("--num", type=int, default=2000, help="copies planted")
    parser.add_argument("--other", help="a dataset of other things")
    parser.add_argument("--sheet", type=Path, help="where to draw the dataset's own near-duplicates")
    arguments = parser.parse_args()

    dataset = CaptionedImages.open(arguments.dataset)
    squares = np.asarray(dataset.images(SIDE))
    strangers = (
        np.asarray(CaptionedImages.open(arguments.other).images(SIDE)) if arguments.other else squares[:0]
    )
    own, seconds = _groups(np.concatenate([squares, strangers]))
    num_strange = sum(i >= len(squares) for group in own for i in group if min(group) < len(squares))
    labels = [record.label for record in dataset.records]
    mixed = [g for g in own if max(g) < len(squares) and len({labels[i] for i in g}) > 1]
    if arguments.sheet:
        _draw(dataset, [group for group in own if max(group) < len(squares)], arguments.sheet)

    random = np.random.default_rng(0)
    originals = random.choice(len(dataset), min(arguments.num, len(dataset)), replace=False)
    large = dataset.images(max(dataset.meta.resolutions))
    kinds = [KINDS[i % len(KINDS)] for i in range(len(originals))]
    copies = [_copy(large[i], kind, random) for i, kind in zip(originals, kinds, strict=True)]
    found, _ = _groups(np.concatenate([squares, np.stack(copies)]))
    group_of = {i: set(group) for group in found for i in group}
    before = {i: set(group) for group in own for i in group}
    hits: Counter[str] = Counter()
    num_false = 0
    for place, (original, kind) in enumerate(zip(originals, kinds, strict=True)):
        group = group_of.get(len(squares) + place, set())
        hits[kind] += int(original) in group
        others = {i for i in group if i < len(squares)}
        num_false += bool(others - before.get(int(original), set()) - {int(original)})
    share = sum(hits.values()) / len(originals)
    false_share = (num_false + num_strange) / (len(originals) + len(strangers))
    by_kind = {"+".join(PARTS[p] for p in kind): round(hits[kind] / kinds.count(kind), 4) for kind in KINDS}
    num_pictures = sum(len(group) for group in own if max(group) < len(squares))
    report(
        "near_duplicates",
        f"found {100 * share:.2f}% of {len(originals):,} planted copies; false alarms "
        f"{100 * false_share:.3f}% ({num_false} of the copies, {num_strange} of {len(strangers):,} "
        f"strangers); the dataset's own: {num_pictures:,} of {len(dataset):,} pictures, {len(mixed)} groups "
        f"of two labels; "
        f"{seconds:.1f} s for {len(squares) + len(strangers):,} pictures",
        num_planted=len(originals),
        share_found=round(share, 4),
        found_by_kind=by_kind,
        share_false=round(false_share, 5),
        own_near_duplicates=num_pictures,
        groups_of_two_labels=len(mixed),
        seconds=round(seconds, 1),
    )


def _groups(squares: NDArray[np.uint8]) -> tuple[list[list[int]], float]:
    """Groups of near-duplicates, and the seconds it took to find them."""
    start = time.perf_counter()
    descriptors = np.stack([describe(square) for square in squares])
    return find_groups(descriptors, squares), time.perf_counter() - start


def _copy(pixels: NDArray[np.uint8], kind: str, random: np.random.Generator) -> NDArray[np.uint8]:
    """A copy uint8 [64, 64, 3] of a picture, changed as its kind says."""
    picture = Image.fromarray(np.ascontiguousarray(pixels))
    if "m" in kind:
        picture = picture.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    if "c" in kind:
        side = round(0.95 * picture.width)
        left, top = (int(random.integers(0, picture.width - side + 1)) for _ in range(2))
        picture = picture.crop((left, top, left + side, top + side))
    if "q" in kind:
        file = io.BytesIO()
        picture.save(file, "JPEG", quality=40)
        picture = Image.open(io.BytesIO(file.getvalue()))
    return np.asarray(picture.resize((SIDE, SIDE), Image.Resampling.LANCZOS))


def _draw(dataset: CaptionedImages, groups: list[list[int]], file: Path) -> None:
    """The first two pictures of groups spread over the dataset, side by side."""
    places = np.linspace(0, len(groups) - 1, min(SHEET_PAIRS, len(groups))).astype(int)
    chosen = [groups[i] for i in places]
    images = dataset.images(SIDE)
    sheet = Image.new("RGB", (8 * (2 * SIDE + 8), -(-len(chosen) // 8) * (SIDE + 8)))
    for place, group in enumerate(chosen):
        left, top = place % 8 * (2 * SIDE + 8), place // 8 * (SIDE + 8)
        for column, index in enumerate(group[:2]):
            sheet.paste(Image.fromarray(np.asarray(images[index])), (left + column * SIDE, top))
    sheet.save(file)


if __name__ == "__main__":
    main()
