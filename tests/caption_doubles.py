"""A text encoder whose vectors tell what they were made of, for tests of what keeps and feeds them."""

import re
from pathlib import Path

import numpy as np

from creativeai.text import TextFeatures
from creativeai.text.augmentation import PLAIN, TextAugmentation
from creativeai.training.caption_bank import CaptionBank
from creativeai.training.texts import CaptionKinds, TrainingTexts


class NumberEncoder:
    """Of "caption 12 left": its number, whether it says right, whether it was swapped; up to five words."""

    name, dim, max_words = "number", 3, 5

    def __init__(self, digest: str = "a" * 64) -> None:
        self.digest = digest
        self.encoded: list[str] = []

    def encode(self, captions: list[str]) -> TextFeatures:
        self.encoded += captions
        sentence = np.array([_vector(caption) for caption in captions], np.float32)
        num_words = 1 + sentence[:, 0].astype(int) % self.max_words
        mask = np.arange(self.max_words) < num_words[:, None]
        return TextFeatures(sentence, sentence[:, None] * mask[:, :, None], mask)

    def word_places(self, text: str) -> list[str]:
        return text.split()

    def unknown_words(self, text: str) -> list[str]:
        return []

    def num_known_words(self, text: str) -> int:
        return sum(word != "???" for word in text.split())


def _vector(caption: str) -> tuple[float, float, float]:
    number = re.search(r"\d+", caption)
    return float(number[0]) if number else -1.0, "right" in caption, caption.count("swapped")


def numbered_texts(num_captions: list[int], augmentation: TextAugmentation = PLAIN) -> TrainingTexts:
    """Texts of pictures with so many captions: the j-th caption of all has the number j."""
    numbers = iter(range(sum(num_captions)))
    kinds: list[CaptionKinds] = [
        (tuple(f"caption {next(numbers)} left" for _ in range(num)), (), ()) for num in num_captions
    ]
    return TrainingTexts(kinds, augmentation, lambda text: "???" not in text)


def bank_in(folder: Path, *, with_words: bool = False) -> CaptionBank:
    """A bank of numbers."""
    return CaptionBank(NumberEncoder(), folder, with_words=with_words)
