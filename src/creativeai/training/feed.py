"""Batches as a pure function of the step: a resumed run sees just what an unbroken one would have."""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from creativeai.models.conditioning import text_tensors
from creativeai.models.pixels import pixels_to_tensor
from creativeai.recipes.contract import Batch
from creativeai.text.caption_vectors import CaptionVectors

__all__ = ["Feed"]


@dataclass(frozen=True)
class Feed:
    """Draws the batch of any step.

    Pictures come in a new order each epoch, half of them mirrored (with left and right exchanged in the
    caption), each with one of its captions. The mismatched caption is that of the picture before it.
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
        size = self.batch_size
        # With fewer pictures than a batch holds, an epoch is one batch that shows some of them twice.
        steps_per_epoch = max(1, len(self.pictures) // size)
        epoch, place = divmod(step, steps_per_epoch)
        order = np.random.default_rng([self.seed, 0, epoch]).permutation(len(self.pictures))
        pictures = self.pictures[np.resize(order[place * size : (place + 1) * size], size)]
        rng = np.random.default_rng([self.seed, 1, step])
        mirrored = rng.random(size) < 0.5
        captions = self.captions.rows(pictures, rng.integers(0, self.captions.num_captions(pictures)))
        pixels = self.images[pictures]
        pixels[mirrored] = pixels[mirrored, :, ::-1]
        torch.manual_seed(int(rng.integers(2**62)))
        text = text_tensors(self.captions.features(captions, mirrored)).to(device)
        return Batch(
            images=pixels_to_tensor(pixels).to(device),
            text=text,
            mismatched_sentence=text.sentence.roll(1, 0),
            labels=torch.from_numpy(self.labels[pictures]).to(device),
            noise=torch.randn(size, self.noise_dim, device=device),
            num_seen=step * size,
        )
