"""What a generator draws in a step besides the batch's captions."""

import torch
from torch import Tensor

from creativeai.models.conditioning import TextTensors

__all__ = ["with_interpolated", "with_second_noise"]


def with_interpolated(noise: Tensor, text: TextTensors) -> tuple[Tensor, TextTensors]:
    """The batch, and after it noise and captions half-way between its first and second half (GAN-INT).

    Only sentences can be averaged: the words of what lies between are those of the first caption.
    """
    half = len(noise) // 2
    first, second = (TextTensors(*(x[start : start + half] for x in text)) for start in (0, half))
    between = first._replace(sentence=(first.sentence + second.sentence) / 2)
    more = torch.randn_like(noise[:half])
    return torch.cat([noise, more]), TextTensors(
        *(torch.cat(pair) for pair in zip(text, between, strict=True))
    )


def with_second_noise(noise: Tensor, text: TextTensors, num: int) -> tuple[Tensor, TextTensors]:
    """What there is, and after it the first `num` captions again, with other noise."""
    again = TextTensors(*(torch.cat([x, x[:num]]) for x in text))
    return torch.cat([noise, torch.randn_like(noise[:num])]), again
