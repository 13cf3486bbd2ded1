"""all-MiniLM-L6 as a text encoder: an ONNX file with int8 weights, run by ONNX Runtime."""

import hashlib
import json
import re
from functools import lru_cache
from pathlib import Path

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

from creativeai.errors import TextError
from creativeai.text.features import TextFeatures
from creativeai.text.wordpiece import UNKNOWN_PIECE, WordPiece, is_punctuation, words_of

FILE_NAMES = ("model.onnx", "vocab.txt")
MAX_SENTENCE_PIECES = 126  # with [CLS] and [SEP] the 128 the model was trained with
CACHE_SIZE = 256  # encodings kept; at most 50 kB each
_REMEDY = "install CreativeAI again"
_UNSPEAKABLE = re.compile("[bcdfghjklmnpqrstvwxz]{4}|[aeiouy]{4}|^[^aeiouy]+$")

_Encoding = tuple[NDArray[np.float32], NDArray[np.float32]]


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
        self.digest = _checked_digest(folder)
        options = ort.SessionOptions()
        options.intra_op_num_threads = 1
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        options.enable_cpu_mem_arena = False
        # Without this, int8 products overflow on x86 processors that lack VNNI.
        options.add_session_config_entry("session.x64quantprecision", "1")
        try:
            vocabulary = (folder / "vocab.txt").read_text(encoding="utf-8")
            self._tokeniser = WordPiece(vocabulary.rstrip("\n").split("\n"))
            self._start, self._end = self._tokeniser.id("[CLS]"), self._tokeniser.id("[SEP]")
            model = folder / "model.onnx"
            self._session = ort.InferenceSession(model, options, providers=["CPUExecutionProvider"])
        except Exception as error:  # ONNX Runtime's exceptions have no base of their own
            reason = " ".join(str(error).split())[:200]
            raise TextError(f"{folder} has no usable text encoder ({reason}): {_REMEDY}") from None
        self._encode_one = lru_cache(CACHE_SIZE)(self._encode_uncached)

    def encode(self, captions: list[str]) -> TextFeatures:
        """Encode captions; see `TextEncoder.encode`."""
        sentence = np.zeros((len(captions), self.dim), np.float32)
        words = np.zeros((len(captions), self.max_words, self.dim), np.float32)
        mask = np.zeros((len(captions), self.max_words), np.bool_)
        for row, caption in enumerate(captions):
            sentence[row], states = self._encode_one(caption)
            words[row, : len(states)] = states
            mask[row, : len(states)] = True
        return TextFeatures(sentence, words, mask)

    def _encode_uncached(self, caption: str) -> _Encoding:
        """Sentence vector [D] and word features [at most T, D] of one caption."""
        pieces = self._tokeniser.encode(caption)[:MAX_SENTENCE_PIECES]
        if not pieces:
            raise TextError(f"there is no word in the text {caption[:80]!r}: describe the picture in words")
        ids = np.array([[self._start, *pieces, self._end]], np.int64)
        states = self._session.run(["last_hidden_state"], {"input_ids": ids})[0][0]
        mean = states.mean(axis=0)
        return mean / np.linalg.norm(mean), states[1:-1][: self.max_words].copy()

    def unknown_words(self, text: str) -> list[str]:
        """Words the encoder can't use; see `TextEncoder.unknown_words`.

        A word is unknown if it is a picture or in a script the model hasn't learnt (no Latin letter and no
        digit), if it has a character that is in no piece, or if it is gibberish such as `asdfgh`: it comes
        apart into three or more crumbs of two letters or less on average (as, df, gh; but so does stork) and
        can't be spoken either (four consonants or four vowels in a row, or no vowel).
        """
        return list(dict.fromkeys(word for word in _words_as_typed(text) if not self._is_known(word)))

    def num_known_words(self, text: str) -> int:
        """Number of usable words; see `TextEncoder.num_known_words`."""
        return sum(self._is_known(word) for word in _words_as_typed(text))

    def _is_known(self, word: str) -> bool:
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


def _words_as_typed(text: str) -> list[str]:
    """Runs of what is neither space nor punctuation, in the user's spelling."""
    spaced = "".join(" " if is_punctuation(character) else character for character in text)
    return [word for word in spaced.split() if words_of(word)]


def _checked_digest(folder: Path) -> str:
    """One SHA-256 for the encoder from those of its files, which must be the ones `encoder.json` states."""
    try:
        stated = json.loads((folder / "encoder.json").read_bytes())["files"]
        lines = ""
        for name in FILE_NAMES:
            with (folder / name).open("rb") as file:
                sha256 = hashlib.file_digest(file, "sha256").hexdigest()
            if sha256 != stated[name]["sha256"]:
                raise TextError(f"{folder / name} is damaged (its SHA-256 is not the stated one): {_REMEDY}")
            lines += f"{sha256}  {name}\n"
    except OSError as error:
        raise TextError(f"can't read the text encoder's {error.filename}: {_REMEDY}") from None
    except (ValueError, KeyError, TypeError):
        raise TextError(f"{folder / 'encoder.json'} is damaged: {_REMEDY}") from None
    return hashlib.sha256(lines.encode()).hexdigest()
