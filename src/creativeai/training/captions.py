"""The captions of a dataset, each encoded when it is asked for, and those of mirrored pictures."""

import re
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from creativeai.data import CaptionedImages
from creativeai.errors import TextError
from creativeai.text.features import TextFeatures
from creativeai.training.caption_bank import CaptionBank

__all__ = ["BankedCaptions", "banked_captions", "mirrored_caption"]

_SIDES = {"left": "right", "right": "left"}


def mirrored_caption(caption: str) -> str:
    """The caption of the mirrored picture: left and right change places."""
    return re.sub(r"\b(left|right)\b", lambda match: _SIDES[match[0].lower()], caption, flags=re.IGNORECASE)


@dataclass(frozen=True)
class BankedCaptions:
    """Captions of N pictures, picture after picture; each is encoded when it is asked for."""

    captions: tuple[str, ...]
    """All M of them."""
    offsets: NDArray[np.int64]
    """[N + 1]: captions of picture i are rows offsets[i] to offsets[i + 1]."""
    bank: CaptionBank

    @property
    def dim(self) -> int:
        """D, length of the sentence vectors."""
        return self.bank.dim

    def num_captions(self, pictures: NDArray[np.int64]) -> NDArray[np.int64]:
        """Number of captions of each picture."""
        return self.offsets[pictures + 1] - self.offsets[pictures]

    def rows(self, pictures: NDArray[np.int64], which: NDArray[np.int64] | int = 0) -> NDArray[np.int64]:
        """Row of one caption of each picture, the `which`-th."""
        return self.offsets[pictures] + which

    def features(
        self, rows: NDArray[np.int64], mirrored: NDArray[np.int64] | NDArray[np.bool_] | None = None
    ) -> TextFeatures:
        """Features of captions by their rows [B], and whether each picture is mirrored [B]; None for none."""
        texts = [self.captions[row] for row in rows]
        sides = np.zeros(len(rows), np.bool_) if mirrored is None else mirrored
        return self.bank.features(
            [mirrored_caption(text) if side else text for text, side in zip(texts, sides, strict=True)]
        )


def banked_captions(dataset: CaptionedImages, bank: CaptionBank) -> BankedCaptions:
    """All captions of a dataset, none of them encoded yet.

    Raises:
        TextError: The encoder knows no word of one.
    """
    captions = tuple(caption for record in dataset.records for caption in record.all_captions)
    for caption in captions:
        if not bank.knows(caption):
            raise TextError(
                f"the text encoder {bank.encoder.name} knows no word of the caption {caption[:80]!r}: "
                "mend the caption, or take another encoder"
            )
    counts = [len(record.all_captions) for record in dataset.records]
    return BankedCaptions(captions, np.concatenate([[0], np.cumsum(counts)]).astype(np.int64), bank)
