"""Precision and recall: how many generated pictures look real, how many of the real could be drawn."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from creativeai.evaluation.nearest import distance_blocks

__all__ = ["PrecisionRecall", "precision_recall"]

Array = NDArray[np.floating]


@dataclass(frozen=True)
class PrecisionRecall:
    """Which pictures lie within the other side's manifold. The means of both are precision and recall."""

    generated_is_inside: NDArray[np.bool_]
    """[M] whether each generated picture lies among the real ones."""
    real_is_covered: NDArray[np.bool_]
    """[N] whether each real picture lies among the generated ones."""

    @property
    def precision(self) -> float:
        """Share of the generated pictures that lie among the real ones."""
        return float(self.generated_is_inside.mean())

    @property
    def recall(self) -> float:
        """Share of the real pictures that lie among the generated ones."""
        return float(self.real_is_covered.mean())


def precision_recall(real: Array, generated: Array, k: int = 3) -> PrecisionRecall:
    """Improved precision and recall of Kynkaanniemi et al. 2019 (arXiv:1904.06991).

    A side's manifold is the union of balls about its vectors, each as large as the distance to the vector's
    k-th nearest neighbour on its own side. Both figures depend on the numbers of vectors: compare only
    equal ones.

    For an interval resample the pictures' own answers, not the vectors: drawing vectors twice would put
    neighbours at distance 0 and shrink the balls.

    Args:
        real: [N, D] feature vectors of real pictures.
        generated: [M, D] those of generated ones.
        k: Which neighbour gives a ball its size.

    Raises:
        ValueError: A side has no more than k vectors, or one that isn't finite.
    """
    if min(len(real), len(generated)) <= k or not (np.isfinite(real).all() and np.isfinite(generated).all()):
        raise ValueError(f"precision_recall needs more than {k} finite vectors on each side")
    real_radii, generated_radii = (_squared_radii(vectors, k) for vectors in (real, generated))
    inside = np.zeros(len(generated), bool)
    covered = np.zeros(len(real), bool)
    for rows, distances in distance_blocks(generated, real):
        inside[rows] = (distances <= real_radii).any(1)
        covered |= (distances <= generated_radii[rows, None]).any(0)
    return PrecisionRecall(inside, covered)


def _squared_radii(vectors: Array, k: int) -> Array:
    """[N] squared distance of each vector to its k-th nearest other one."""
    radii = np.empty(len(vectors))
    for rows, distances in distance_blocks(vectors, vectors):
        own = np.arange(rows.start, rows.stop)
        distances[np.arange(len(own)), own] = np.inf
        radii[rows] = np.partition(distances, k - 1, axis=1)[:, k - 1]
    return radii
