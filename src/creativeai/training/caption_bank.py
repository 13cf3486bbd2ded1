"""Features of texts, each encoded when it is first met and then kept in a file beside the dataset.

Nothing is encoded before a training begins: what its steps show is encoded on the way, and a second training
on the dataset finds it done. The file only ever grows, a record for each text; several processes may write
it at a time.
"""

import hashlib
import os
import struct
import zlib
from collections.abc import Callable, Sequence
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from creativeai.text.encoder import TextEncoder
from creativeai.text.features import TextFeatures

try:
    import fcntl
except ImportError:  # Windows has no such lock: there every process encodes for itself
    fcntl = None  # type: ignore[assignment]

__all__ = ["CaptionBank"]

_HEAD = struct.Struct("<16sHI")
"""Of a record: digest of the text, number L of word vectors, checksum of digest and vectors."""
_KEY_BYTES = 16
_MOST_KEPT = 50_000
"""Records in memory where they can't be written; the oldest are forgotten."""


class _Record(NamedTuple):
    sentence: NDArray[np.float32]
    """[D]."""
    words: NDArray[np.float16]
    """[L, D]; none where they are not kept."""


class CaptionBank:
    """What an encoder gives for texts, from memory or disk where it was asked before.

    Args:
        encoder: The text encoder.
        folder: Where the file is kept: the dataset's. One that can't be written to is no obstacle.
        with_words: Keep the word vectors too, in half precision.
    """

    def __init__(self, encoder: TextEncoder, folder: Path, *, with_words: bool = False) -> None:
        self.encoder = encoder
        self.dim = encoder.dim
        self.with_words = with_words
        # By the text itself, so that neither new captions nor other augmentation make any of it wrong.
        kind = "-words" if with_words else ""
        self._file = folder / f"text-{encoder.name}-{encoder.digest[:16]}{kind}.bank"
        self._places: dict[bytes, int] = {}  # where in the file the record of a text begins
        self._end = 0  # of the records known
        self._kept: dict[bytes, _Record] = {}
        self._knows = lru_cache(maxsize=100_000)(lambda word: encoder.num_known_words(word) > 0)
        self._use_file(os.O_RDONLY, self._take_in)

    def knows(self, text: str) -> bool:
        """Whether the encoder can make use of a word of the text."""
        return any(self._knows(word) for word in text.split()) or self.encoder.num_known_words(text) > 0

    def features(self, texts: Sequence[str]) -> TextFeatures:
        """Features of B texts; words are empty ([B, 0, D]) where they are not kept.

        Raises:
            TextError: The encoder knows no word of a text.
        """
        keys = [hashlib.blake2b(text.encode(), digest_size=_KEY_BYTES).digest() for text in texts]
        found = self._read(keys)
        if len(found) < len(set(keys)):
            self._use_file(os.O_RDONLY, self._take_in)  # another process may have been here
            found |= self._read([key for key in keys if key not in found])
        new = {key: text for key, text in zip(keys, texts, strict=True) if key not in found}
        if new:
            encoded = {key: self._encode(text) for key, text in new.items()}
            self._keep(encoded)
            found |= encoded
        return self._stacked([found[key] for key in keys])

    def _encode(self, text: str) -> _Record:
        features = self.encoder.encode([text])
        words = features.words[0][features.mask[0]] if self.with_words else features.words[0, :0]
        return _Record(features.sentence[0].astype(np.float32), words.astype(np.float16))

    def _stacked(self, records: list[_Record]) -> TextFeatures:
        num_words = self.encoder.max_words if self.with_words else 0
        words = np.zeros((len(records), num_words, self.dim), np.float32)
        mask = np.zeros((len(records), num_words), np.bool_)
        for row, record in enumerate(records):
            words[row, : len(record.words)] = record.words
            mask[row, : len(record.words)] = True
        return TextFeatures(np.stack([record.sentence for record in records]), words, mask)

    def _size(self, num_words: int) -> int:
        return _HEAD.size + self.dim * (4 + 2 * num_words)

    def _use_file(self, flags: int, use: Callable[[int], None]) -> bool:
        """Call with the open file; false where it can't be opened, read or written."""
        try:
            descriptor = os.open(self._file, flags, 0o644)
        except OSError:
            return False
        try:
            use(descriptor)
        except OSError:
            return False
        finally:
            os.close(descriptor)
        return True

    def _take_in(self, descriptor: int) -> None:
        """Learn of the records that were added since."""
        length = os.fstat(descriptor).st_size
        if length < self._end:  # it was replaced
            self._places, self._end = {}, 0
        while self._end + _HEAD.size <= length:
            key, num_words, _ = _HEAD.unpack(os.pread(descriptor, _HEAD.size, self._end))
            size = self._size(num_words)
            if num_words > self.encoder.max_words or self._end + size > length:
                return  # what a killed process left of its last record
            self._places[key] = self._end
            self._end += size

    def _read(self, keys: list[bytes]) -> dict[bytes, _Record]:
        found = {key: self._kept[key] for key in keys if key in self._kept}

        def read(descriptor: int) -> None:
            for key in keys:
                if key in self._places and key not in found:
                    record = self._record(descriptor, key)
                    if record is not None:
                        found[key] = record

        if any(key in self._places for key in keys):
            self._use_file(os.O_RDONLY, read)
        return found

    def _record(self, descriptor: int, key: bytes) -> _Record | None:
        """A record of the file; None where it is damaged or the file has been replaced."""
        head = os.pread(descriptor, _HEAD.size, self._places[key])
        if len(head) < _HEAD.size:
            return None
        own, num_words, checksum = _HEAD.unpack(head)
        content = os.pread(descriptor, self._size(num_words) - _HEAD.size, self._places[key] + _HEAD.size)
        if own != key or zlib.crc32(key + content) != checksum:
            return None
        sentence = np.frombuffer(content, np.float32, self.dim)
        words = np.frombuffer(content, np.float16, offset=4 * self.dim)
        return _Record(sentence, words.reshape(num_words, self.dim))

    def _keep(self, records: dict[bytes, _Record]) -> None:
        def append(descriptor: int) -> None:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            self._take_in(descriptor)
            # Nobody else writes now: what doesn't make up a record is of a process that was killed.
            os.ftruncate(descriptor, self._end)
            content = b"".join(_packed(key, record) for key, record in records.items())
            try:
                written = os.pwrite(descriptor, content, self._end)
            except OSError:
                os.ftruncate(descriptor, self._end)
                raise
            if written < len(content):  # a full disk
                os.ftruncate(descriptor, self._end)
                raise OSError
            self._take_in(descriptor)

        if fcntl is None or not self._use_file(os.O_RDWR | os.O_CREAT, append):
            self._kept |= records
            for key in list(self._kept)[: max(0, len(self._kept) - _MOST_KEPT)]:
                del self._kept[key]


def _packed(key: bytes, record: _Record) -> bytes:
    content = record.sentence.tobytes() + record.words.tobytes()
    return _HEAD.pack(key, len(record.words), zlib.crc32(key + content)) + content
