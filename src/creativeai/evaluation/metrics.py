"""The metrics, as plain functions of feature vectors."""

import numpy as np
from numpy.typing import NDArray

__all__ = ["frechet_distance", "mean_pairwise_distance", "retrieval_accuracy"]

Array = NDArray[np.floating]


def frechet_distance(a: Array, b: Array) -> float:
    """Squared Frechet distance of two Gaussians fitted to feature vectors [N, D] and [M, D].

    |mu_a - mu_b|^2 + tr(C_a + C_b - 2 (C_a C_b)^(1/2)), Heusel et al. 2017 (arXiv:1706.08500). On
    EfficientNet-Lite0 features it is `fd_lite0`; it is not the FID, which needs Inception-v3. Like the FID it
    has a bias that grows as the number of vectors shrinks: compare only figures of equal N and M.

    Raises:
        ValueError: A side has fewer than two vectors, or one that isn't finite.
    """
    if min(len(a), len(b)) < 2 or not (np.isfinite(a).all() and np.isfinite(b).all()):
        raise ValueError("frechet_distance needs at least two finite vectors on each side")
    a, b = a.astype(np.float64), b.astype(np.float64)
    a_centred, b_centred = ((x - x.mean(0)) / np.sqrt(len(x) - 1) for x in (a, b))
    # tr (C_a C_b)^(1/2) is the sum of the singular values of the product of the two centred matrices: N x M
    # instead of D x D, and no square root of a matrix that is singular where N < D.
    cross = np.linalg.svd(a_centred @ b_centred.T, compute_uv=False).sum()
    traces = np.square(a_centred).sum() + np.square(b_centred).sum()
    return float(np.square(a.mean(0) - b.mean(0)).sum() + traces - 2 * cross)


def mean_pairwise_distance(features: Array) -> float:
    """Mean cosine distance of all pairs of feature vectors [N, D]: 0 where all pictures are the same.

    Raises:
        ValueError: There are fewer than two vectors.
    """
    if len(features) < 2:
        raise ValueError("mean_pairwise_distance needs at least two vectors")
    unit = features / np.linalg.norm(features, axis=1, keepdims=True).clip(1e-12)
    num = len(unit)
    return float(1 - (np.square(unit.sum(0)).sum() - num) / (num * (num - 1)))


def retrieval_accuracy(
    image_codes: Array,
    text_codes: Array,
    owners: NDArray[np.integer],
    seed: int,
    num_candidates: int = 100,
    num_draws: int = 10,
) -> float:
    """How often a picture's own caption scores highest among randomly drawn captions of other pictures.

    Args:
        image_codes: [N, K] codes of the pictures.
        text_codes: [N, K] codes of their captions, row by row.
        owners: [N] which photo each caption describes; its other captions never stand against it.
        seed: Seed of the draw.
        num_candidates: Captions to choose from, the right one among them; all of them where there are fewer.
        num_draws: Draws for each picture.
    """
    rng = np.random.default_rng(seed)
    scores = image_codes @ text_codes.T
    hits = 0
    for i, row in enumerate(scores):
        others = row[owners != owners[i]]
        for _ in range(num_draws):
            drawn = others[rng.permutation(len(others))[: num_candidates - 1]]
            hits += bool(row[i] > drawn.max(initial=-np.inf))
    return hits / (len(scores) * num_draws)
