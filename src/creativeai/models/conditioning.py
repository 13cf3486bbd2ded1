"""What a generator and a discriminator see of a caption, as tensors."""

from typing import NamedTuple

from torch import Tensor

__all__ = ["TextTensors"]


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
