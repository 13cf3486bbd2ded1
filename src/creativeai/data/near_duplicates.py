"""Pictures that are copies of each other: mirrored, cropped a little, or encoded again.

Two steps, both on squares of 64 px. A descriptor of 8 x 8 colours finds the few pictures that may be alike,
by one matrix product over all pairs and one with the mirrored ones. Then the details of each such pair are
compared: one of them is cropped in many small ways, the finer details of both are correlated, and the best
correlation decides.
"""

from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

__all__ = ["SIDE", "describe", "find_groups"]

SIDE = 64
"""Side length in pixels of the squares that are compared."""
MIN_CORRELATION = 0.8
"""Of two pictures' details, over their best alignment; copies cropped by a twentieth have 0.9 or more."""
_CELLS = 8
_MIN_SIMILARITY = 0.8
"""Of two descriptors, as a cosine; copies cropped by a twentieth have 0.8 to 1."""
_MIN_CONTRAST = 1.0
"""In levels; plainer pictures have no descriptor."""
_MAX_CANDIDATES = 12
"""Most pictures that one is compared with in detail, the most similar ones."""
_MIN_ROUGH = 0.45
"""Correlation at a few alignments below which the others are not tried."""
_DETAIL_SIDE = 32
_BLUR_REACH = 3
"""Pixels to each side over which details are taken off their surroundings."""
_SCALES = (0.975, 0.95, 0.925, 0.9)
_ROWS = 1024
_PAIRS = 256

Floats = NDArray[Any]
OnProgress = Callable[[int, int], None]
"""Called with the number of pictures compared and the number in all."""


