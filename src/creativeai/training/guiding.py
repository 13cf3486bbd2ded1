"""The guide of a run: the shipped matcher where it knows the dataset, else one trained on its photos."""

import numpy as np
import torch
from numpy.typing import NDArray
from rich.console import Console

from creativeai.data import CaptionedImages
from creativeai.errors import TrainingError
from creativeai.evaluation.matcher import (
    GUIDE_FILE,
    Matcher,
    MatcherFacts,
    load_matcher,
    matcher_network,
    shipped_matcher,
)
from creativeai.evaluation.matcher_training import (
    DescribedPhotos,
    MatcherTraining,
    described_photos,
    train_matcher,
)
from creativeai.models.efficientnet_lite import FEATURE_CHANNELS
from creativeai.models.pixels import pixels_to_tensor
from creativeai.models.text_image_matcher import DescriptionLayout, describe_images
from creativeai.recipes.contract import View
from creativeai.reporting import reporting
from creativeai.training.processes import is_first
from creativeai.training.run import Run

__all__ = ["guide_of"]

_SEED = 1
# Views of a photo for the guide, fewer of many photos: a run of 20,000 would not begin for long.
_FEWEST_VIEWS, _MOST_VIEWS, _MOST_DESCRIPTIONS = 2, 4, 40_000
_AT_ONCE = 64
_LAYOUT = DescriptionLayout()


def guide_of(
    run: Run,
    dataset: CaptionedImages,
    images: NDArray[np.uint8],
    console: Console,
    view: View,
    num_steps: int,
) -> Matcher:
    """The matcher that a run's generator learns from; one trained for it is kept in the run's folder.

    Of several processes the first trains or reads it; the others get one of its shape, for the weights that
    the first one shares.

    Args:
        run: The run.
        dataset: What it is trained on.
        images: uint8 [N, R, R, 3] its pictures at the run's resolution.
        console: Where progress goes.
        view: How the recipe shows pictures to its feature network.
        num_steps: Steps to train a guide for.

    Raises:
        TrainingError: The guide's file is damaged, or can't be written.
    """
    shipped = shipped_matcher(GUIDE_FILE)
    if dataset.name in shipped.datasets:
        return shipped
    file = run.folder / "guide.safetensors"
    if is_first() and file.exists():
        try:
            return load_matcher(file)
        except TrainingError as error:
            raise TrainingError(f"{file} is damaged: delete it, and it is trained again") from error
    train = dataset.indices("train")
    facts = MatcherFacts(
        name=f"{dataset.name}-guide",
        lite=0,
        side=run.config.feature_resolution,
        layout=_LAYOUT,
        words=(),
        datasets=(dataset.name,),
        word_dim=128,
    )
    if not is_first():
        return Matcher(matcher_network(facts, _LAYOUT.length(FEATURE_CHANNELS)), facts, dataset.meta.digest)
    photos = _described(dataset, train, images, console, view)
    training = MatcherTraining(num_steps=num_steps)
    with reporting(console, "training the guide's text-image matcher", unit="steps") as tell:
        network = train_matcher([photos], facts, seed=_SEED, training=training, on_progress=tell)
    matcher = Matcher(network, facts, dataset.meta.digest)
    matcher.save(file)
    return load_matcher(file)


def _described(
    dataset: CaptionedImages,
    train: NDArray[np.int64],
    images: NDArray[np.uint8],
    console: Console,
    view: View,
) -> DescribedPhotos:
    """The training photos in some views, every other one mirrored."""
    num_views = max(_FEWEST_VIEWS, min(_MOST_VIEWS, _MOST_DESCRIPTIONS // len(train)))
    records = [dataset.records[row] for row in train]
    torch.manual_seed(_SEED)
    views = []
    with reporting(console, "reading photos for the guide's text-image matcher") as tell:
        for number in range(num_views):
            parts = []
            for start in range(0, len(train), _AT_ONCE):
                pixels = images[train[start : start + _AT_ONCE]]
                if number % 2:
                    pixels = pixels[:, :, ::-1]
                with torch.no_grad():
                    described = describe_images(*view(pixels_to_tensor(pixels)), _LAYOUT)
                parts.append(described.half().cpu().numpy())
                tell(number * len(train) + start + len(pixels), num_views * len(train))
            views.append(np.concatenate(parts))
    return described_photos(dataset.name, views, records)
