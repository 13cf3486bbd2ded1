"""How sure a figure is: intervals by the bootstrap."""

from collections.abc import Callable
from statistics import NormalDist
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

__all__ = ["Interval", "bootstrap_interval", "resampled_interval"]


class Interval(NamedTuple):
    """Where a figure would lie if other pictures or captions of the same kind had been taken."""

    low: float
    high: float


def bootstrap_interval(
    values: NDArray[np.floating] | NDArray[np.bool_],
    seed: int,
    groups: NDArray[np.integer] | None = None,
    num: int = 1000,
    level: float = 0.95,
) -> Interval:
    """Percentile interval of a mean (Efron 1979): items, or whole groups of them, are drawn with replacement.

    Args:
        values: [N] the figure of each item, such as whether its caption was found.
        seed: Seed of the draws.
        groups: [N] which caption each item is of: pictures of one caption are alike, so captions are drawn.
            By default each item is its own.
        num: Draws.
        level: How much of the draws' means the interval holds.

    Raises:
        ValueError: There are no values, or one isn't finite.
    """
    values = np.asarray(values, np.float64)
    if not len(values) or not np.isfinite(values).all():
        raise ValueError("bootstrap_interval needs finite values")
    inverse = np.arange(len(values)) if groups is None else np.unique(groups, return_inverse=True)[1].ravel()
    sums, counts = np.bincount(inverse, values), np.bincount(inverse)
    rng = np.random.default_rng(seed)
    means = np.empty(num)
    for draw in range(num):
        drawn = rng.integers(len(sums), size=len(sums))
        means[draw] = sums[drawn].sum() / counts[drawn].sum()
    low, high = np.quantile(means, [(1 - level) / 2, (1 + level) / 2])
    return Interval(float(low), float(high))


def resampled_interval(
    statistic: Callable[[NDArray[np.int64]], float],
    value: float,
    num_items: int,
    seed: int,
    num: int = 20,
    level: float = 0.95,
) -> Interval:
    """Interval of a figure that takes long to compute, such as the Frechet distance, from a few resamples.

    Resamples hold items twice, which raises a Frechet distance: their percentiles would lie beside the
    figure. So only their standard deviation is read, and the interval is the normal one about the figure
    itself.

    Args:
        statistic: Gives the figure of the items at positions [num_items], some of which stand there twice.
        value: The figure of all the items.
        num_items: How many items there are.
        seed: Seed of the draws.
        num: Draws.
        level: Probability that the interval holds.

    Raises:
        ValueError: Fewer than two draws or items.
    """
    if num < 2 or num_items < 2:
        raise ValueError("resampled_interval needs at least two draws of at least two items")
    rng = np.random.default_rng(seed)
    draws = [statistic(rng.integers(num_items, size=num_items)) for _ in range(num)]
    reach = NormalDist().inv_cdf((1 + level) / 2) * float(np.std(draws, ddof=1))
    return Interval(value - reach, value + reach)
