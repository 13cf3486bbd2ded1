"""The Frechet distance of two sets of feature vectors."""

import numpy as np
from numpy.typing import NDArray

__all__ = ["frechet_distance"]

Array = NDArray[np.floating]


def frechet_distance(a: Array, b: Array) -> float:
    """Squared Frechet distance of two Gaussians fitted to feature vectors [N, D] and [M, D].

    |mu_a - mu_b|^2 + tr(C_a + C_b - 2 (C_a C_b)^(1/2)), Heusel et al. 2017 (arXiv:1706.08500). On the
    features of EfficientNet-Lite2 it is `fd_lite2`; it is the FID only on those of the Inception network of
    2015. It has a bias that grows as the number of vectors shrinks: compare only figures of equal N and M.

    Raises:
        ValueError: A side has fewer than two vectors, or one that isn't finite.
    """
    if min(len(a), len(b)) < 2 or not (np.isfinite(a).all() and np.isfinite(b).all()):
        raise ValueError("frechet_distance needs at least two finite vectors on each side")
    a, b = a.astype(np.float64), b.astype(np.float64)
    a_root, b_root = (_root_of_covariance(x) for x in (a, b))
    # tr (C_a C_b)^(1/2) is the sum of the singular values of R_a R_b^T, where C = R^T R: no square root of a
    # matrix that is singular where N < D.
    cross = np.linalg.svd(a_root @ b_root.T, compute_uv=False).sum()
    traces = np.square(a_root).sum() + np.square(b_root).sum()
    return float(np.square(a.mean(0) - b.mean(0)).sum() + traces - 2 * cross)


def _root_of_covariance(x: Array) -> Array:
    """A matrix R of at most D rows whose R^T R is the covariance of the vectors [N, D]."""
    centred = (x - x.mean(0)) / np.sqrt(len(x) - 1)
    return centred if len(x) <= x.shape[1] else np.asarray(np.linalg.qr(centred, mode="r"))
