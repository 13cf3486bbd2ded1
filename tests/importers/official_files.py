"""Files as the original authors publish them, with random weights: at their sizes, or an eighth of them."""

import json
import pickle  # noqa: TID251  -- writes what is published as a pickle; nothing is loaded with it
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

TESTS = Path(__file__).parent.parent
PUBLISHED: dict[str, dict[str, list[int]]] = {
    **json.loads((TESTS / "models" / "published_shapes.json").read_text()),
    **json.loads((TESTS / "importers" / "published_keys.json").read_text()),
}
"""Names and shapes of each network's tensors."""
WORDS = ("<end>", "a", "bird", "black", "has", "red", "s", "small", "the", "this", "with", "wings")

# Sizes that an eighth of would not go together: codes, noise with and without them, the vocabulary.
_SMALL = {400: 40, 200: 20, 228: 26, 100: 10, 356: 42, 5450: len(WORDS), 300: 12}


def small_shapes(network: str) -> dict[str, list[int]]:
    """The published structure at an eighth of the widths."""

    def small(size: int) -> int:
        return _SMALL.get(size, size // 8 if size >= 16 else size)

    return {name: [small(size) for size in shape] for name, shape in PUBLISHED[network].items()}


def random_weights(shapes: Mapping[str, list[int]], seed: int = 0) -> dict[str, Tensor]:
    """Weights that keep activations about as large as they are; statistics that are not the initial ones.

    All are numbers of half precision, in which a bundle stores them, so that nothing is lost on the way.
    """
    generator = torch.Generator().manual_seed(seed)
    weights = {}
    for name, shape in shapes.items():
        if name.endswith("num_batches_tracked"):
            weights[name] = torch.tensor(7)
        elif name.endswith("running_var"):
            weights[name] = torch.rand(shape, generator=generator) + 0.5
        else:
            fan_in = int(np.prod(shape[1:])) if len(shape) > 1 else 4
            weights[name] = torch.randn(shape, generator=generator) * fan_in**-0.5
            if len(shape) == 1 and name.endswith("weight"):
                weights[name] += 1.0
    return {
        name: value.half().float() if value.is_floating_point() else value for name, value in weights.items()
    }


def small_weights(network: str, seed: int = 0) -> dict[str, Tensor]:
    return random_weights(small_shapes(network), seed)


def without_counters(weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """As torch up to 0.4 wrote them."""
    return {name: value for name, value in weights.items() if not name.endswith("num_batches_tracked")}


def save(content: Any, path: Path, *, old_format: bool = False) -> Path:
    torch.save(content, path, _use_new_zipfile_serialization=not old_format)
    return path


def save_captions(path: Path, words: tuple[str, ...] = WORDS, **changes: Any) -> Path:
    """captions.pickle as AttnGAN's code writes it."""
    parts = {
        "train": [[1, 5, 2], [8, 2, 4, 3, 11]],
        "test": [[9, 2, 4, 5, 11], [1, 7, 5, 2, 10, 3, 11], [9, 2, 4, 5, 11]],
        "by_number": dict(enumerate(words)),
        "by_word": {word: number for number, word in enumerate(words)},
    }
    path.write_bytes(pickle.dumps(list((parts | changes).values()), protocol=2))
    return path
