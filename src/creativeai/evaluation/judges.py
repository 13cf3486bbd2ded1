"""The networks that judge pictures, and what they see of them."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, fields
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from creativeai.evaluation.features import PictureFeatures
from creativeai.models.pixels import pixels_to_tensor

__all__ = ["Judges", "Matcher", "PictureReader", "Seen", "join_seen", "see", "see_chunks"]

Array = NDArray[np.float32]
OnProgress = Callable[[int, int], None]
_BATCH_SIZE = 16
_AT_ONCE = 128
"""Pictures drawn and seen at a time: enough for every core, little enough for memory and a moving bar."""


class Matcher(Protocol):
    """Says how well pictures and captions fit: the product of their unit vectors."""

    name: str
    digest: str
    datasets: tuple[str, ...]
    """Names of the datasets on whose training photos it was trained."""

    def picture_codes(self, descriptions: Array) -> Array:
        """Unit vectors [N, K] of what the features describe of pictures, [N, I]."""

    def text_codes(self, captions: list[str]) -> Array:
        """Unit vectors [N, K] of captions."""


class PictureReader(Protocol):
    """Says what kind a picture shows, and which colours its parts have."""

    digest: str
    class_names: tuple[str, ...]
    parts: tuple[str, ...]
    colours: tuple[str, ...]

    def name_scores(self, descriptions: Array) -> Array:
        """[N, C] how much each picture looks like each of the kinds."""

    def colour_scores(self, descriptions: Array) -> Array:
        """[N, P, Q] probability of each colour for each part."""


class Extractor(Protocol):
    """The features that everything else reads. The same for a picture whatever is beside it."""

    reference_side: int
    """Side in pixels that pictures are brought to first."""
    side: int
    """Side at which the network sees them."""

    @property
    def digest(self) -> str:
        """SHA-256 of the weights."""

    def about(self) -> dict[str, str | int]:
        """All that the features of a picture depend on."""

    def __call__(self, images: Tensor) -> PictureFeatures:
        """Features of pictures [N, 3, R, R] in [-1, 1]."""


class InceptionJudge(Protocol):
    """The Inception network of the user's file."""

    digest: str
    num_features: int
    """D."""

    def __call__(self, pixels: NDArray[np.uint8]) -> Array:
        """[N, D + C] features, then the classes' probabilities, of pictures uint8 [N, R, R, 3]."""


class DamsmJudge(Protocol):
    """The DAMSM of the user's folder."""

    digest: str

    def __call__(self, pixels: NDArray[np.uint8]) -> Array:
        """Unit vectors [N, K] of pictures uint8 [N, R, R, 3]."""

    def text_codes(self, captions: list[str]) -> Array:
        """Unit vectors [N, K] of captions."""


@dataclass(frozen=True)
class Judges:
    """Who looks at the pictures of an evaluation."""

    extractor: Extractor
    matcher: Matcher | None = None
    """None where it can't be trained: text figures are left out."""
    reader: PictureReader | None = None
    """None for a dataset that it knows nothing of."""
    inception: InceptionJudge | None = None
    damsm: DamsmJudge | None = None

    def digests(self) -> dict[str, str]:
        """SHA-256 of each one's weights, by its task."""
        tasks = {
            "features": self.extractor,
            "matcher": self.matcher,
            "picture reader": self.reader,
            "inception": self.inception,
            "damsm": self.damsm,
        }
        return {task: judge.digest for task, judge in tasks.items() if judge is not None}


@dataclass(frozen=True)
class Seen:
    """What the judges saw of N pictures. What nobody was there to see is None."""

    pooled: Array
    """[N, D] features."""
    codes: Array | None = None
    """[N, K] of the matcher."""
    names: Array | None = None
    """[N, C] of the picture reader."""
    colours: Array | None = None
    """[N, P, Q] of the picture reader."""
    inception: Array | None = None
    """[N, D] features, then the classes' probabilities, of the Inception network."""
    damsm: Array | None = None
    """[N, K] of the DAMSM."""

    def __len__(self) -> int:
        return len(self.pooled)

    def __getitem__(self, rows: slice | NDArray[np.integer]) -> "Seen":
        return Seen(**{name: part[rows] for name, part in self.arrays().items()})

    def arrays(self) -> dict[str, Array]:
        """What was seen, by name."""
        named = {field.name: getattr(self, field.name) for field in fields(self)}
        return {name: part for name, part in named.items() if part is not None}


def join_seen(parts: Sequence[Seen]) -> Seen:
    """All the parts' pictures, in their order."""
    arrays = [part.arrays() for part in parts]
    return Seen(**{name: np.concatenate([one[name] for one in arrays]) for name in arrays[0]})


def see(judges: Judges, pixels: NDArray[np.uint8]) -> Seen:
    """What the judges see of pictures uint8 [N, R, R, 3] of any size."""
    features = judges.extractor(pixels_to_tensor(pixels))
    descriptions = features.descriptions.numpy()
    matcher, reader, inception, damsm = judges.matcher, judges.reader, judges.inception, judges.damsm
    return Seen(
        features.pooled.numpy(),
        None if matcher is None else matcher.picture_codes(descriptions),
        None if reader is None else reader.name_scores(descriptions),
        None if reader is None else reader.colour_scores(descriptions),
        None if inception is None else inception(pixels),
        None if damsm is None else damsm(pixels),
    )


def see_chunks(
    judges: Judges,
    num: int,
    pictures: Callable[[int, int], NDArray[np.uint8]],
    num_threads: int,
    on_progress: OnProgress = lambda done, total: None,
) -> Iterator[Seen]:
    """What the judges see of many pictures, part by part, as they are drawn or read.

    Batches are the same whatever the number of threads, and each is worked on by one thread: the figures are
    equal to the last digit on one core and on many.

    Args:
        judges: Who looks.
        num: Number of pictures.
        pictures: Gives those from one number to before another, uint8 [B, R, R, 3].
        num_threads: Batches seen at a time.
        on_progress: Called with the pictures seen and their number.
    """
    with ThreadPoolExecutor(num_threads, initializer=torch.set_num_threads, initargs=(1,)) as pool:
        for start in range(0, num, _AT_ONCE):
            pixels = pictures(start, min(start + _AT_ONCE, num))
            yield from pool.map(lambda batch: see(judges, batch), _batches(pixels))
            on_progress(min(start + _AT_ONCE, num), num)


def _batches(pixels: NDArray[np.uint8]) -> Iterator[NDArray[np.uint8]]:
    return (pixels[start : start + _BATCH_SIZE] for start in range(0, len(pixels), _BATCH_SIZE))
