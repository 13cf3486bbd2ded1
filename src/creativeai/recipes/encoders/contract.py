"""What the loop asks of a text encoder's recipe, and what it hands to it."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.optim import Optimizer

from creativeai.models.efficientnet_lite import EfficientNetLite0
from creativeai.recipes.contract import LossParts

__all__ = [
    "CaptionBatch",
    "EncoderAddition",
    "EncoderContext",
    "EncoderGraph",
    "EncoderRecipe",
    "EncoderRecipeEntry",
    "evaluation_mode",
]


@dataclass(frozen=True)
class CaptionBatch:
    """One step's pictures, each with one of its captions."""

    images: Tensor
    """[B, 3, R, R] pictures in [-1, 1], R being the configuration's `resolution`."""
    captions: list[str]
    """Their captions; of a mirrored picture, the mirrored caption."""
    labels: Tensor
    """int64 [B] classes: captions of one class don't count as wrong for its other pictures. All different
    where classes are unknown."""


@dataclass(frozen=True)
class EncoderContext:
    """What a text encoder's recipe may build on."""

    feature_network: EfficientNetLite0
    """Frozen ImageNet features."""
    captions: Sequence[str]
    """All captions to train on, the mirrored ones too; a vocabulary is made of them."""


@dataclass(frozen=True)
class EncoderGraph:
    """A trained text encoder, ready to be exported."""

    name: str
    """By which the run-time encoder is found."""
    network: nn.Module
    """Takes the inputs by their order, gives the outputs."""
    inputs: Mapping[str, Tensor]
    """An example of each input."""
    varying: Mapping[str, tuple[int, ...]]
    """Which dimensions of an input vary from call to call."""
    outputs: tuple[str, ...]
    settings: Mapping[str, str]
    """What the run-time encoder must know; kept in the graph, so that its digest holds them too."""
    files: Mapping[str, bytes] = field(default_factory=dict)
    """Further files of the encoder's folder."""


@dataclass(frozen=True)
class EncoderAddition:
    """What was trained beside a shipped text encoder, which stays as it is."""

    name: str
    """The shipped encoder's."""
    files: Mapping[str, bytes]
    """Files of the folder, for what reads the encoder's vectors."""


class EncoderRecipe(Protocol):
    """Networks and loss of a text encoder; no loop, no device, no logging.

    A step is `loss`, `backward`, `clip_gradients`, `optimizer.step`. All randomness is torch's.
    """

    config: Any
    """Has `resolution` and `batch_size`, for the feed."""

    @property
    def networks(self) -> nn.Module:
        """All that is trained; what is frozen is elsewhere."""

    def optimizer(self) -> Optimizer:
        """The optimiser of `networks`."""

    def start_epoch(self, optimizer: Optimizer, epoch: int) -> None:
        """Set the learning rate of an epoch, the first being 0, and what else changes with it."""

    def loss(self, batch: CaptionBatch) -> tuple[Tensor, LossParts]:
        """Scalar loss and its parts, in the mode (training or not) that `networks` are in."""

    def clip_gradients(self) -> None:
        """Bound the gradients, where the paper does."""

    def codes(self, images: Tensor, captions: list[str]) -> tuple[Tensor, Tensor]:
        """Unit vectors [B, K] of pictures [B, 3, R, R] and of captions, by which each finds the other."""

    def picture(self, images: Tensor, captions: list[str]) -> NDArray[np.uint8] | None:
        """What the encoder sees in pictures [B, 3, R, R], as one picture [H, W, 3], or None."""

    def graph(self) -> EncoderGraph | EncoderAddition:
        """The text encoder as it is to be exported, or what is to be exported beside a shipped one."""


@dataclass(frozen=True)
class EncoderRecipeEntry:
    """A text encoder's way of training, by the name it has on the command line."""

    name: str
    title: str
    """One line for people."""
    presets: Mapping[str, Any]
    """Configurations by name: `paper`, `compact` and `debug`."""
    build: Callable[[Any, EncoderContext], EncoderRecipe]


@contextmanager
def evaluation_mode(network: nn.Module) -> Iterator[None]:
    """Have a network in evaluation mode within the block, and as it was behind it."""
    was_training = network.training
    network.eval()
    try:
        yield
    finally:
        network.train(was_training)
