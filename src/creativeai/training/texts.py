"""Which text a step shows with a picture: one of its captions, of one kind, in some of its wordings."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from creativeai.data import CaptionedImages
from creativeai.text.augmentation import TextAugmentation, text_seed
from creativeai.text.colour_swap import recolour, swap_colours
from creativeai.text.mirroring import mirrored_caption

__all__ = ["CaptionKinds", "TrainingTexts", "swapped_text", "training_texts", "unreadable_captions"]

_NUM_CHOICES = 3
_NUM_NAMED = 3
CaptionKinds = tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]
"""Written captions of a picture, short ones, and names."""


@dataclass(frozen=True)
class TrainingTexts:
    """Gives each picture of a step its text, as a function of numbers that the step draws."""

    captions: Sequence[CaptionKinds]
    """Those of every picture."""
    augmentation: TextAugmentation
    """How often each kind is shown, and how the captions are worded."""
    is_usable: Callable[[str], bool]
    """Whether the text encoder can make use of a text; else the caption as it is takes its place."""

    def draw(self, rng: np.random.Generator, num: int) -> NDArray[np.float64]:
        """Numbers [num, 3] in [0, 1) for so many texts: they choose kind, caption and wording."""
        return rng.random((num, _NUM_CHOICES))

    def text(self, picture: int, choices: NDArray[np.float64], mirrored: bool) -> str:
        """The text of a picture.

        Args:
            picture: Its position.
            choices: [3] of `draw`.
            mirrored: Whether the picture is shown mirrored.
        """
        captions = _one_of(self._kinds(picture), choices[0])
        caption = captions[int(choices[1] * len(captions))]
        text = _wording(self.augmentation, caption, int(choices[2] * self.augmentation.variants))
        text = text if self.is_usable(text) else caption
        return mirrored_caption(text) if mirrored else text

    def first(self, picture: int) -> str:
        """The first caption of a picture, as it is."""
        return next(caption for captions in self.captions[picture] for caption in captions)

    def _kinds(self, picture: int) -> list[tuple[float, tuple[str, ...]]]:
        own = self.augmentation
        kinds = list(zip((own.written, own.short, own.name), self.captions[picture], strict=True))
        weighed = [(weight, captions) for weight, captions in kinds if weight and captions]
        return weighed or [(1.0, captions) for _, captions in kinds if captions]


def training_texts(
    dataset: CaptionedImages, augmentation: TextAugmentation, is_usable: Callable[[str], bool]
) -> TrainingTexts:
    """The texts of a prepared dataset's pictures, without the captions that the text encoder can't use."""

    def usable(captions: Sequence[str]) -> tuple[str, ...]:
        return tuple(caption for caption in captions if is_usable(caption))

    kinds: list[CaptionKinds] = [
        (usable(record.captions), usable(record.short_captions), usable(record.name_captions))
        for record in dataset.records
    ]
    return TrainingTexts(kinds, augmentation, is_usable)


def unreadable_captions(dataset: CaptionedImages, is_usable: Callable[[str], bool]) -> str | None:
    """How many captions the text encoder can't use, with some of them; None where it can use all."""
    captions = [(record.file_name, text) for record in dataset.records for text in record.all_captions]
    unreadable = [f"{text[:40]!r} of {name}" for name, text in captions if not is_usable(text)]
    if not unreadable:
        return None
    some = ", ".join(unreadable[:_NUM_NAMED])
    return f"{len(unreadable):,} of {len(captions):,} captions, which are left out: {some}" + (
        ", ..." if len(unreadable) > _NUM_NAMED else ""
    )


@lru_cache(maxsize=200_000)  # reading a caption for its wording takes a millisecond
def swapped_text(text: str) -> str | None:
    """The text asking for the same colours at other parts, or for another colour; None without any colour."""
    swapped = swap_colours(text, text_seed(text, 0))
    return recolour(text, text_seed(text, 1)) if swapped is None else swapped


@lru_cache(maxsize=200_000)
def _wording(augmentation: TextAugmentation, caption: str, number: int) -> str:
    return augmentation.variant(caption, number)


def _one_of(weighed: list[tuple[float, tuple[str, ...]]], choice: float) -> tuple[str, ...]:
    """The kind that a number in [0, 1) falls on."""
    left = choice * sum(weight for weight, _ in weighed)
    for weight, captions in weighed:
        left -= weight
        if left < 0:
            return captions
    return weighed[-1][1]
