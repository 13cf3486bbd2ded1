"""A text encoder at work: one network, one loss; measured by the captions it finds."""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from creativeai.evaluation.caption_retrieval import caption_retrieval
from creativeai.models.pixels import pixels_to_tensor
from creativeai.recipes.encoders.contract import EncoderRecipe
from creativeai.training.descent import descend
from creativeai.training.feed import CaptionFeed, steps_of_epoch
from creativeai.training.monitor import Finding
from creativeai.training.state import TrainingState

__all__ = ["EncoderTask", "encoder_state"]

_BATCH_SIZE = 64
_NUM_SHOWN = 6
_NAME = "encoder"


def encoder_state(recipe: EncoderRecipe) -> TrainingState:
    """The state around a freshly built recipe."""
    return TrainingState({_NAME: recipe.networks}, {_NAME: recipe.optimizer()})


@dataclass
class EncoderTask:
    """A text encoder's recipe at work on a dataset."""

    recipe: EncoderRecipe
    state: TrainingState
    feed: CaptionFeed
    held_out: NDArray[np.int64]
    """Positions of the pictures to measure with."""
    device: torch.device

    def __post_init__(self) -> None:
        self.batch_size = self.feed.batch_size
        self._shown = np.random.default_rng(self.feed.seed).permutation(self.held_out)[:_NUM_SHOWN]
        self.captions = self._captions_of(self._shown)
        self._epoch: int | None = None

    def step(self) -> dict[str, float]:
        """One step down the recipe's loss."""
        state = self.state
        optimizer = state.optimizers[_NAME]
        self._start_epoch()
        batch = self.feed.batch(state.step, self.device)
        self.recipe.networks.train()
        loss, parts = self.recipe.loss(batch)
        figures = descend(_NAME, loss, parts, optimizer, state.step, self.recipe.clip_gradients)
        state.step += 1
        return figures

    def samples(self) -> dict[str, NDArray[np.uint8]]:
        """Where the words of held-out captions look, if the recipe knows."""
        picture = self.recipe.picture(self._images_of(self._shown), self.captions)
        return {} if picture is None else {"attention": picture}

    def measure(self) -> Finding:
        """How often the right one of 100 held-out captions is found for a photo."""
        chunks = np.array_split(self.held_out, -(-len(self.held_out) // _BATCH_SIZE))
        batches = ((self._images_of(chunk), self._captions_of(chunk)) for chunk in chunks)
        accuracy = caption_retrieval(self.recipe.codes, batches, self.held_out)
        line = f"right caption of 100 found {accuracy:.1%}"
        return Finding(1 - accuracy, {"caption_retrieval": accuracy}, line)

    def _start_epoch(self) -> None:
        """Tell the recipe of a new epoch; of one that a resumed run is in the midst of, its rates alone."""
        length = steps_of_epoch(len(self.feed.pictures), self.batch_size)
        epoch, place = divmod(self.state.step, length)
        if epoch == self._epoch:
            return
        optimizer = self.state.optimizers[_NAME]
        kept = dict(optimizer.state)
        self.recipe.start_epoch(optimizer, epoch)
        if place:
            optimizer.state.update(kept)
        self._epoch = epoch

    def _images_of(self, pictures: NDArray[np.int64]) -> Tensor:
        return pixels_to_tensor(self.feed.images[pictures]).to(self.device)

    def _captions_of(self, pictures: NDArray[np.int64]) -> list[str]:
        return [self.feed.texts.first(i) for i in pictures]
