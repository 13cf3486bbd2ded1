"""Batches as a pure function of the step: a resumed run sees just what an unbroken one would have."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from creativeai.models.conditioning import TextTensors, text_tensors
from creativeai.models.layers.across_processes import num_processes, own_rank, own_rows
from creativeai.models.pixels import pixels_to_tensor
from creativeai.recipes.contract import Batch
from creativeai.recipes.encoders.contract import CaptionBatch
from creativeai.text.caption_vectors import CaptionVectors
from creativeai.training.captions import mirrored_caption

__all__ = ["CaptionFeed", "Draw", "Feed", "draw", "steps_of_epoch"]


@dataclass(frozen=True)
class Draw:
    """What a step shows."""

    pictures: NDArray[np.int64]
    """[B] positions of the pictures."""
    mirrored: NDArray[np.bool_]
    """[B] which of them are mirrored."""
    which: NDArray[np.int64]
    """[B] number of the caption of each."""
    noise_seed: int
    """Seed of all other randomness of the step."""


def steps_of_epoch(num_pictures: int, batch_size: int) -> int:
    """Steps that show every picture once, but for those that fill no batch."""
    # With fewer pictures than a batch holds, an epoch is one batch that shows some of them twice.
    return max(1, num_pictures // batch_size)


def draw(
    step: int,
    seed: int,
    pictures: NDArray[np.int64],
    batch_size: int,
    num_captions: Callable[[NDArray[np.int64]], NDArray[np.int64]],
) -> Draw:
    """What a step shows, as a function of seed and step: a new order each epoch, half of it mirrored.

    Args:
        step: The step.
        seed: Seed of the run.
        pictures: Positions of all pictures to train on.
        batch_size: B.
        num_captions: Gives the number of captions of each picture.
    """
    epoch, place = divmod(step, steps_of_epoch(len(pictures), batch_size))
    order = _order(seed, epoch, len(pictures))
    chosen = pictures[np.resize(order[place * batch_size : (place + 1) * batch_size], batch_size)]
    rng = np.random.default_rng([seed, 1, step])
    mirrored = rng.random(batch_size) < 0.5
    which = rng.integers(0, num_captions(chosen))
    return Draw(chosen, mirrored, which, int(rng.integers(2**62)))


@lru_cache(maxsize=1)  # the same for all steps of an epoch
def _order(seed: int, epoch: int, num_pictures: int) -> NDArray[np.int64]:
    order = np.random.default_rng([seed, 0, epoch]).permutation(num_pictures)
    order.setflags(write=False)
    return order


def _shown(images: NDArray[np.uint8], drawn: Draw, own: slice | Tensor) -> Tensor:
    mirrored = drawn.mirrored[own]
    pixels = images[drawn.pictures[own]]
    pixels[mirrored] = pixels[mirrored, :, ::-1]
    return pixels_to_tensor(pixels)


def _seed_apart(noise_seed: int) -> None:
    """Have each of several processes draw its own from here on."""
    if num_processes() > 1:
        torch.manual_seed(int(np.random.default_rng([noise_seed, own_rank()]).integers(2**62)))


@dataclass(frozen=True)
class Feed:
    """Draws the batch of any step.

    Pictures come in a new order each epoch, half of them mirrored (with left and right exchanged in the
    caption), each with one of its captions. The mismatched caption is that of the picture before it. Each
    of several processes gets its own rows of the batch.
    """

    images: NDArray[np.uint8]
    """[N, R, R, 3] all pictures of the dataset."""
    captions: CaptionVectors
    labels: NDArray[np.int64]
    """[N] class of every picture; a class of its own for one that has none."""
    pictures: NDArray[np.int64]
    """Positions of those to train on."""
    batch_size: int
    noise_dim: int
    seed: int

    def batch(self, step: int, device: torch.device) -> Batch:
        """The batch of a step, on the device. Seeds torch's generator: all noise of the step follows."""
        drawn = draw(step, self.seed, self.pictures, self.batch_size, self.captions.num_captions)
        torch.manual_seed(drawn.noise_seed)
        rows = self.captions.rows(drawn.pictures, drawn.which)
        text = text_tensors(self.captions.features(rows, drawn.mirrored))
        noise = torch.randn(self.batch_size, self.noise_dim, device=device)
        _seed_apart(drawn.noise_seed)
        own = own_rows(self.batch_size)
        return Batch(
            images=_shown(self.images, drawn, own).to(device),
            text=TextTensors(*(tensor[own] for tensor in text)).to(device),
            mismatched_sentence=text.sentence.roll(1, 0)[own].to(device),
            labels=torch.from_numpy(self.labels[drawn.pictures])[own].to(device),
            noise=noise[own],
            num_seen=step * self.batch_size,
        )


@dataclass(frozen=True)
class CaptionFeed:
    """Draws the batch of any step for a text encoder: captions are words yet."""

    images: NDArray[np.uint8]
    """[N, R, R, 3] all pictures of the dataset."""
    captions: Sequence[Sequence[str]]
    """Those of every picture."""
    labels: NDArray[np.int64]
    """[N] class of every picture; a class of its own for one that has none."""
    pictures: NDArray[np.int64]
    """Positions of those to train on."""
    batch_size: int
    seed: int

    def batch(self, step: int, device: torch.device) -> CaptionBatch:
        """The batch of a step, on the device. Seeds torch's generator: all noise of the step follows."""
        drawn = draw(step, self.seed, self.pictures, self.batch_size, self._num_captions)
        torch.manual_seed(drawn.noise_seed)
        _seed_apart(drawn.noise_seed)
        own = own_rows(self.batch_size)
        pictures = drawn.pictures[own]
        texts = [self.captions[i][j] for i, j in zip(pictures, drawn.which[own], strict=True)]
        return CaptionBatch(
            images=_shown(self.images, drawn, own).to(device),
            captions=[
                mirrored_caption(text) if flipped else text
                for text, flipped in zip(texts, drawn.mirrored[own], strict=True)
            ],
            labels=torch.from_numpy(self.labels[pictures]).to(device),
        )

    def _num_captions(self, pictures: NDArray[np.int64]) -> NDArray[np.int64]:
        return np.array([len(self.captions[i]) for i in pictures])
