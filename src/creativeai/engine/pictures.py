"""What the engine takes and gives."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

NUM_SEEDS = 2**32


@dataclass(frozen=True, slots=True)
class PictureRequest:
    """One picture to make. The same request to the same model gives the same bytes.

    Attributes:
        text: What it shows, cleaned by `validation.clean_text`.
        seed: 0 to 2**32 - 1.
        truncation: Scale of the noise: 0 is the model's most typical picture, 1 its full variety.
        attention: Whether to keep the attention maps too; only for a model that has them.
    """

    text: str
    seed: int
    truncation: float = 1.0
    attention: bool = False


@dataclass(frozen=True, slots=True)
class Picture:
    """A finished picture.

    Attributes:
        stages: uint8 [R, R, 3] each, coarse to fine.
        seed: Seed it was made from.
        text: Text it was made from.
        truncation: Truncation it was made with.
        words: The W words, or pieces of words, the model could look at, in their order; empty unless
            attention was asked for.
        attention: float32 [W, R, R] each, coarse to fine: how much of its attention each place of the picture
            gave to each word, 0 to 1; over the words a place sums to 1. Empty unless asked for.
    """

    stages: tuple[NDArray[np.uint8], ...]
    seed: int
    text: str
    truncation: float
    words: tuple[str, ...] = ()
    attention: tuple[NDArray[np.float32], ...] = ()

    @property
    def pixels(self) -> NDArray[np.uint8]:
        """The last stage, uint8 [R, R, 3]."""
        return self.stages[-1]


def seed_of(base_seed: int, index: int) -> int:
    """Seed of picture `index` of a set, from which it can be made again alone."""
    return (base_seed + index) % NUM_SEEDS


def noise_of(seed: int, noise_dim: int, truncation: float) -> NDArray[np.float32]:
    """Noise [1, Z] of a picture. Changing this changes every picture ever noted by its seed."""
    generator = np.random.Generator(np.random.Philox(key=seed))
    return generator.standard_normal((1, noise_dim), np.float32) * np.float32(truncation)
