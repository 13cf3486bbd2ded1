"""Distances between many feature vectors, a block at a time: all at once would not fit into memory."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

__all__ = ["distance_blocks"]

Array = NDArray[np.floating]

_ROWS_AT_ONCE = 512


def distance_blocks(a: Array, b: Array) -> Iterator[tuple[slice, Array]]:
    """Squared Euclidean distances between vectors [N, D] and [M, D].

    Yields:
        Which rows of `a`, and their distances to all of `b`: float64 [n, M].
    """
    b = b.astype(np.float64)
    squares = np.square(b).sum(1)
    for start in range(0, len(a), _ROWS_AT_ONCE):
        rows = slice(start, min(start + _ROWS_AT_ONCE, len(a)))
        block = a[rows].astype(np.float64)
        distances = block @ b.T
        distances *= -2
        distances += np.square(block).sum(1)[:, None]
        distances += squares
        yield rows, np.maximum(distances, 0, out=distances)
