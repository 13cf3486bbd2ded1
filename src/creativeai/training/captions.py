"""Features of a dataset's captions, computed once and kept beside the dataset."""

import re
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from creativeai.data import CaptionedImages
from creativeai.text.caption_vectors import CaptionVectors
from creativeai.text.encoder import TextEncoder
from creativeai.whole_files import replace_file

__all__ = ["encode_captions", "mirrored_caption"]

_SIDES = {"left": "right", "right": "left"}
_OnProgress = Callable[[int, int], None]


def mirrored_caption(caption: str) -> str:
    """The caption of the mirrored picture: left and right change places."""
    return re.sub(r"\b(left|right)\b", lambda match: _SIDES[match[0].lower()], caption, flags=re.IGNORECASE)


def encode_captions(
    dataset: CaptionedImages,
    encoder: TextEncoder,
    on_progress: _OnProgress | None = None,
    *,
    with_words: bool = False,
) -> CaptionVectors:
    """Encode every caption and its mirrored form, or read what an earlier call left in the dataset's folder.

    Args:
        dataset: The prepared dataset.
        encoder: The text encoder.
        on_progress: Called with the captions done and their number.
        with_words: Keep the word vectors too, in half precision.
    """
    counts = [len(record.all_captions) for record in dataset.records]
    offsets = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
    num_captions = int(offsets[-1])
    # The name holds both digests, so that neither a new encoder nor new captions meet old vectors.
    stem = f"text-{encoder.name}-{encoder.digest[:8]}-{dataset.meta.digest[:8]}"
    files = {"sentences": dataset.path / f"{stem}.npy"}
    shapes: dict[str, tuple[int, ...]] = {"sentences": (num_captions, 2, encoder.dim)}
    if with_words:
        files |= {"words": dataset.path / f"{stem}-words.npy", "mask": dataset.path / f"{stem}-mask.npy"}
        shapes |= {
            "words": (num_captions, 2, encoder.max_words, encoder.dim),
            "mask": (num_captions, 2, encoder.max_words),
        }
    arrays = _read(files, shapes)
    if arrays is None:
        arrays = _encode(dataset, encoder, shapes, on_progress)
        with suppress(OSError):  # a read-only dataset is encoded each time
            for name, file in files.items():
                replace_file(file, _saver(arrays[name]))
            arrays = _read(files, shapes) or arrays
    return CaptionVectors(offsets=offsets, **arrays)  # type: ignore[arg-type]


_KINDS = {"sentences": np.float32, "words": np.float16, "mask": np.bool_}


def _read(
    files: dict[str, Path], shapes: dict[str, tuple[int, ...]]
) -> dict[str, NDArray[np.generic]] | None:
    """The arrays of an earlier call, left on disk; None where one is absent or damaged."""
    arrays = {}
    try:
        for name, file in files.items():
            arrays[name] = np.load(file, mmap_mode="r", allow_pickle=False)
            if arrays[name].shape != shapes[name] or arrays[name].dtype != _KINDS[name]:
                return None
    except (OSError, ValueError, EOFError):
        return None
    return arrays


def _saver(array: NDArray[np.generic]) -> Callable[[BinaryIO], None]:
    return lambda file: np.save(file, array)


def _encode(
    dataset: CaptionedImages,
    encoder: TextEncoder,
    shapes: dict[str, tuple[int, ...]],
    on_progress: _OnProgress | None,
) -> dict[str, NDArray[np.generic]]:
    arrays: dict[str, NDArray[np.generic]] = {
        name: np.zeros(shape, _KINDS[name]) for name, shape in shapes.items()
    }
    captions = [caption for record in dataset.records for caption in record.all_captions]
    for row, caption in enumerate(captions):
        mirrored = mirrored_caption(caption)
        sides = [caption] if mirrored == caption else [caption, mirrored]
        for side, text in enumerate(sides):
            features = encoder.encode([text])
            for name, value in zip(_KINDS, (features.sentence, features.words, features.mask), strict=True):
                if name in arrays:
                    arrays[name][row, side:] = value[0]
        if on_progress and row % 50 == 0:
            on_progress(row, len(captions))
    return arrays
