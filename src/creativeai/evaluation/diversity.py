"""How unlike generated pictures are: of one sentence, and of different ones."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["FEWEST_SENTENCES", "Diversity", "diversity", "mean_pairwise_distance"]

Array = NDArray[np.floating]

FEWEST_SENTENCES = 64
"""Over fewer sentences a diversity is too uncertain to be reported."""


@dataclass(frozen=True)
class Diversity:
    """Mean cosine distances of pictures. They say nothing of how real the pictures look: noise is diverse."""

    between: float
    """Of pictures of different sentences."""
    within_each: NDArray[np.float64]
    """[S] of pictures of each sentence, which differ in their seeds alone."""

    @property
    def within(self) -> float:
        """Of pictures of one and the same sentence, over all sentences."""
        return float(self.within_each.mean())


def diversity(features: Array) -> Diversity:
    """Diversity between and within sentences.

    Args:
        features: [S, V, D] feature vectors of V pictures of each of S sentences.

    Raises:
        ValueError: There are fewer than two sentences, or fewer than two pictures of each.
    """
    num_sentences, num_views = features.shape[:2]
    if min(num_sentences, num_views) < 2:
        raise ValueError("diversity needs at least two pictures of each of two sentences")
    within = np.array([mean_pairwise_distance(views) for views in features])
    # All pairs are those within sentences and those between: the mean of the latter follows.
    num = num_sentences * num_views
    pairs_within = num_sentences * num_views * (num_views - 1)
    pairs = num * (num - 1)
    all_together = mean_pairwise_distance(features.reshape(num, -1))
    between = (all_together * pairs - within.mean() * pairs_within) / (pairs - pairs_within)
    return Diversity(float(between), within)


def mean_pairwise_distance(features: Array) -> float:
    """Mean cosine distance of all pairs of feature vectors [N, D]: 0 where all pictures are the same.

    Raises:
        ValueError: There are fewer than two vectors.
    """
    if len(features) < 2:
        raise ValueError("mean_pairwise_distance needs at least two vectors")
    features = features.astype(np.float64)
    unit = features / np.linalg.norm(features, axis=1, keepdims=True).clip(1e-12)
    num = len(unit)
    return float(1 - (np.square(unit.sum(0)).sum() - num) / (num * (num - 1)))
