"""AttnGAN's captions.pickle: [train captions, test captions, words by number, numbers by word]."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from creativeai.data.safe_pickle import read_plain_pickle
from creativeai.errors import DataError
from creativeai.text.vocabulary import END

__all__ = ["PublishedCaptions", "read_captions"]

_MAX_EXAMPLE = 200
"""Characters of an example sentence, as a bundle's manifest allows."""


@dataclass(frozen=True)
class PublishedCaptions:
    """What a text encoder's captions.pickle holds."""

    path: Path
    words: tuple[str, ...]
    """The vocabulary in the order of its numbers; the first is `<end>`."""
    test: tuple[tuple[int, ...], ...]
    """Captions of the pictures that were not trained on, as numbers of words."""

    def examples(self, num: int) -> tuple[str, ...]:
        """So many test captions, always the same ones and each another, as sentences."""
        order = np.random.default_rng(0).permutation(len(self.test))
        sentences = (" ".join(self.words[word] for word in self.test[place] if word) for place in order)
        usable = (sentence for sentence in sentences if sentence and len(sentence) <= _MAX_EXAMPLE)
        return tuple(sentence for _, sentence in zip(range(num), _each_once(usable), strict=False))


def read_captions(path: Path) -> PublishedCaptions:
    """Read a captions.pickle (or DF-GAN's captions_DAMSM.pickle), running nothing in it.

    Raises:
        DataError: It is no such pickle, or its vocabulary is not whole.
    """
    content = read_plain_pickle(path)
    if not isinstance(content, list | tuple) or len(content) != 4:
        raise DataError(
            f"{path} is no captions.pickle of AttnGAN's: that is a list of training captions, test captions, "
            "words by number and numbers by word"
        )
    _, test, by_number, by_word = content
    if not isinstance(by_number, dict) or not isinstance(by_word, dict):
        raise DataError(f"{path}: its third and fourth entry are no vocabulary (words by number, and back)")
    words = tuple(_word(by_number, number, path) for number in range(len(by_number)))
    if words[:1] != (END,):
        raise DataError(f"{path}: word 0 of its vocabulary is not {END}")
    if by_word != {word: number for number, word in enumerate(words)}:
        raise DataError(f"{path}: its two lists of words don't agree: fetch the file again")
    return PublishedCaptions(path, words, tuple(_numbers(test, len(words), path)))


def _word(by_number: dict[Any, Any], number: int, path: Path) -> str:
    word = by_number.get(number)
    if not isinstance(word, str) or [word] != word.split() or not word.isprintable():
        raise DataError(
            f"{path}: word {number} of its vocabulary of {len(by_number):,} is missing or no word"
        )
    return word


def _numbers(captions: Any, num_words: int, path: Path) -> Iterator[tuple[int, ...]]:
    if not isinstance(captions, list | tuple):
        raise DataError(f"{path}: its second entry is no list of captions")
    for caption in captions:
        if not isinstance(caption, list | tuple) or not all(
            type(word) is int and 0 <= word < num_words for word in caption
        ):
            raise DataError(f"{path}: a test caption is not made of numbers of words below {num_words:,}")
        yield tuple(caption)


def _each_once(sentences: Iterator[str]) -> Iterator[str]:
    seen = set()
    for sentence in sentences:
        if sentence not in seen:
            seen.add(sentence)
            yield sentence
