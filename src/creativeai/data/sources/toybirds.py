"""toybirds: birds drawn by the program, so every attribute of every picture is known exactly. No download."""

from functools import partial
from pathlib import Path

import numpy as np

from creativeai.data.sources.base import Source, SourcePicture
from creativeai.data.sources.toybirds_drawing import draw
from creativeai.data.sources.toybirds_scene import ToyBird, captions_of, sample_bird
from creativeai.errors import DataError

DEFAULT_NUM_PICTURES = 5000


def open_toybirds(root: Path | None, num_pictures: int | None, seed: int) -> Source:
    """Describe `num_pictures` toy birds; picture `i` depends on the seed and `i` alone.

    Raises:
        DataError: a folder was given, or the seed is negative.
    """
    if root is not None:
        raise DataError(f"toybirds draws its pictures itself: leave out --from {root}")
    if seed < 0:
        raise DataError(f"the seed must be 0 or more, not {seed}")
    num_pictures = DEFAULT_NUM_PICTURES if num_pictures is None else num_pictures
    return Source(
        name="toybirds",
        title="Toy birds, drawn by the program",
        origin=f"drawn by CreativeAI, seed {seed}",
        licence="CC0",
        description="Drawn birds whose captions state body, wing, beak and background colours, size and pose",
        pictures=(_describe(seed, index) for index in range(num_pictures)),
        num_pictures=num_pictures,
        may_have_copies=False,
    )


def _describe(seed: int, index: int) -> SourcePicture:
    random = np.random.default_rng([seed, index])
    bird: ToyBird = sample_bird(random)
    file_name = f"toybird-{index:06}.png"
    return SourcePicture(
        file_name,
        partial(draw, bird, [seed, index, 1]),
        captions_of(bird, random),
        file_name,
        attributes=bird.attributes(),
    )
