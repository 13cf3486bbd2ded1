"""What the loop asks of a recipe, and what it hands to it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.optim import Optimizer

from creativeai.models.conditioning import TextTensors
from creativeai.models.efficientnet_lite import EfficientNetLite0

__all__ = ["Batch", "BuildContext", "Guide", "LossParts", "Recipe", "RecipeEntry", "View"]

LossParts = dict[str, Tensor]
"""Scalar terms of a loss by name, for the log."""


View = Callable[[Tensor], tuple[Tensor, list[Tensor]]]
"""Gives the pictures [B, 3, F, F] that a recipe shows to its feature network, and their frozen feature maps,
of pictures [B, 3, R, R]."""


class Guide(Protocol):
    """A text-image matcher that a generator learns from, frozen."""

    def image_codes(self, images: Tensor, features: Sequence[Tensor]) -> Tensor:
        """Unit vectors [B, K], with gradient, of pictures as a `View` gives them."""

    def text_codes(self, captions: Sequence[str]) -> NDArray[np.float32]:
        """Unit vectors [B, K] of captions."""


def _never(config: Any) -> bool:
    return False


@dataclass(frozen=True)
class Batch:
    """One step's real pictures with their captions, and the noise for the generated ones."""

    images: Tensor
    """[B, 3, R, R] real pictures in [-1, 1]."""
    text: TextTensors
    """Captions of these pictures; the generated pictures are asked for the same."""
    mismatched_sentence: Tensor
    """[B, D] sentence vectors of other pictures' captions."""
    labels: Tensor
    """[B] int64 class of each picture; a class of its own for one that has none."""
    noise: Tensor
    """[B, Z] standard normal noise."""
    num_seen: int
    """Real pictures seen by the run before this step."""
    captions: tuple[str, ...] = ()
    """[B] what `text` was encoded from, for a guide, which reads words itself."""
    swapped_text: TextTensors | None = None
    """The captions asking for the same colours at other parts, or for another colour. Only for a recipe that
    uses them; a caption without any colour stands here as it is."""
    has_swap: Tensor | None = None
    """[B] true where `swapped_text` differs from the caption."""


@dataclass(frozen=True)
class BuildContext:
    """What a recipe may build on."""

    text_dim: int
    """Length of the sentence and word vectors."""
    num_pictures: int
    """Pictures to train on: those of an epoch."""
    feature_network: EfficientNetLite0
    """Frozen ImageNet features."""
    load_guide: Callable[[View, int], Guide]
    """Gives the guide for the dataset. One that has to be trained first sees the photos in the given view,
    for the given number of steps."""
    text_folder: Path | None = None
    """Files of a text encoder trained by the user, its image encoder among them; None for a shipped one."""
    first_stage: nn.Module | None = None
    """A trained generator to build upon, in evaluation mode, where the user gave one."""


class Recipe(Protocol):
    """Networks and losses of a paper; no loop, no device, no logging."""

    config: Any

    @property
    def generator(self) -> nn.Module:
        """Takes noise [B, Z] and `TextTensors`, gives a `GeneratorOutput`.

        It has the attributes `noise_dim`, Z, and `resolutions`, the side of every stage's pictures.
        """

    @property
    def discriminator(self) -> nn.Module:
        """Every weight that judges pictures."""

    def optimizers(self) -> dict[str, Optimizer]:
        """One optimiser for each of `generator` and `discriminator`."""

    def learning_rate_factor(self, num_seen: int) -> float:
        """What both learning rates are multiplied by after so many real pictures."""

    def fit_text(self, sentences: Tensor) -> None:
        """Adapt the networks' text inputs to the training captions' sentence vectors [N, D]."""

    def generate(self, generator: Callable[..., Any], batch: Batch) -> Any:
        """The step's one pass of the generator, or of its compiled form; both losses get what it returns."""

    def discriminator_loss(self, batch: Batch, state: Any) -> tuple[Tensor, LossParts]:
        """The discriminators' scalar loss and its parts."""

    def generator_loss(self, batch: Batch, state: Any) -> tuple[Tensor, LossParts]:
        """The generator's scalar loss and its parts."""


@dataclass(frozen=True)
class RecipeEntry:
    """A paper's way of training, by the name it has on the command line."""

    name: str
    title: str
    """One line for people."""
    presets: Mapping[str, Any]
    """Configurations by name."""
    build: Callable[[Any, BuildContext], Recipe]
    uses_words: bool = False
    """Whether its networks read the word vectors, and not the sentence alone."""
    uses_swapped: Callable[[Any], bool] = _never
    """Whether, by its configuration, it learns from colour-swapped captions: they cost encodings."""
    builds_on_first_stage: bool = False
    """Whether it needs a trained generator to build upon."""
