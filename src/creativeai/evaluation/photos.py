"""What the judges see of a dataset's photos. It is kept for the next time."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from hashlib import sha256

import numpy as np
from numpy.typing import NDArray
from rich.console import Console

from creativeai.data import CaptionedImages
from creativeai.evaluation.feature_cache import cache_folders, kept_arrays, reference_resolution
from creativeai.evaluation.judges import Judges, Seen, see_chunks
from creativeai.evaluation.measure import PhotosSeen
from creativeai.evaluation.questions import Questions, captions_of
from creativeai.reporting import reporting

__all__ = ["see_photos", "see_photos_of"]


def see_photos(
    dataset: CaptionedImages,
    indices: NDArray[np.int64],
    judges: Judges,
    console: Console,
    num_threads: int,
    what: str,
) -> Seen:
    """What the judges see of some photos, at the reference size whatever that of a model's pictures.

    Args:
        dataset: The dataset.
        indices: [N] positions of the photos, in the order wanted.
        judges: Who looks.
        console: Where progress goes.
        num_threads: Batches seen at a time.
        what: The photos in words.
    """
    resolution = reference_resolution(dataset.meta.resolutions, judges.extractor.reference_side)
    images = dataset.images(resolution)
    # Seen and kept in the dataset's order: the same photos in another order are not seen again.
    pictures, order = np.unique(indices, return_inverse=True)
    about = {
        **judges.extractor.about(),
        **judges.digests(),
        "dataset": dataset.meta.digest,
        "pictures": sha256(pictures.astype("<i8").tobytes()).hexdigest(),
        "resolution": resolution,
    }

    def parts() -> Iterator[Mapping[str, NDArray[np.generic]]]:
        with reporting(console, f"looking at {what}", len(pictures), "photos") as tell:
            chunks = see_chunks(judges, len(pictures), lambda a, b: images[pictures[a:b]], num_threads, tell)
            for seen in chunks:
                yield seen.arrays()

    kept = kept_arrays(cache_folders(dataset.path), about, len(pictures), parts)
    return Seen(**kept)[order.reshape(-1)]  # type: ignore[arg-type]


def see_photos_of(
    dataset: CaptionedImages,
    questions: Questions,
    judges: Judges,
    console: Console,
    num_threads: int,
    *,
    with_training: bool = True,
) -> PhotosSeen:
    """Look at the questions' photos, and at those to train on for floor and memorisation.

    Args:
        dataset: The dataset.
        questions: Which photos, and how many pictures they will be compared with.
        judges: Who looks.
        console: Where progress goes.
        num_threads: Batches seen at a time.
        with_training: Whether to look at the training photos, most of which serve memorisation alone.
    """
    test = see_photos(dataset, questions.photos, judges, console, num_threads, "the photos to compare with")
    captions = tuple(captions_of(dataset, int(i))[0] for i in questions.photos)
    labels = tuple(dataset.records[int(i)].label for i in questions.photos)
    nothing = np.empty((0, test.pooled.shape[1]), np.float32)
    train = dataset.indices("train")
    if not with_training or not len(train):
        return PhotosSeen(test=test, captions=captions, labels=labels, floor=None, training=nothing)
    # In an order of their own: as many of the first as there are pictures are the floor.
    train = np.random.default_rng(questions.seed).permutation(train)
    only_features = Judges(judges.extractor)
    training = see_photos(dataset, train, only_features, console, num_threads, "the photos to train on")
    num = len(questions.captions)
    floor = None
    if num <= len(train):
        floor = training[:num]
        if judges.inception is not None:
            inception = replace(only_features, inception=judges.inception)
            floor = see_photos(dataset, train[:num], inception, console, num_threads, "photos for the FID")
    return PhotosSeen(test=test, captions=captions, labels=labels, floor=floor, training=training.pooled)