def describe(square: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The few colours of a square by which copies of it are looked for.

    Args:
        square: uint8 [64, 64, 3].

    Returns:
        uint8 [8, 8, 3].
    """
    return np.asarray(Image.fromarray(square).reduce(SIDE // _CELLS))


def find_groups(
    descriptors: NDArray[np.uint8],
    squares: NDArray[np.uint8],
    equal: Sequence[Sequence[int]] = (),
    on_progress: OnProgress | None = None,
) -> list[list[int]]:
    """Groups of pictures that are near-duplicates of each other.

    Args:
        descriptors: uint8 [N, 8, 8, 3] by `describe`.
        squares: uint8 [N, 64, 64, 3]; may be a memory map, of which little is read.
        equal: Groups of pictures that are known to be equal; plain ones can't be compared.
        on_progress: Told how far it is.

    Returns:
        Ascending positions of each group of two or more, in the order of their first pictures.
    """
    first_of = np.arange(len(descriptors))

    def root(index: int) -> int:
        while first_of[index] != index:
            first_of[index] = first_of[first_of[index]]
            index = int(first_of[index])
        return index

    def join(one: int, other: int) -> None:
        low, high = sorted((root(one), root(other)))
        first_of[high] = low

    for group in equal:
        for index in group[1:]:
            join(group[0], index)
    for done, pairs, mirrored in _candidates(descriptors):
        news = np.array([root(int(one)) != root(int(other)) for one, other in pairs], dtype=bool)
        pairs, mirrored = pairs[news], mirrored[news]
        for start in range(0, len(pairs), _PAIRS):
            some = pairs[start : start + _PAIRS]
            correlations = _correlate(squares, some, mirrored[start : start + _PAIRS])
            for one, other in some[correlations >= MIN_CORRELATION]:
                join(int(one), int(other))
        if on_progress is not None:
            on_progress(done, len(descriptors))
    groups: dict[int, list[int]] = {}
    for index in range(len(descriptors)):
        groups.setdefault(root(index), []).append(index)
    return [group for group in groups.values() if len(group) > 1]


def _candidates(
    descriptors: NDArray[np.uint8],
) -> Iterator[tuple[int, NDArray[np.intp], NDArray[np.bool_]]]:
    """Pairs [P, 2] of similar pictures, and whether the first of them is mirrored, block by block."""
    plain, mirror = _unit(descriptors), _unit(descriptors[:, :, ::-1])
    for start in range(0, len(plain), _ROWS):
        rows = slice(start, start + _ROWS)
        same, turned = plain[rows] @ plain[start:].T, mirror[rows] @ plain[start:].T
        similarity = np.maximum(same, turned)
        # Each pair once: only what comes after a picture.
        similarity[np.tril_indices(len(similarity), 0, similarity.shape[1])] = -1
        crowded = np.flatnonzero((similarity > _MIN_SIMILARITY).sum(axis=1) > _MAX_CANDIDATES)
        for row in crowded:
            most = np.partition(similarity[row], -_MAX_CANDIDATES)[-_MAX_CANDIDATES]
            similarity[row, similarity[row] < most] = -1
        one, other = np.nonzero(similarity > _MIN_SIMILARITY)
        mirrored = turned[one, other] > same[one, other]
        yield min(start + _ROWS, len(plain)), np.stack([one, other], axis=1) + start, mirrored


def _unit(descriptors: NDArray[np.uint8]) -> Floats:
    """Descriptors as unit vectors [N, 192] of brightness and two colour differences; plain pictures are 0."""
    colours = descriptors.astype(np.float32)
    brightness = colours.mean(axis=-1, keepdims=True)
    parts = np.concatenate([brightness, (colours - brightness)[..., :2]], axis=-1)
    parts -= parts.mean(axis=(1, 2), keepdims=True)
    flat = parts.reshape(len(parts), -1)
    lengths = np.linalg.norm(flat, axis=1, keepdims=True)
    return np.where(lengths > _MIN_CONTRAST * _CELLS, flat / np.maximum(lengths, 1e-6), 0).astype(np.float32)


def _correlate(squares: NDArray[np.uint8], pairs: NDArray[np.intp], mirrored: NDArray[np.bool_]) -> Floats:
    """Correlation of details [P] of each pair, over the best of many alignments."""
    ones, others = (_brightness(squares, pairs[:, column]) for column in (0, 1))
    ones[mirrored] = ones[mirrored][:, :, ::-1]
    best = _best(ones, others, _windows(rough=True))
    promising = np.flatnonzero((best > _MIN_ROUGH) & (best < MIN_CORRELATION))
    if len(promising):
        fine = _best(ones[promising], others[promising], _windows(rough=False))
        best[promising] = np.maximum(best[promising], fine)
    return best


def _brightness(squares: NDArray[np.uint8], places: NDArray[np.intp]) -> Floats:
    """Brightness float32 [P, 64, 64] of the squares at these places."""
    order = np.unique(places)
    weights = np.array([0.299, 0.587, 0.114], np.float32)
    brightness: Floats = squares[order].astype(np.float32) @ weights
    return brightness[np.searchsorted(order, places)]


def _best(ones: Floats, others: Floats, windows: tuple[tuple[float, float, float], ...]) -> Floats:
    """The highest correlation [P] of a window of one picture with the whole of the other, either way."""
    whole = _window(0.0, 1.0)
    one_whole, other_whole = _details(whole @ ones @ whole.T), _details(whole @ others @ whole.T)
    best: Floats = (one_whole * other_whole).sum(axis=1)
    for scale, top, left in windows:
        rows, columns = _window(top, scale), _window(left, scale).T
        np.maximum(best, (_details(rows @ ones @ columns) * other_whole).sum(axis=1), out=best)
        np.maximum(best, (_details(rows @ others @ columns) * one_whole).sum(axis=1), out=best)
    return best


@lru_cache
def _windows(*, rough: bool) -> tuple[tuple[float, float, float], ...]:
    """Scale, top and left of the windows tried, in parts of the picture: pixel by pixel, or corners alone."""
    if rough:
        places = [(0.025, 0.025), (0.0, 0.0), (0.0, 0.05), (0.05, 0.0), (0.05, 0.05)]
        return tuple((0.95, top, left) for top, left in places)
    windows = []
    for scale in _SCALES:
        steps = np.linspace(0, 1 - scale, round(SIDE * (1 - scale)) + 1)
        windows += [(scale, float(top), float(left)) for top in steps for left in steps]
    return tuple(windows)


@lru_cache(maxsize=256)
def _window(start: float, scale: float) -> Floats:
    """A matrix [32, 64] that averages a part of 64 pixels into 32, by what each new one covers of the old."""
    edges = SIDE * (start + scale * np.arange(_DETAIL_SIDE + 1) / _DETAIL_SIDE)
    pixels = np.arange(SIDE)
    covered = np.minimum(edges[1:, None], pixels + 1) - np.maximum(edges[:-1, None], pixels)
    weights = np.maximum(covered, 0)
    return (weights / weights.sum(axis=1, keepdims=True)).astype(np.float32)


@lru_cache
def _blur() -> Floats:
    """A matrix [32, 32] that averages each pixel with those near it."""
    places = np.arange(_DETAIL_SIDE)
    near = np.abs(places[:, None] - places) <= _BLUR_REACH
    return (near / near.sum(axis=1, keepdims=True)).astype(np.float32)


def _details(small: Floats) -> Floats:
    """What stands out of its surroundings, as unit vectors [P, 1024]; 0 where nothing does."""
    fine: Floats = (small - _blur() @ small @ _blur().T).reshape(len(small), -1)
    fine -= fine.mean(axis=1, keepdims=True)
    lengths = np.linalg.norm(fine, axis=1, keepdims=True)
    return fine / np.maximum(lengths, 1e-3)
