"""A text encoder that costs nothing: for benchmarks of what comes after it."""

import hashlib

import numpy as np

from creativeai.text.features import TextFeatures


class RandomEncoder:
    """Random vectors, the same for the same text.

    Args:
        dim: D.
        max_words: T; every text has as many words.
    """

    name, digest = "random", "0" * 64

    def __init__(self, dim: int, max_words: int) -> None:
        self.dim = dim
        self.max_words = max_words

    def encode(self, captions: list[str]) -> TextFeatures:
        """Random features."""
        seeds = [hashlib.sha256(caption.encode()).digest() for caption in captions]
        words = np.stack(
            [np.random.default_rng(list(seed)).normal(size=(self.max_words, self.dim)) for seed in seeds]
        ).astype(np.float32)
        return TextFeatures(words[:, 0], words, np.ones(words.shape[:2], np.bool_))

    def word_places(self, text: str) -> list[str]:
        """Its words."""
        return text.split()[: self.max_words]

    def unknown_words(self, text: str) -> list[str]:
        """None."""
        return []

    def num_known_words(self, text: str) -> int:
        """All."""
        return len(text.split())
