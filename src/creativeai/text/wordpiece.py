"""BERT's uncased WordPiece tokeniser, for text as people type it.

Our own 100 lines because the `tokenizers` library brings huggingface_hub, hf-xet and httpx with it: some 35
MB and 90 ms of start that a server of pictures doesn't need. The tests hold it equal to `tokenizers` on every
caption of the bird photos and on arbitrary text.
"""

import unicodedata
from collections.abc import Iterator
from functools import lru_cache

UNKNOWN_PIECE = "[UNK]"
MAX_WORD_LENGTH = 100
_CJK_RANGES = (
    (0x3400, 0x4DBF),
    (0x4E00, 0x9FFF),
    (0xF900, 0xFAFF),
    (0x20000, 0x2A6DF),
    (0x2A700, 0x2B73F),
    (0x2B740, 0x2B81F),
    (0x2B920, 0x2CEAF),
    (0x2F800, 0x2FA1F),
)


class WordPiece:
    """Splits text into words and words into pieces of a vocabulary.

    Args:
        vocabulary: The pieces in the order of their ids; pieces inside a word start with `##`.
    """

    def __init__(self, vocabulary: list[str]) -> None:
        self._ids = {piece: id for id, piece in enumerate(vocabulary)}

    def id(self, piece: str) -> int:
        """Id of a piece that is in the vocabulary."""
        return self._ids[piece]

    def pieces_of_word(self, word: str) -> list[str]:
        """Pieces of one word, the longest first; `[UNK]` alone if some part is in no piece."""
        if len(word) > MAX_WORD_LENGTH:
            return [UNKNOWN_PIECE]
        pieces: list[str] = []
        start = 0
        while start < len(word):
            prefix = "##" if start else ""
            for end in range(len(word), start, -1):
                piece = prefix + word[start:end]
                if piece in self._ids:
                    pieces.append(piece)
                    start = end
                    break
            else:
                return [UNKNOWN_PIECE]
        return pieces

    def encode(self, text: str) -> list[int]:
        """Ids of a text's pieces, without special tokens."""
        return [self._ids[piece] for word in words_of(text) for piece in self.pieces_of_word(word)]


def words_of(text: str) -> list[str]:
    """Lower-case words without accents; each punctuation mark and Chinese character is a word."""
    return list(_split("".join(_normalised(character) for character in text)))


def _split(text: str) -> Iterator[str]:
    for run in text.split():
        word = ""
        for character in run:
            if is_punctuation(character):
                if word:
                    yield word
                yield character
                word = ""
            else:
                word += character
        if word:
            yield word


@lru_cache(maxsize=4096)
def _normalised(character: str) -> str:
    """What becomes of one character: nothing, a space, or its plain lower-case letters."""
    if character in "\t\n\r":
        return " "
    if character == "\ufffd" or unicodedata.category(character) in ("Cc", "Cf", "Co", "Cs"):
        return ""
    if character.isspace():
        return " "
    if any(first <= ord(character) <= last for first, last in _CJK_RANGES):
        character = f" {character} "
    decomposed = unicodedata.normalize("NFD", character)
    return "".join(part.lower() for part in decomposed if unicodedata.category(part) != "Mn")


@lru_cache(maxsize=4096)
def is_punctuation(character: str) -> bool:
    """Whether BERT splits at it: Unicode's punctuation and every ASCII sign, such as `$` and `+`."""
    if character.isascii():
        return character.isprintable() and not character.isalnum() and character != " "
    return unicodedata.category(character).startswith("P")
