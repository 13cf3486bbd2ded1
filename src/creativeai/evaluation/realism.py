"""Figures that need no sentence: how near the pictures are to photos, how different, how much copied."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from creativeai.evaluation.card import Figure, no_figure
from creativeai.evaluation.diversity import FEWEST_SENTENCES, mean_pairwise_distance
from creativeai.evaluation.frechet import frechet_distance
from creativeai.evaluation.inception_score import inception_score
from creativeai.evaluation.intervals import bootstrap_interval, resampled_interval
from creativeai.evaluation.kid import kernel_distance
from creativeai.evaluation.memorisation import memorisation
from creativeai.evaluation.precision_recall import precision_recall
from creativeai.evaluation.protocol import ProtocolConstants

__all__ = [
    "Reference",
    "distance_figures",
    "diversity_figure",
    "inception_figures",
    "memorisation_figure",
    "neighbour_figures",
    "seed_diversity_figure",
]

Array = NDArray[np.floating]
FEW_PHOTOS = 100
"""Fewer photos than this say little."""
_NUM_INCEPTION_SPLITS = 10
_FEWEST_FOR_KID = 4


@dataclass(frozen=True, kw_only=True)
class Reference:
    """What pictures are held against: features of photos, and the numbers of the protocol."""

    photos: Array
    """[M, D] of the split's photos."""
    others: Array | None
    """[N, D] of as many training photos as there are pictures; None where there aren't so many, or nobody
    wants the floor."""
    groups: NDArray[np.int64]
    """[N] which caption each picture is of."""
    constants: ProtocolConstants
    seed: int
    with_intervals: bool = True


def distance_figures(
    pictures: Array, reference: Reference, names: tuple[str, str] = ("fd_lite2", "kid")
) -> dict[str, Figure]:
    """Frechet distance and KID of pictures [N, D] to the photos, with those of other photos as floor."""
    frechet, kid = names
    figures = {frechet: _frechet_figure(pictures, reference)}
    photos, others, constants = reference.photos, reference.others, reference.constants
    if min(len(pictures), len(photos)) < _FEWEST_FOR_KID:
        figures[kid] = no_figure(f"needs at least {_FEWEST_FOR_KID} pictures and photos")
        return figures
    subsets = reference.seed, constants.num_kid_subsets, constants.kid_subset_size
    found = kernel_distance(pictures, photos, *subsets)
    figures[kid] = Figure(
        value=found.value,
        low=found.value - 1.96 * found.standard_error,
        high=found.value + 1.96 * found.standard_error,
        error=found.standard_error,
        floor=None if others is None else kernel_distance(others, photos, *subsets).value,
        num=len(pictures),
        reason=_worth(photos),
    )
    return figures


def neighbour_figures(pictures: Array, reference: Reference) -> dict[str, Figure]:
    """Precision and recall of as many pictures [N, D] as photos, with those of training photos as floor."""
    k = reference.constants.num_neighbours
    num = min(len(pictures), len(reference.photos))
    if num <= k:
        reason = f"needs more than {k} pictures and photos"
        return {"precision": no_figure(reason), "recall": no_figure(reason)}
    photos = reference.photos[:num]
    found = precision_recall(photos, pictures[:num], k)
    floor = None if reference.others is None else precision_recall(photos, reference.others[:num], k)
    precision = bootstrap_interval(found.generated_is_inside, reference.seed, reference.groups[:num])
    recall = bootstrap_interval(found.real_is_covered, reference.seed)
    reason = _worth(photos)
    return {
        "precision": Figure(
            value=found.precision,
            low=precision.low,
            high=precision.high,
            floor=None if floor is None else floor.precision,
            num=num,
            reason=reason,
        ),
        "recall": Figure(
            value=found.recall,
            low=recall.low,
            high=recall.high,
            floor=None if floor is None else floor.recall,
            num=num,
            reason=reason,
        ),
    }


def photo_diversity(photos: Array) -> float:
    """Mean cosine distance of photos [M, D], and a little where they are all the same."""
    return max(mean_pairwise_distance(photos), 1e-6) if len(photos) > 1 else 1e-6


