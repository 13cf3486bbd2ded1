"""What a generator and a discriminator see of a caption, as tensors."""

from typing import NamedTuple

import torch
from torch import Tensor

__all__ = ["TextTensors", "sentence_tensors"]


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


def sentence_tensors(sentence: Tensor) -> TextTensors:
    """Text of a network that reads the sentence [B, D] alone."""
    batch, dim = sentence.shape
    return TextTensors(
        sentence, sentence.new_zeros(batch, 0, dim), sentence.new_zeros(batch, 0, dtype=torch.bool)
    )
