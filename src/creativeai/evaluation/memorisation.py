"""Are training photos copied? Distances to the nearest of them, against those of photos never trained on."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from creativeai.evaluation.nearest import distance_blocks

__all__ = ["Memorisation", "memorisation", "nearest_photos"]

Array = NDArray[np.floating]

_PERCENTILE = 1


@dataclass(frozen=True)
class Memorisation:
    """How near generated pictures come to training photos, in cosine distance of their features."""

    is_nearer: NDArray[np.bool_]
    """[N] which generated pictures are nearer to a training photo than all but 1% of the held-out photos
    are."""
    generated_median: float
    """Median distance of a generated picture to its nearest training photo."""
    held_out_median: float
    """The same of a held-out photo."""
    threshold: float
    """First percentile of the held-out photos' distances. It rests on a hundredth of them: few photos, little
    to rely on."""
    nearest: NDArray[np.int64]
    """[N] position of each generated picture's nearest training photo."""
    distance: NDArray[np.float64]
    """[N] the distance to it."""

    @property
    def share_nearer(self) -> float:
        """Share of the generated pictures below the threshold: about .01 where nothing is copied."""
        return float(self.is_nearer.mean())


def memorisation(generated: Array, training: Array, held_out: Array) -> Memorisation:
    """Whether generated pictures are suspiciously near to training photos.

    A copy would be: held-out photos show how near a picture comes by chance. The distances are those of
    feature vectors, which hardly see a mirrored or shifted copy as another picture.

    Args:
        generated: [N, D] feature vectors of generated pictures.
        training: [M, D] those of the photos the generator was trained on.
        held_out: [L, D] those of photos of the same kind that it never saw.

    Raises:
        ValueError: One of the three is empty, or has a vector that isn't finite.
    """
    if not all(len(part) and np.isfinite(part).all() for part in (generated, training, held_out)):
        raise ValueError("memorisation needs finite vectors of generated, training and held-out pictures")
    nearest, distance = nearest_photos(generated, training)
    held_out_distance = nearest_photos(held_out, training)[1]
    threshold = float(np.percentile(held_out_distance, _PERCENTILE))
    return Memorisation(
        is_nearer=distance < threshold,
        generated_median=float(np.median(distance)),
        held_out_median=float(np.median(held_out_distance)),
        threshold=threshold,
        nearest=nearest,
        distance=distance,
    )


def nearest_photos(pictures: Array, photos: Array) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Positions [N] of the nearest of photos [M, D] to pictures [N, D], and their cosine distances [N]."""
    unit_pictures, unit_photos = (
        x / np.linalg.norm(x, axis=1, keepdims=True).clip(1e-12) for x in (pictures, photos)
    )
    nearest = np.empty(len(pictures), np.int64)
    distance = np.empty(len(pictures))
    for rows, squared in distance_blocks(unit_pictures, unit_photos):
        nearest[rows] = squared.argmin(1)
        distance[rows] = squared.min(1) / 2  # |x - y|^2 = 2 - 2 x.y of unit vectors
    return nearest, distance
