"""The 70 characters that Reed's character CNN-RNN reads, and how a caption becomes their numbers.

Its two published implementations differ in what they do with the rest:

- `port`, the usual PyTorch port, reads upper-case letters as lower-case ones and the unknown as a space;
- `lua`, the authors' own, leaves both out: their place stays empty. It reads bytes, so a letter such as `é`
  leaves two places empty.

`port` is the sensible one for text as people type it: a capital must not punch a hole into a word.
"""

from typing import Literal

__all__ = ["ALPHABET", "NUM_PLACES", "UnknownCharacters", "character_ids", "has_character"]

ALPHABET = "abcdefghijklmnopqrstuvwxyz0123456789-,;.!?:'\"/\\|_@#$%^&*~`+-=<>()[]{} "
"""As published, with `-` standing twice; the later one is in use."""
NUM_PLACES = 201
"""Characters of a caption that are read; what follows isn't."""

UnknownCharacters = Literal["port", "lua"]

_IDS = {character: place for place, character in enumerate(ALPHABET, start=1)}


def character_ids(text: str, unknown: UnknownCharacters = "port") -> list[int]:
    """Numbers of the text's characters, 1 to 70, and 0 where there is none; 201 of them.

    Args:
        text: The caption.
        unknown: What to do with characters outside of the alphabet.
    """
    if unknown == "lua":
        ids = [_IDS.get(chr(byte), 0) for byte in text.encode("utf-8", "replace")[:NUM_PLACES]]
    else:
        ids = [_IDS.get(character, _IDS[" "]) for character in text.lower()[:NUM_PLACES]]
    return ids + [0] * (NUM_PLACES - len(ids))


def has_character(word: str, unknown: UnknownCharacters = "port") -> bool:
    """Whether some character of a word is in the alphabet."""
    return any(character in _IDS for character in (word if unknown == "lua" else word.lower()))
