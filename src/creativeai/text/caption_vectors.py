"""What training and evaluation read of the captions of a whole dataset."""

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from creativeai.text.features import TextFeatures


class EncodedCaptions(Protocol):
    """Captions of N pictures, picture after picture, as a text encoder reads them."""

    @property
    def dim(self) -> int:
        """D, length of the sentence vectors."""

    def num_captions(self, pictures: NDArray[np.int64]) -> NDArray[np.int64]:
        """Number of captions of each picture."""

    def rows(self, pictures: NDArray[np.int64], which: NDArray[np.int64] | int = 0) -> NDArray[np.int64]:
        """Row of one caption of each picture, the `which`-th."""

    def features(
        self, rows: NDArray[np.int64], mirrored: NDArray[np.int64] | NDArray[np.bool_] | None = None
    ) -> TextFeatures:
        """Features of captions by their rows [B], and whether each picture is mirrored [B]; None for none."""
