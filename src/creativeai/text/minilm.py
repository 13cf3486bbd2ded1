"""all-MiniLM-L6 as a text encoder: an ONNX file with int8 weights, run by ONNX Runtime."""

import re
from functools import lru_cache
from pathlib import Path

import numpy as np

from creativeai.errors import TextError
from creativeai.text.encoder_files import GRAPH_NAME, checked_digest, open_graph, unusable
from creativeai.text.features import Encoding, TextFeatures, stack_encodings
from creativeai.text.typed_words import words_as_typed
from creativeai.text.wordpiece import UNKNOWN_PIECE, WordPiece, words_of

FILE_NAMES = (GRAPH_NAME, "vocab.txt")
MAX_SENTENCE_PIECES = 126  # with [CLS] and [SEP] the 128 the model was trained with
CACHE_SIZE = 256  # encodings kept; at most 50 kB each
_WORD_CACHE_SIZE = 4096
_REMEDY = "install CreativeAI again"
_UNSPEAKABLE = re.compile("[bcdfghjklmnpqrstvwxz]{4}|[aeiouy]{4}|^[^aeiouy]+$")


class MiniLM:
    """The 6-layer MiniLM of sentence-transformers. Word features are its last hidden states.

    Each caption runs alone and unpadded, so its features are the same bits whatever is encoded next to it.
    Safe to use from several threads.

    Args:
        folder: Has `encoder.json`, which states the SHA-256 of `model.onnx` and `vocab.txt`, and these two.

    Raises:
        TextError: A file is missing, damaged or not what it should be.
    """

    name = "minilm"
    dim = 384
    max_words = 32

    def __init__(self, folder: Path) -> None:
        self.digest = checked_digest(folder, FILE_NAMES, _REMEDY)
        try:
            vocabulary = (folder / "vocab.txt").read_text(encoding="utf-8")
            self._pieces = vocabulary.rstrip("\n").split("\n")
            self._tokeniser = WordPiece(self._pieces)
            self._start, self._end = self._tokeniser.id("[CLS]"), self._tokeniser.id("[SEP]")
            self._session = open_graph(folder / GRAPH_NAME)
        except Exception as error:  # ONNX Runtime's exceptions have no base of their own
            raise unusable(folder, error, _REMEDY) from None
        self.encode_one = lru_cache(CACHE_SIZE)(self._encode_uncached)
        """Sentence vector [D] and word features [L, D] of one caption."""
        self._is_known = lru_cache(_WORD_CACHE_SIZE)(self._is_known_uncached)

    def encode(self, captions: list[str]) -> TextFeatures:
        """Encode captions; see `TextEncoder.encode`."""
        return stack_encodings([self.encode_one(caption) for caption in captions], self.max_words, self.dim)

    def _encode_uncached(self, caption: str) -> Encoding:
        """Sentence vector [D] and word features [at most T, D] of one caption."""
        pieces = self._tokeniser.encode(caption)[:MAX_SENTENCE_PIECES]
        if not pieces:
            raise TextError(f"there is no word in the text {caption[:80]!r}: describe the picture in words")
        ids = np.array([[self._start, *pieces, self._end]], np.int64)
        states = self._session.run(["last_hidden_state"], {"input_ids": ids})[0][0]
        mean = states.mean(axis=0)
        return mean / np.linalg.norm(mean), states[1:-1][: self.max_words].copy()

    def word_places(self, text: str) -> list[str]:
        """Word pieces without their `##`; see `TextEncoder.word_places`."""
        ids = self._tokeniser.encode(text)[: self.max_words]
        return [self._pieces[id].removeprefix("##") for id in ids]

    def unknown_words(self, text: str) -> list[str]:
        """Words the encoder can't use; see `TextEncoder.unknown_words`.

        A word is unknown if it is a picture or in a script the model hasn't learnt (no Latin letter and no
        digit), if it has a character that is in no piece, or if it is gibberish such as `asdfgh`: it comes
        apart into three or more crumbs of two letters or less on average (as, df, gh; but so does stork) and
        can't be spoken either (four consonants or four vowels in a row, or no vowel).
        """
        return list(dict.fromkeys(word for word in words_as_typed(text) if not self._is_known(word)))

    def num_known_words(self, text: str) -> int:
        """Number of usable words; see `TextEncoder.num_known_words`."""
        return sum(self._is_known(word) for word in words_as_typed(text))

    def _is_known_uncached(self, word: str) -> bool:
        pieces = [piece for part in words_of(word) for piece in self._tokeniser.pieces_of_word(part)]
        length = sum(len(piece.removeprefix("##")) for piece in pieces)
        return (
            any(re.match("[0-9a-z]", piece.removeprefix("##")) for piece in pieces)
            and UNKNOWN_PIECE not in pieces
            and not (
                len(pieces) >= 3
                and length <= 2 * len(pieces)
                and _UNSPEAKABLE.search("".join(words_of(word)))
            )
        )
