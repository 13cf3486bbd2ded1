"""R-precision: is a picture's own caption found among others?"""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

__all__ = ["retrieval_accuracy"]

Array = NDArray[np.floating]

_ROWS_AT_ONCE = 512


def retrieval_accuracy(
    image_codes: Array,
    text_codes: Array,
    owners: NDArray[np.integer],
    captions: Sequence[str] | NDArray[np.integer],
    num_candidates: int = 100,
) -> NDArray[np.float64]:
    """How often, 0 to 1, each picture's own caption scores highest among drawn ones of other pictures, [N].

    The mean is the R-precision of Xu et al. 2018 (AttnGAN, arXiv:1711.10485), there among 100. Nothing is
    drawn: the rate over all draws is exact, so that two measurements give the same. If n others may be
    drawn, b of which score no less than the right one, it is C(n - b, c - 1) / C(n, c - 1) for c
    candidates.

    What is no other caption never stands against the right one: the same photo's further captions, and those
    of other photos in the very same words. A different caption that scores the same wins against it.

    Args:
        image_codes: [N, K] codes of the pictures; their products with the captions' are the scores.
        text_codes: [N, K] codes of their captions, row by row.
        owners: [N] which photo each caption describes.
        captions: [N] the captions, or numbers that are equal where the captions are.
        num_candidates: Captions to choose from, the right one among them; all of them where there are fewer.

    Raises:
        ValueError: The numbers of rows are unlike, or there are fewer than two candidates.
    """
    num = len(image_codes)
    if not num == len(text_codes) == len(owners) == len(captions):
        raise ValueError("retrieval_accuracy needs as many captions, owners and codes as pictures")
    if num_candidates < 2:
        raise ValueError("retrieval_accuracy needs at least two candidates")
    words = np.unique(np.asarray(captions), return_inverse=True)[1].reshape(-1)
    image_codes, text_codes = image_codes.astype(np.float64), text_codes.astype(np.float64)
    rates = np.empty(num)
    for start in range(0, num, _ROWS_AT_ONCE):
        rows = np.arange(start, min(start + _ROWS_AT_ONCE, num))
        scores = image_codes[rows] @ text_codes.T
        right = scores[np.arange(len(rows)), rows][:, None]
        may_be_drawn = (owners != owners[rows, None]) & (words != words[rows, None])
        num_others = may_be_drawn.sum(1)
        num_better = (may_be_drawn & (scores >= right)).sum(1)
        rates[rows] = [
            _share_without(int(others), int(better), num_candidates - 1)
            for others, better in zip(num_others, num_better, strict=True)
        ]
    return rates


def _share_without(others: int, better: int, drawn: int) -> float:
    """Share of all ways to draw so many of the others that hold none of the better ones."""
    drawn = min(drawn, others)
    return math.comb(others - better, drawn) / math.comb(others, drawn)
