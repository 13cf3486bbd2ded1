"""Pictures of sentences and seeds: by a bundle's own graph, or by a generator that is being trained.

Both draw with the same noise for the same seed, so that figures of a training and of its bundle are of the
same pictures, but for what the export rounds.
"""

from collections.abc import Sequence
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from creativeai.engine.engine import Engine
from creativeai.engine.pictures import PictureRequest, noise_of
from creativeai.engine.validation import clean_text
from creativeai.errors import RequestError, TextError
from creativeai.models.conditioning import text_tensors
from creativeai.models.generator_output import GeneratorOutput, noise_dim_of
from creativeai.models.pixels import tensor_to_pixels
from creativeai.text.encoder import TextEncoder
from creativeai.text.features import Encoding, stack_encodings

__all__ = ["Draw", "EngineDraw", "GeneratorDraw"]


class Draw(Protocol):
    """Draws a picture of each sentence."""

    def __call__(self, asked: Sequence[tuple[str, int]]) -> NDArray[np.uint8]:
        """Pictures uint8 [B, R, R, 3] of sentences and seeds."""


class EngineDraw:
    """Draws with a bundle, each picture in a run of its own.

    A sentence without any word that the model's encoder can read has no vector. The model is asked for
    `fallback` in its place, and what it draws then counts against it wherever the sentence matters.

    Args:
        engine: The bundle at work.
        truncation: Scale of the noise.
        fallback: Sentence for those that can't be read.
    """

    def __init__(self, engine: Engine, truncation: float, fallback: str = "a picture") -> None:
        self.engine = engine
        self.truncation = truncation
        self.unread: set[str] = set()
        """Sentences that could not be read so far."""
        self._fallback = fallback
        self._texts: dict[str, str] = {}

    def __call__(self, asked: Sequence[tuple[str, int]]) -> NDArray[np.uint8]:
        """Pictures uint8 [B, R, R, 3] of sentences and seeds."""
        requests = [PictureRequest(self._text(caption), seed, self.truncation) for caption, seed in asked]
        return np.stack([picture.pixels for picture in self.engine.generate(requests)])

    def _text(self, caption: str) -> str:
        if caption not in self._texts:
            text = caption
            try:
                text = clean_text(caption)
                self.engine.check_text(text)
            except RequestError:
                self.unread.add(caption)
                text = self._fallback
            self._texts[caption] = text
        return self._texts[caption]


class GeneratorDraw:
    """Draws with a generator in evaluation mode; vectors of sentences are kept for the next time.

    Args:
        encoder: Its text encoder.
        device: Where the generator is.
        batch_size: Pictures at once.
    """

    def __init__(self, encoder: TextEncoder, device: torch.device, batch_size: int = 16) -> None:
        self._encoder, self._device, self._batch_size = encoder, device, batch_size
        self._encodings: dict[str, Encoding] = {}

    def by(self, generator: nn.Module) -> Draw:
        """A `Draw` with a generator, full variety."""

        def draw(asked: Sequence[tuple[str, int]]) -> NDArray[np.uint8]:
            parts = range(0, len(asked), self._batch_size)
            return np.concatenate(
                [self._draw(generator, asked[start : start + self._batch_size]) for start in parts]
            )

        return draw

    @torch.no_grad()
    def _draw(self, generator: nn.Module, asked: Sequence[tuple[str, int]]) -> NDArray[np.uint8]:
        encodings = [self._encoding(caption) for caption, _ in asked]
        text = text_tensors(stack_encodings(encodings, self._encoder.max_words, self._encoder.dim))
        noise = np.concatenate([noise_of(seed, noise_dim_of(generator), 1.0) for _, seed in asked])
        output: GeneratorOutput = generator(torch.from_numpy(noise).to(self._device), text.to(self._device))
        return tensor_to_pixels(output.images[-1])

    def _encoding(self, caption: str) -> Encoding:
        if caption not in self._encodings:
            try:
                features = self._encoder.encode([caption])
            except TextError:  # no word that it knows: as the engine has it
                features = self._encoder.encode(["a picture"])
            self._encodings[caption] = features.sentence[0], features.words[0][features.mask[0]]
        return self._encodings[caption]
