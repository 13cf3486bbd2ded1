"""The contract of a text encoder, and the way to one by its name."""

import json
from functools import lru_cache
from pathlib import Path
from typing import Protocol

from creativeai.errors import TextError
from creativeai.text.features import TextFeatures

ZOO_FOLDER = Path(__file__).parent.parent / "zoo" / "text"
ENCODER_NAMES = ("minilm", "minilm_gru", "char_cnn_rnn", "damsm")
SHIPPED_NAMES = ("minilm", "minilm_gru")
"""Those whose files come with CreativeAI."""


class TextEncoder(Protocol):
    """Turns captions into vectors. The same caption gives the same bits whatever it is encoded with.

    Attributes:
        name: Name by which `load_text_encoder` finds it.
        dim: D, number of features of a sentence or word.
        max_words: T, number of word places; further words count for the sentence vector at most.
        digest: SHA-256 of the encoder's files: a model works only with the encoder it was trained with.
    """

    name: str
    dim: int
    max_words: int
    digest: str

    def encode(self, captions: list[str]) -> TextFeatures:
        """Encode captions.

        Raises:
            TextError: A caption has no word that the encoder can make use of.
        """
        ...

    def word_places(self, text: str) -> list[str]:
        """The word (or word piece) at each of the word places that `encode` fills, in order, for labels."""
        ...

    def unknown_words(self, text: str) -> list[str]:
        """Words of the text the encoder can't make use of, each once, in their order and spelling."""
        ...

    def num_known_words(self, text: str) -> int:
        """Number of words in the text that the encoder can make use of."""
        ...


def encoder_name(folder: Path) -> str:
    """Name of the text encoder whose files are in a folder.

    Raises:
        TextError: There is none.
    """
    try:
        name = json.loads((folder / "encoder.json").read_bytes())["name"]
    except (OSError, ValueError, KeyError, TypeError):
        raise TextError(
            f"{folder} is no text encoder: name one of {', '.join(SHIPPED_NAMES)}, or the folder of your own "
            "(it has an encoder.json)"
        ) from None
    return str(name)


@lru_cache(maxsize=4)
def load_text_encoder(name: str, folder: Path | None = None) -> TextEncoder:
    """Load a text encoder, or return it if it is loaded: several models share one.

    Args:
        name: One of `ENCODER_NAMES`.
        folder: Where the files of one trained by the user are; of no account for those shipped.

    Raises:
        TextError: The name is unknown, a trained encoder's folder isn't given, or a file is damaged.
    """
    if name not in ENCODER_NAMES:
        raise TextError(f"unknown text encoder {name!r}: use one of {', '.join(ENCODER_NAMES)}")
    if name in SHIPPED_NAMES and folder is not None:
        return load_text_encoder(name)  # the one that may be loaded already
    if name == "minilm":
        from creativeai.text.minilm import MiniLM

        return MiniLM(ZOO_FOLDER / name)
    if name == "minilm_gru":
        from creativeai.text.minilm import MiniLM
        from creativeai.text.minilm_gru import MiniLMGru

        minilm = load_text_encoder("minilm")
        assert isinstance(minilm, MiniLM)
        return MiniLMGru(ZOO_FOLDER / name, minilm)
    if folder is None:
        raise TextError(
            f"text encoder {name!r} is trained on your captions and not shipped: train it with "
            f"creativeai train {name}, or give the folder of a trained one"
        )
    if name == "damsm":
        from creativeai.text.damsm import Damsm

        return Damsm(folder)
    from creativeai.text.char_cnn_rnn import CharCnnRnnText

    return CharCnnRnnText(folder)