def diversity_figure(pictures: Array, reference: Reference) -> Figure:
    """Mean cosine distance of pictures [N, D] of different sentences; the split's photos are at 1."""
    if min(len(pictures), len(reference.photos)) < 2:
        return no_figure("needs at least two pictures and photos")
    unit = photo_diversity(reference.photos)
    value = mean_pairwise_distance(pictures) / unit
    interval = None
    if reference.with_intervals:
        interval = resampled_interval(
            lambda rows: mean_pairwise_distance(pictures[rows]) / unit,
            value,
            len(pictures),
            reference.seed,
            reference.constants.num_slow_resamples,
        )
    others = reference.others
    return Figure(
        value=value,
        low=interval and interval.low,
        high=interval and interval.high,
        floor=None if others is None or len(others) < 2 else mean_pairwise_distance(others) / unit,
        num=len(pictures),
    )


def seed_diversity_figure(pictures: Array, reference: Reference) -> Figure:
    """The same within each sentence, of pictures [S, V, D]: V seeds of each of S sentences."""
    num_sentences, num_views = pictures.shape[:2]
    if not num_sentences or num_views < 2:
        return no_figure("needs several pictures of a sentence")
    unit = photo_diversity(reference.photos)
    within = np.array([mean_pairwise_distance(views) for views in pictures]) / unit
    interval = bootstrap_interval(within, reference.seed)
    few = num_sentences < FEWEST_SENTENCES
    return Figure(
        value=float(within.mean()),
        low=interval.low,
        high=interval.high,
        num=num_sentences,
        reason=f"of {num_sentences} sentences only" if few else "",
    )


def memorisation_figure(pictures: Array, training: Array, reference: Reference) -> Figure:
    """Share of pictures [N, D] nearer to a training photo [T, D] than all but 1% of the photos are."""
    if not len(training):
        return no_figure("there are no training photos")
    found = memorisation(pictures, training, reference.photos)
    interval = bootstrap_interval(found.is_nearer, reference.seed, reference.groups)
    return Figure(
        value=found.share_nearer,
        low=interval.low,
        high=interval.high,
        ceiling=0.01,
        chance=0.01,
        num=len(pictures),
        reason=_worth(reference.photos),
    )


def inception_figures(pictures: Array, reference: Reference, num_features: int) -> dict[str, Figure]:
    """FID and Inception Score of what the Inception network saw.

    Args:
        pictures: [N, D + C] features, then probabilities, of pictures; `reference` has those of photos.
        reference: Photos as the same network saw them.
        num_features: D.
    """
    cut = slice(None), slice(num_features)
    others = reference.others
    features = Reference(
        photos=reference.photos[cut],
        others=None if others is None else others[cut],
        groups=reference.groups,
        constants=reference.constants,
        seed=reference.seed,
    )
    figures = {"fid": _frechet_figure(pictures[cut], features)}
    if len(pictures) < _NUM_INCEPTION_SPLITS:
        figures["inception_score"] = no_figure(f"needs at least {_NUM_INCEPTION_SPLITS} pictures")
        return figures
    score = inception_score(pictures[:, num_features:], _NUM_INCEPTION_SPLITS)
    figures["inception_score"] = Figure(
        value=score.mean,
        error=score.deviation,
        floor=None
        if others is None
        else inception_score(others[:, num_features:], _NUM_INCEPTION_SPLITS).mean,
        num=len(pictures),
        reason="of logits without the bias; the error is the deviation over ten splits",
    )
    return figures


def _frechet_figure(pictures: Array, reference: Reference) -> Figure:
    photos, others, constants = reference.photos, reference.others, reference.constants
    if min(len(pictures), len(photos)) < 2:
        return no_figure("needs at least two pictures and photos")
    value = frechet_distance(pictures, photos)
    interval = None
    if reference.with_intervals:
        interval = resampled_interval(
            lambda rows: frechet_distance(pictures[rows], photos),
            value,
            len(pictures),
            reference.seed,
            constants.num_slow_resamples,
        )
    return Figure(
        value=value,
        low=interval and interval.low,
        high=interval and interval.high,
        floor=None if others is None or len(others) < 2 else frechet_distance(others, photos),
        num=len(pictures),
        reason=_worth(photos),
    )


def _worth(photos: Array) -> str:
    """What a figure is worth that rests on few photos."""
    return f"only {len(photos)} photos: compare with nothing else" if len(photos) < FEW_PHOTOS else ""
