"""A matcher for a dataset that the shipped one doesn't know: trained on its training photos, and kept."""

import json
from contextlib import suppress
from dataclasses import asdict
from hashlib import sha256

import numpy as np
from rich.console import Console

from creativeai.data import CaptionedImages
from creativeai.errors import TrainingError
from creativeai.evaluation.feature_cache import cache_folders, photo_features
from creativeai.evaluation.features import FeatureExtractor
from creativeai.evaluation.matcher import Matcher, MatcherFacts, load_matcher
from creativeai.evaluation.matcher_training import (
    MatcherTraining,
    described_photos,
    train_matcher,
    words_of_captions,
)
from creativeai.reporting import reporting

__all__ = ["kept_matcher", "own_matcher"]

FEWEST_PHOTOS = 50
"""Of fewer nothing is learned that other photos could be judged by."""
_SEED = 2
_MOST_STEPS, _FEWEST_STEPS, _PHOTOS_A_STEP = 3000, 300, 2
_MIN_COUNT = 3


def kept_matcher(dataset: CaptionedImages, extractor: FeatureExtractor) -> Matcher | None:
    """The dataset's own matcher, if an evaluation has trained one before."""
    for folder in cache_folders(dataset.path):
        with suppress(TrainingError):  # it isn't there, or is damaged: as if there were none
            return load_matcher(folder / _file_name(dataset, extractor))
    return None


def own_matcher(dataset: CaptionedImages, extractor: FeatureExtractor, console: Console) -> Matcher | None:
    """The dataset's own matcher, trained now unless it is kept; None where there are too few photos.

    It reads training photos alone. Its file follows from the dataset, on one machine to the last digit.
    """
    kept = kept_matcher(dataset, extractor)
    if kept is not None:
        return kept
    train = dataset.indices("train")
    if len(train) < FEWEST_PHOTOS:
        return None
    records = [dataset.records[i] for i in train]
    views = [
        photo_features(dataset, train, extractor, console, mirrored).descriptions.numpy()
        for mirrored in (False, True)
    ]
    photos = described_photos(dataset.name, views, records)
    facts = MatcherFacts(
        name=f"{dataset.name}-judge",
        lite=extractor.network.number,
        side=extractor.side,
        layout=extractor.layout,
        words=words_of_captions((c for record in records for c in record.all_captions), _MIN_COUNT),
        datasets=(dataset.name,),
    )
    training = _training_of(dataset)
    with reporting(console, f"training a matcher on {dataset.name}", training.num_steps, "steps") as tell:
        network = train_matcher([photos], facts, seed=_SEED, training=training, on_progress=tell)
    matcher = Matcher(network, facts, dataset.meta.digest)
    for folder in cache_folders(dataset.path):
        with suppress(OSError, TrainingError):  # can't be written: the next place
            folder.mkdir(parents=True, exist_ok=True)
            file = folder / _file_name(dataset, extractor)
            matcher.save(file)
            return load_matcher(file)
    return matcher


def _training_of(dataset: CaptionedImages) -> MatcherTraining:
    """Few photos would only be learned by heart."""
    num_steps = len(dataset.indices("train")) // _PHOTOS_A_STEP
    return MatcherTraining(num_steps=int(np.clip(num_steps, _FEWEST_STEPS, _MOST_STEPS)))


def _file_name(dataset: CaptionedImages, extractor: FeatureExtractor) -> str:
    """Follows all that the matcher depends on."""
    about = {
        **extractor.about(),
        **asdict(_training_of(dataset)),
        "dataset": dataset.meta.digest,
        "seed": _SEED,
        "min_count": _MIN_COUNT,
    }
    return f"matcher-{sha256(json.dumps(about, sort_keys=True).encode()).hexdigest()[:24]}.safetensors"
