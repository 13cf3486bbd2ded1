"""What a generator and a discriminator see of a caption, as tensors."""

from typing import NamedTuple

import torch
from torch import Tensor

from creativeai.text.features import TextFeatures

__all__ = ["TextTensors", "sentence_tensors", "text_tensors"]


class TextTensors(NamedTuple):
    """The torch side of `creativeai.text.TextFeatures`.

    A batch may hold empty `words` and `mask` ([B, 0, D] and [B, 0]) where the network reads the sentence
    alone.
    """

    sentence: Tensor
    """[B, D] sentence vectors."""
    words: Tensor
    """[B, T, D] word vectors."""
    mask: Tensor
    """[B, T] true where there is a word."""

    def to(self, device: torch.device) -> "TextTensors":
        """The same on a device."""
        return TextTensors(*(tensor.to(device) for tensor in self))

    def repeated(self, num: int) -> "TextTensors":
        """Each caption `num` times in a row."""
        return TextTensors(*(tensor.repeat_interleave(num, 0) for tensor in self))

    def split_by(self, size: int) -> list["TextTensors"]:
        """Parts of so many captions."""
        return [TextTensors(*parts) for parts in zip(*(tensor.split(size) for tensor in self), strict=True)]


def text_tensors(features: TextFeatures) -> TextTensors:
    """Encoded captions as tensors on the CPU."""
    return TextTensors(
        torch.from_numpy(features.sentence), torch.from_numpy(features.words), torch.from_numpy(features.mask)
    )


def sentence_tensors(sentence: Tensor) -> TextTensors:
    """Text of a network that reads the sentence [B, D] alone."""
    batch, dim = sentence.shape
    return TextTensors(
        sentence, sentence.new_zeros(batch, 0, dim), sentence.new_zeros(batch, 0, dtype=torch.bool)
    )
