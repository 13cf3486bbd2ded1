"""Features of a whole dataset's captions: what training and evaluation read of its text."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from creativeai.text.features import TextFeatures


@dataclass(frozen=True)
class CaptionVectors:
    """Features of all captions, picture after picture."""

    sentences: NDArray[np.float32]
    """[M, 2, D]: each caption, and the caption of the mirrored picture."""
    offsets: NDArray[np.int64]
    """[N + 1]: captions of picture i are rows offsets[i] to offsets[i + 1]."""
    words: NDArray[np.float16] | None = None
    """[M, 2, T, D] where words were asked for; hundreds of megabytes, so most often left on disk."""
    mask: NDArray[np.bool_] | None = None
    """[M, 2, T] with the words."""

    def num_captions(self, pictures: NDArray[np.int64]) -> NDArray[np.int64]:
        """Number of captions of each picture."""
        return self.offsets[pictures + 1] - self.offsets[pictures]

    def rows(self, pictures: NDArray[np.int64], which: NDArray[np.int64] | int = 0) -> NDArray[np.int64]:
        """Row of one caption of each picture, the `which`-th."""
        return self.offsets[pictures] + which

    def rows_of(self, pictures: NDArray[np.int64]) -> NDArray[np.int64]:
        """Rows of every caption of these pictures."""
        return np.concatenate([np.arange(self.offsets[i], self.offsets[i + 1]) for i in pictures])

    def features(
        self, rows: NDArray[np.int64], mirrored: NDArray[np.int64] | NDArray[np.bool_] | None = None
    ) -> TextFeatures:
        """Features of captions; words are empty ([B, 0, D]) where they were not asked for.

        Args:
            rows: [B] rows of captions.
            mirrored: [B] whether the picture is mirrored; None for none.
        """
        side = np.zeros(len(rows), np.int64) if mirrored is None else mirrored.astype(np.int64)
        sentence = self.sentences[rows, side]
        if self.words is None or self.mask is None:
            words = np.zeros((len(rows), 0, sentence.shape[1]), np.float32)
            return TextFeatures(sentence, words, np.zeros((len(rows), 0), np.bool_))
        return TextFeatures(sentence, self.words[rows, side].astype(np.float32), self.mask[rows, side])
