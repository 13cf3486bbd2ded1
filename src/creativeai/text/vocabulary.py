"""The words of a dataset's captions, by number: what the DAMSM encoder reads instead of pieces or letters.

As in AttnGAN, a word is a run of letters, digits or marks in lower case, and number 0 is `<end>`. There are
three ways to take a text apart:

- `plain`, ours, takes accents off;
- `attngan`, the authors' own, for their published encoders, drops accented letters and keeps `_` in words;
- `unicode`, for encoders that others trained on captions in other languages, keeps every letter as it is.
"""

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable
from typing import Literal, get_args

from creativeai.text.typed_words import words_as_typed

__all__ = ["END", "TOKENISERS", "Tokeniser", "Vocabulary", "build_vocabulary", "tokens_of"]

END = "<end>"
Tokeniser = Literal["plain", "attngan", "unicode"]
TOKENISERS: tuple[Tokeniser, ...] = get_args(Tokeniser)


class Vocabulary:
    """Words and their numbers.

    Args:
        words: The words in the order of their numbers; the first one is `<end>`.
        tokeniser: How texts are taken apart.

    Raises:
        ValueError: The first word is another one, or a word stands twice.
    """

    def __init__(self, words: list[str], tokeniser: Tokeniser = "plain") -> None:
        self._ids = {word: id for id, word in enumerate(words)}
        if words[:1] != [END] or len(self._ids) != len(words):
            raise ValueError(f"a vocabulary begins with {END} and has each word once")
        self.words = tuple(words)
        self.tokeniser: Tokeniser = tokeniser

    def __len__(self) -> int:
        return len(self.words)

    def known_tokens(self, text: str) -> list[str]:
        """The text's words that have a number, in order."""
        return [token for token in tokens_of(text, self.tokeniser) if token in self._ids]

    def ids(self, text: str) -> list[int]:
        """Numbers of the text's words; those without one are left out."""
        return [self._ids[token] for token in self.known_tokens(text)]

    def knows(self, word: str) -> bool:
        """Whether a word as typed has a number, or each of the words it comes apart into."""
        tokens = tokens_of(word, self.tokeniser)
        return bool(tokens) and all(token in self._ids for token in tokens)

    def words_as_typed(self, text: str) -> list[str]:
        """The text's words in the spelling of whoever typed them, for telling which have no number."""
        if self.tokeniser == "unicode":
            text = unicodedata.normalize("NFC", text)
        return words_as_typed(text) if self.tokeniser == "plain" else _runs(text)


def build_vocabulary(captions: Iterable[str], min_count: int = 1) -> Vocabulary:
    """The vocabulary of captions, in alphabetical order.

    Args:
        captions: The captions to train on.
        min_count: How often a word must occur at least.
    """
    counts = Counter(token for caption in captions for token in tokens_of(caption))
    return Vocabulary([END, *sorted(word for word, count in counts.items() if count >= min_count)])


def tokens_of(text: str, tokeniser: Tokeniser = "plain") -> list[str]:
    """Words of a text in lower case; what becomes of accented letters, the tokeniser says."""
    if tokeniser == "unicode":
        return _runs(unicodedata.normalize("NFC", text).lower())
    if tokeniser == "attngan":
        ascii_words = (word.encode("ascii", "ignore").decode() for word in _runs(text.lower()))
        return [word for word in ascii_words if word]
    return [token for word in words_as_typed(text) for token in _runs(_plain(word))]


def _runs(text: str) -> list[str]:
    return re.findall(r"\w+", text)


def _plain(word: str) -> str:
    decomposed = unicodedata.normalize("NFD", word.lower())
    return "".join(part for part in decomposed if unicodedata.category(part) != "Mn")
