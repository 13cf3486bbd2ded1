"""Reed's character CNN-RNN at run time: one vector for the sentence, read letter by letter."""

from functools import lru_cache
from pathlib import Path

import numpy as np

from creativeai.errors import TextError
from creativeai.text.alphabet import UnknownCharacters, character_ids, has_character
from creativeai.text.encoder_files import GRAPH_NAME, checked_digest, open_graph, unusable
from creativeai.text.features import Encoding, TextFeatures, stack_encodings
from creativeai.text.typed_words import words_as_typed

__all__ = ["CharCnnRnnText"]

_CACHE_SIZE = 256  # encodings kept; 8 kB each
_REMEDY = "export the text encoder again"


class CharCnnRnnText:
    """The character CNN-RNN, as trained by `creativeai train char_cnn_rnn` and exported, or imported.

    It has no vectors of words. What the contract asks for of them is one place, the whole sentence, whose
    vector is the sentence's: a model with attention runs on it, and attends to the sentence everywhere.

    Each caption runs alone, so its features are the same bits whatever is encoded next to it. Safe to use
    from several threads.

    Args:
        folder: Has `model.onnx`, which knows how it takes unknown characters, and `encoder.json` with its
            SHA-256.

    Raises:
        TextError: A file is missing, damaged or not what it should be.
    """

    name = "char_cnn_rnn"
    max_words = 1

    def __init__(self, folder: Path) -> None:
        self.digest = checked_digest(folder, (GRAPH_NAME,), _REMEDY)
        self._unknown: UnknownCharacters
        try:
            self._session = open_graph(folder / GRAPH_NAME)
            unknown = self._session.get_modelmeta().custom_metadata_map["unknown_characters"]
            if unknown not in ("port", "lua"):
                raise ValueError(f"unknown_characters={unknown}")
            self._unknown = "lua" if unknown == "lua" else "port"
            self.dim = int({out.name: out for out in self._session.get_outputs()}["sentence"].shape[1])
        except Exception as error:  # ONNX Runtime's exceptions have no base of their own
            raise unusable(folder, error, _REMEDY) from None
        self._encode_one = lru_cache(_CACHE_SIZE)(self._encode_uncached)

    def encode(self, captions: list[str]) -> TextFeatures:
        """Encode captions; see `TextEncoder.encode`."""
        return stack_encodings([self._encode_one(caption) for caption in captions], self.max_words, self.dim)

    def _encode_uncached(self, caption: str) -> Encoding:
        if not self.num_known_words(caption):
            raise TextError(
                f"there is no word in the text {caption[:80]!r} in letters that this model has learnt: "
                "describe the picture in English"
            )
        ids = np.array([character_ids(caption, self._unknown)], np.int64)
        [sentence] = self._session.run(["sentence"], {"ids": ids})
        return sentence[0], sentence

    def word_places(self, text: str) -> list[str]:
        """The text itself, at its only place; see `TextEncoder.word_places`."""
        return [" ".join(text.split())] if self.num_known_words(text) else []

    def unknown_words(self, text: str) -> list[str]:
        """Words without a character of the alphabet; see `TextEncoder.unknown_words`."""
        return list(dict.fromkeys(word for word in words_as_typed(text) if not self._is_known(word)))

    def num_known_words(self, text: str) -> int:
        """Number of words with a character of the alphabet; see `TextEncoder.num_known_words`."""
        return sum(self._is_known(word) for word in words_as_typed(text))

    def _is_known(self, word: str) -> bool:
        return has_character(word, self._unknown)
