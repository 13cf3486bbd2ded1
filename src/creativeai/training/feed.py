"""Batches as a pure function of the step: a resumed run sees just what an unbroken one would have."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from creativeai.models.conditioning import text_tensors
from creativeai.models.layers.across_processes import num_processes, own_rank, own_rows
from creativeai.models.pixels import pixels_to_tensor
from creativeai.recipes.contract import Batch
from creativeai.recipes.encoders.contract import CaptionBatch
from creativeai.training.caption_bank import CaptionBank
from creativeai.training.texts import TrainingTexts, swapped_text

__all__ = ["CaptionFeed", "Draw", "Feed", "draw", "sentence_sample", "steps_of_epoch"]


_AT_ONCE = 50


@dataclass(frozen=True)
class Draw:
    """What a step shows."""

    pictures: NDArray[np.int64]
    """[B] positions of the pictures."""
    mirrored: NDArray[np.bool_]
    """[B] which of them are mirrored."""
    texts: list[str]
    """B texts; of a mirrored picture, the mirrored text."""
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
    texts: TrainingTexts,
) -> Draw:
    """What a step shows, as a function of seed and step: a new order each epoch, half of it mirrored.

    Args:
        step: The step.
        seed: Seed of the run.
        pictures: Positions of all pictures to train on.
        batch_size: B.
        texts: Gives each picture its text.
    """
    epoch, place = divmod(step, steps_of_epoch(len(pictures), batch_size))
    order = _order(seed, epoch, len(pictures))
    chosen = pictures[np.resize(order[place * batch_size : (place + 1) * batch_size], batch_size)]
    rng = np.random.default_rng([seed, 1, step])
    mirrored = rng.random(batch_size) < 0.5
    choices = texts.draw(rng, batch_size)
    worded = [texts.text(*each) for each in zip(chosen.tolist(), choices, mirrored.tolist(), strict=True)]
    return Draw(chosen, mirrored, worded, int(rng.integers(2**62)))


def sentence_sample(
    texts: TrainingTexts,
    bank: CaptionBank,
    pictures: NDArray[np.int64],
    batch_size: int,
    seed: int,
    num: int,
    on_progress: Callable[[int, int], None] | None = None,
) -> Tensor:
    """Sentence vectors [num, D] of the first texts that a run shows.

    Args:
        texts: Gives each picture its text.
        bank: Encodes them.
        pictures: Positions of all pictures to train on.
        batch_size: B.
        seed: Seed of the run.
        num: How many.
        on_progress: Called with the texts encoded and their number.
    """
    steps = range(-(-num // batch_size))
    shown = [text for step in steps for text in draw(step, seed, pictures, batch_size, texts).texts]
    sentences: list[NDArray[np.float32]] = []
    for start in range(0, num, _AT_ONCE):
        if on_progress:
            on_progress(start, num)
        sentences.append(bank.features(shown[:num][start : start + _AT_ONCE]).sentence)
    return torch.from_numpy(np.concatenate(sentences))


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
    caption), each with one of its captions in one of its wordings. The mismatched caption is that of the
    picture before it. Each of several processes gets its own rows of the batch, and encodes only these.
    """

    images: NDArray[np.uint8]
    """[N, R, R, 3] all pictures of the dataset."""
    texts: TrainingTexts
    """Gives each picture its text."""
    bank: CaptionBank
    """Encodes them."""
    labels: NDArray[np.int64]
    """[N] class of every picture; a class of its own for one that has none."""
    pictures: NDArray[np.int64]
    """Positions of those to train on."""
    batch_size: int
    noise_dim: int
    seed: int
    with_swapped: bool = False
    """Whether the batches hold the colour-swapped captions too."""

    def batch(self, step: int, device: torch.device) -> Batch:
        """The batch of a step, on the device. Seeds torch's generator: all noise of the step follows."""
        drawn = draw(step, self.seed, self.pictures, self.batch_size, self.texts)
        torch.manual_seed(drawn.noise_seed)
        noise = torch.randn(self.batch_size, self.noise_dim, device=device)
        _seed_apart(drawn.noise_seed)
        own = own_rows(self.batch_size)
        rows = np.arange(self.batch_size)[own]
        shown = [drawn.texts[row] for row in rows]
        others = [drawn.texts[row - 1] for row in rows]
        batch = Batch(
            images=_shown(self.images, drawn, own).to(device),
            text=text_tensors(self.bank.features(shown)).to(device),
            mismatched_sentence=torch.from_numpy(self.bank.features(others).sentence).to(device),
            labels=torch.from_numpy(self.labels[drawn.pictures])[own].to(device),
            noise=noise[own],
            num_seen=step * self.batch_size,
            captions=tuple(shown),
        )
        return self._with_swapped(batch, shown, device) if self.with_swapped else batch

    def _with_swapped(self, batch: Batch, shown: list[str], device: torch.device) -> Batch:
        swapped = [swapped_text(text) for text in shown]
        usable = [text is not None and self.texts.is_usable(text) for text in swapped]
        texts = [(swap if use else own) or own for swap, own, use in zip(swapped, shown, usable, strict=True)]
        return replace(
            batch,
            swapped_text=text_tensors(self.bank.features(texts)).to(device),
            has_swap=torch.tensor(usable, device=device),
        )


@dataclass(frozen=True)
class CaptionFeed:
    """Draws the batch of any step for a text encoder: captions are words yet."""

    images: NDArray[np.uint8]
    """[N, R, R, 3] all pictures of the dataset."""
    texts: TrainingTexts
    """Gives each picture its text."""
    labels: NDArray[np.int64]
    """[N] class of every picture; a class of its own for one that has none."""
    pictures: NDArray[np.int64]
    """Positions of those to train on."""
    batch_size: int
    seed: int

    def batch(self, step: int, device: torch.device) -> CaptionBatch:
        """The batch of a step, on the device. Seeds torch's generator: all noise of the step follows."""
        drawn = draw(step, self.seed, self.pictures, self.batch_size, self.texts)
        torch.manual_seed(drawn.noise_seed)
        _seed_apart(drawn.noise_seed)
        own = own_rows(self.batch_size)
        pictures = drawn.pictures[own]
        return CaptionBatch(
            images=_shown(self.images, drawn, own).to(device),
            captions=[drawn.texts[row] for row in np.arange(self.batch_size)[own]],
            labels=torch.from_numpy(self.labels[pictures]).to(device),
        )
