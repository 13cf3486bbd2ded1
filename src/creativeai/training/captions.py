"""Sentence vectors of a dataset's captions, computed once and kept beside the dataset."""

import re
from collections.abc import Callable
from contextlib import suppress

import numpy as np

from creativeai.data import CaptionedImages
from creativeai.text.caption_vectors import CaptionVectors
from creativeai.text.encoder import TextEncoder
from creativeai.training.atomic import replace_file

__all__ = ["encode_captions", "mirrored_caption"]

_SIDES = {"left": "right", "right": "left"}


def mirrored_caption(caption: str) -> str:
    """The caption of the mirrored picture: left and right change places."""
    return re.sub(r"\b(left|right)\b", lambda match: _SIDES[match[0].lower()], caption, flags=re.IGNORECASE)


def encode_captions(
    dataset: CaptionedImages, encoder: TextEncoder, on_progress: Callable[[int, int], None] | None = None
) -> CaptionVectors:
    """Encode every caption and its mirrored form, or read what an earlier call left in the dataset's folder.

    Args:
        dataset: The prepared dataset.
        encoder: The text encoder.
        on_progress: Called with the captions done and their number.
    """
    counts = [len(record.captions) for record in dataset.records]
    offsets = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
    # The name holds both digests, so that neither a new encoder nor new captions meet old vectors.
    cache = dataset.path / f"text-{encoder.name}-{encoder.digest[:8]}-{dataset.meta.digest[:8]}.npy"
    shape = (int(offsets[-1]), 2, encoder.dim)
    with suppress(OSError, ValueError, EOFError):  # absent or damaged: made anew
        sentences = np.load(cache, mmap_mode="r", allow_pickle=False)
        if sentences.shape == shape and sentences.dtype == np.float32:
            return CaptionVectors(sentences, offsets)
    sentences = np.empty(shape, np.float32)
    captions = [caption for record in dataset.records for caption in record.captions]
    for row, caption in enumerate(captions):
        sentences[row] = encoder.encode([caption]).sentence
        mirrored = mirrored_caption(caption)
        if mirrored != caption:
            sentences[row, 1] = encoder.encode([mirrored]).sentence[0]
        if on_progress and row % 50 == 0:
            on_progress(row, len(captions))
    with suppress(OSError):  # a read-only dataset is encoded each time
        replace_file(cache, lambda file: np.save(file, sentences))
    return CaptionVectors(sentences, offsets)
