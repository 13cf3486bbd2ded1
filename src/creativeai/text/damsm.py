"""AttnGAN's text encoder at run time: words of a vocabulary, read by an LSTM in both directions."""

from functools import lru_cache
from pathlib import Path

import numpy as np

from creativeai.errors import TextError
from creativeai.text.encoder_files import GRAPH_NAME, checked_digest, open_graph, unusable
from creativeai.text.features import Encoding, TextFeatures, stack_encodings
from creativeai.text.vocabulary import TOKENISERS, Tokeniser, Vocabulary

__all__ = ["VOCABULARY_NAME", "Damsm"]

VOCABULARY_NAME = "vocab.txt"
_CACHE_SIZE = 256  # encodings kept; at most 30 kB each
_REMEDY = "export the text encoder again"


class Damsm:
    """The text side of DAMSM, trained by `creativeai train damsm` and exported, or imported from AttnGAN.

    Words outside of the vocabulary are passed over, and of the rest only the first `max_words` count, for the
    sentence vector too. Each caption runs alone and unpadded, so its features are the same bits whatever is
    encoded next to it. Safe to use from several threads.

    Args:
        folder: Has `model.onnx`, which knows `max_words` and how texts are taken apart, `vocab.txt` with a
            word a line, and `encoder.json` with the SHA-256 of both.

    Raises:
        TextError: A file is missing, damaged or not what it should be.
    """

    name = "damsm"

    def __init__(self, folder: Path) -> None:
        self.digest = checked_digest(folder, (GRAPH_NAME, VOCABULARY_NAME), _REMEDY)
        try:
            vocabulary = (folder / VOCABULARY_NAME).read_text(encoding="utf-8")
            self._session = open_graph(folder / GRAPH_NAME)
            settings = self._session.get_modelmeta().custom_metadata_map
            self.max_words = int(settings["max_words"])
            self._vocabulary = Vocabulary(vocabulary.rstrip("\n").split("\n"), _tokeniser_in(settings))
            self.dim = int({out.name: out for out in self._session.get_outputs()}["sentence"].shape[1])
        except Exception as error:  # ONNX Runtime's exceptions have no base of their own
            raise unusable(folder, error, _REMEDY) from None
        self._encode_one = lru_cache(_CACHE_SIZE)(self._encode_uncached)

    def encode(self, captions: list[str]) -> TextFeatures:
        """Encode captions; see `TextEncoder.encode`."""
        return stack_encodings([self._encode_one(caption) for caption in captions], self.max_words, self.dim)

    def _encode_uncached(self, caption: str) -> Encoding:
        ids = self._vocabulary.ids(caption)[: self.max_words]
        if not ids:
            raise TextError(
                f"there is no word in the text {caption[:80]!r} that this model has learnt: use other words"
            )
        inputs = {"ids": np.array([ids], np.int64), "lengths": np.array([len(ids)], np.int64)}
        words, sentence = self._session.run(["words", "sentence"], inputs)
        return sentence[0], words[0]

    def word_places(self, text: str) -> list[str]:
        """Known words in lower case; see `TextEncoder.word_places`."""
        return self._vocabulary.known_tokens(text)[: self.max_words]

    def unknown_words(self, text: str) -> list[str]:
        """Words outside of the vocabulary; see `TextEncoder.unknown_words`."""
        return list(
            dict.fromkeys(
                word for word in self._vocabulary.words_as_typed(text) if not self._vocabulary.knows(word)
            )
        )

    def num_known_words(self, text: str) -> int:
        """Number of words in the vocabulary; see `TextEncoder.num_known_words`."""
        return sum(self._vocabulary.knows(word) for word in self._vocabulary.words_as_typed(text))


def _tokeniser_in(settings: dict[str, str]) -> Tokeniser:
    name = settings.get("tokeniser", "plain")
    tokeniser = next((known for known in TOKENISERS if known == name), None)
    if tokeniser is None:
        raise ValueError(f"tokeniser={name}")
    return tokeniser
