"""MiniLM with a code beside it that knows which part has which colour.

In MiniLM's sentence vector "a green bird with a red head" and "a red bird with a green head" are all but the
same. A bidirectional GRU over its word pieces, trained on photos with colour-swapped captions as wrong ones
(the caption's side of a text-image matcher), tells them apart.
"""

from functools import lru_cache
from pathlib import Path

import numpy as np

from creativeai.text.encoder_files import GRAPH_NAME, checked_digest, combined_digest, open_graph, unusable
from creativeai.text.features import Encoding, TextFeatures, stack_encodings
from creativeai.text.minilm import MiniLM

__all__ = ["MiniLMGru"]

_CACHE_SIZE = 256  # encodings kept; at most 80 kB each
_REMEDY = "install CreativeAI again"


class MiniLMGru:
    """MiniLM's vectors, each followed by one of the GRU: the caption's code, or the state at the word.

    Which words it knows is MiniLM's to say. Each caption runs alone and unpadded, so its features are the
    same bits whatever is encoded next to it. Safe to use from several threads.

    Args:
        folder: Has `encoder.json`, which states the SHA-256 of `model.onnx`, and this graph.
        minilm: The encoder that it builds upon.

    Raises:
        TextError: A file is missing, damaged or not what it should be.
    """

    name = "minilm_gru"

    def __init__(self, folder: Path, minilm: MiniLM) -> None:
        own = checked_digest(folder, (GRAPH_NAME,), _REMEDY)
        self.digest = combined_digest(("minilm", GRAPH_NAME), (minilm.digest, own))
        self._minilm = minilm
        self.max_words = minilm.max_words
        try:
            self._session = open_graph(folder / GRAPH_NAME)
            code = {out.name: out for out in self._session.get_outputs()}["code"]
            self.dim = minilm.dim + int(code.shape[1])
        except Exception as error:  # ONNX Runtime's exceptions have no base of their own
            raise unusable(folder, error, _REMEDY) from None
        self._encode_one = lru_cache(_CACHE_SIZE)(self._encode_uncached)

    def encode(self, captions: list[str]) -> TextFeatures:
        """Encode captions; see `TextEncoder.encode`."""
        return stack_encodings([self._encode_one(caption) for caption in captions], self.max_words, self.dim)

    def _encode_uncached(self, caption: str) -> Encoding:
        """Sentence vector [D] and word features [L, D] of one caption."""
        sentence, words = self._minilm.encode_one(caption)
        code, states = self._session.run(
            ["code", "states"], {"sentence": sentence[None], "words": words[None]}
        )
        both = np.concatenate([sentence, code[0]]) / np.sqrt(np.float32(2))  # each of length 1
        return both, np.concatenate([words, states[0]], axis=1)

    def word_places(self, text: str) -> list[str]:
        """MiniLM's word pieces; see `TextEncoder.word_places`."""
        return self._minilm.word_places(text)

    def unknown_words(self, text: str) -> list[str]:
        """Words that MiniLM can't use; see `TextEncoder.unknown_words`."""
        return self._minilm.unknown_words(text)

    def num_known_words(self, text: str) -> int:
        """Number of words that MiniLM can use; see `TextEncoder.num_known_words`."""
        return self._minilm.num_known_words(text)
