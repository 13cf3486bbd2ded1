"""The kernel distance (KID) of two sets of feature vectors, with its error."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

__all__ = ["KernelDistance", "kernel_distance", "squared_mmd"]

Array = NDArray[np.floating]


class KernelDistance(NamedTuple):
    """KID times 1,000, and its standard error in the same unit."""

    value: float
    standard_error: float


def kernel_distance(
    a: Array, b: Array, seed: int, num_subsets: int = 100, subset_size: int = 1000
) -> KernelDistance:
    """Kernel distance of feature vectors [N, D] and [M, D], times 1,000.

    Binkowski et al. 2018 (arXiv:1801.01401): the mean of `squared_mmd` over random subsets. It has no bias,
    so figures of different numbers compare, and it is about 0, or just below, where both sides are alike.
    It is the KID of the papers only on the features of the Inception network of 2015.

    The papers give the deviation over the subsets, which says how unlike subsets of 1,000 are, not how sure
    the figure is. Here the standard error of all N and M vectors follows from it by the delete-d jackknife
    (Shao & Wu 1989): the variance over subsets of m out of n vectors is (n - m) / m times the figure's own,
    where n is the smaller of N and M. The error of averaging but so many subsets is added.

    Args:
        a: [N, D] vectors of one side.
        b: [M, D] vectors of the other.
        seed: Seed of the subsets.
        num_subsets: How many subsets are drawn.
        subset_size: Vectors of each side in a subset; half of the smaller side where that is fewer, since
            subsets that hold nearly everything would all be the same and show no error.

    Raises:
        ValueError: A side has fewer than four vectors, or one that isn't finite; fewer than two subsets.
    """
    smaller = min(len(a), len(b))
    if smaller < 4 or not (np.isfinite(a).all() and np.isfinite(b).all()):
        raise ValueError("kernel_distance needs at least four finite vectors on each side")
    if num_subsets < 2 or subset_size < 2:
        raise ValueError("kernel_distance needs at least two subsets of at least two vectors")
    size = min(subset_size, smaller // 2)
    rng = np.random.default_rng(seed)
    distances = [
        squared_mmd(
            a[rng.choice(len(a), size, replace=False)].astype(np.float64),
            b[rng.choice(len(b), size, replace=False)].astype(np.float64),
        )
        for _ in range(num_subsets)
    ]
    variance = float(np.var(distances, ddof=1))
    error = np.sqrt(variance * (size / (smaller - size) + 1 / num_subsets))
    return KernelDistance(1000 * float(np.mean(distances)), 1000 * float(error))


def squared_mmd(a: Array, b: Array) -> float:
    """Unbiased squared maximum mean discrepancy of vectors [N, D] and [M, D]; kernel (x.y / D + 1)^3."""
    within = 0.0
    for x in (a, b):
        kernel = _kernel(x, x)
        within += (kernel.sum() - np.trace(kernel)) / (len(x) * (len(x) - 1))
    return float(within - 2 * _kernel(a, b).mean())


def _kernel(a: Array, b: Array) -> Array:
    kernel = a @ b.T
    kernel /= a.shape[1]
    kernel += 1
    return kernel * kernel * kernel
