"""What a text encoder gives to a generator: a vector for the sentence, one for each word piece, a mask."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class TextFeatures:
    """Encoded captions; B captions, T word places, D features.

    Attributes:
        sentence: float32 [B, D], of length 1.
        words: float32 [B, T, D], zero where there is no word.
        mask: bool [B, T], true where there is a word. Every caption has at least one.
    """

    sentence: NDArray[np.float32]
    words: NDArray[np.float32]
    mask: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.sentence)
