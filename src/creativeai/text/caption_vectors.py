"""Sentence vectors of a whole dataset's captions: what training and evaluation read of its text."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class CaptionVectors:
    """Sentence vectors of all captions, picture after picture."""

    sentences: NDArray[np.float32]
    """[M, 2, D]: each caption, and the caption of the mirrored picture."""
    offsets: NDArray[np.int64]
    """[N + 1]: captions of picture i are rows offsets[i] to offsets[i + 1]."""

    def num_captions(self, pictures: NDArray[np.int64]) -> NDArray[np.int64]:
        """Number of captions of each picture."""
        return self.offsets[pictures + 1] - self.offsets[pictures]

    def of(self, pictures: NDArray[np.int64], which: NDArray[np.int64] | int = 0) -> NDArray[np.float32]:
        """Sentence vectors [B, D] of one unmirrored caption of each picture, the `which`-th."""
        return self.sentences[self.offsets[pictures] + which, 0]

    def rows_of(self, pictures: NDArray[np.int64]) -> NDArray[np.int64]:
        """Rows of every caption of these pictures."""
        return np.concatenate([np.arange(self.offsets[i], self.offsets[i + 1]) for i in pictures])
