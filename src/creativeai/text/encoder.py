"""The contract of a text encoder, and the way to one by its name."""

from functools import lru_cache
from pathlib import Path
from typing import Protocol

from creativeai.errors import TextError
from creativeai.text.features import TextFeatures

ZOO_FOLDER = Path(__file__).parent.parent / "zoo" / "text"
ENCODER_NAMES = ("minilm",)


class TextEncoder(Protocol):
    """Turns captions into vectors. The same caption gives the same bits whatever it is encoded with.

    Attributes:
        name: Name by which `load_text_encoder` finds it.
        dim: D, number of features of a sentence or word.
        max_words: T, number of word places; further words only count for the sentence vector.
        digest: SHA-256 of the encoder's files: a model works only with the encoder it was trained with.
    """

    name: str
    dim: int
    max_words: int
    digest: str

    def encode(self, captions: list[str]) -> TextFeatures:
        """Encode captions.

        Raises:
            TextError: A caption has no word at all.
        """
        ...

    def unknown_words(self, text: str) -> list[str]:
        """Words of the text the encoder can't make use of, each once, in their order and spelling."""
        ...

    def num_known_words(self, text: str) -> int:
        """Number of words in the text that the encoder can make use of."""
        ...


@lru_cache(maxsize=4)
def load_text_encoder(name: str, folder: Path | None = None) -> TextEncoder:
    """Load a text encoder, or return it if it is loaded: several models share one.

    Args:
        name: One of `ENCODER_NAMES`.
        folder: Where its files are; None for those shipped with CreativeAI.

    Raises:
        TextError: The name is unknown, or a file is missing or damaged.
    """
    if name not in ENCODER_NAMES:
        raise TextError(f"unknown text encoder {name!r}: use one of {', '.join(ENCODER_NAMES)}")
    from creativeai.text.minilm import MiniLM

    return MiniLM(folder or ZOO_FOLDER / name)
