"""What a text encoder gives to a generator: a vector for the sentence, one for each word piece, a mask."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class TextFeatures:
    """Encoded captions; B captions, T word places, D features.

    Attributes:
        sentence: float32 [B, D], of length 1; of any length from an imported encoder, whose models were
            trained on them so.
        words: float32 [B, T, D], zero where there is no word.
        mask: bool [B, T], true where there is a word. Every caption has at least one.
    """

    sentence: NDArray[np.float32]
    words: NDArray[np.float32]
    mask: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.sentence)


Encoding = tuple[NDArray[np.float32], NDArray[np.float32]]
"""One caption's sentence vector [D] and word vectors [L, D]."""


def stack_encodings(encodings: Sequence[Encoding], max_words: int, dim: int) -> TextFeatures:
    """Captions of different lengths L, at most T, side by side.

    Args:
        encodings: Each caption's vectors.
        max_words: T.
        dim: D.
    """
    sentence = np.zeros((len(encodings), dim), np.float32)
    words = np.zeros((len(encodings), max_words, dim), np.float32)
    mask = np.zeros((len(encodings), max_words), np.bool_)
    for row, (vector, vectors) in enumerate(encodings):
        sentence[row] = vector
        words[row, : len(vectors)] = vectors
        mask[row, : len(vectors)] = True
    return TextFeatures(sentence, words, mask)
