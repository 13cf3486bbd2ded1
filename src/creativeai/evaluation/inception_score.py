"""The Inception Score of a classifier's answers."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

__all__ = ["InceptionScore", "inception_score"]


class InceptionScore(NamedTuple):
    """Mean and standard deviation over the splits."""

    mean: float
    deviation: float


def inception_score(probabilities: NDArray[np.floating], num_splits: int = 10) -> InceptionScore:
    """Inception Score of Salimans et al. 2016 (arXiv:1606.03498): exp E KL(p(class | picture) || p(class)).

    p(class) is each split's own mean, as in the original evaluation, so the score grows with the number of
    pictures: compare only equal numbers. The name holds only for the Inception network of 2015.

    Args:
        probabilities: [N, C] probabilities of the classes, picture after picture in the order of making.
        num_splits: Equal consecutive parts of the pictures that are scored apart.

    Raises:
        ValueError: There are fewer pictures than splits, or a row is no distribution.
    """
    p = probabilities.astype(np.float64)
    if len(p) < num_splits or num_splits < 1:
        raise ValueError(f"inception_score needs at least as many pictures as splits: {len(p)}, {num_splits}")
    if not ((p >= 0).all() and np.allclose(p.sum(1), 1, atol=1e-3)):
        raise ValueError("inception_score needs probabilities: each row 0 or more, with the sum 1")
    scores = []
    for index in range(num_splits):
        part = p[index * len(p) // num_splits : (index + 1) * len(p) // num_splits]
        marginal = np.broadcast_to(part.mean(0), part.shape)
        # 0 log 0 is 0; where a class has no probability on average, no picture has any.
        ratio = np.divide(part, marginal, out=np.ones_like(part), where=part > 0)
        scores.append(np.exp((part * np.log(ratio)).sum(1).mean()))
    return InceptionScore(float(np.mean(scores)), float(np.std(scores)))
