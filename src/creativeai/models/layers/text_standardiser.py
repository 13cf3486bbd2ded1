"""Sentence vectors brought to one scale, whichever encoder they come from."""

import torch
from torch import Tensor, nn

__all__ = ["TextStandardiser"]


class TextStandardiser(nn.Module):
    """Sentence vectors with the training captions' mean removed and brought to unit mean square."""

    def __init__(self, text_dim: int) -> None:
        super().__init__()
        self.mean: Tensor
        self.scale: Tensor
        self.register_buffer("mean", torch.zeros(text_dim))
        self.register_buffer("scale", torch.ones(()))

    def fit(self, sentences: Tensor) -> None:
        """Take mean and scale from sentence vectors [N, D]; they may all be the same."""
        self.mean.copy_(sentences.mean(0))
        self.scale.copy_((sentences - self.mean).pow(2).mean().clamp(min=1e-8).rsqrt())

    def forward(self, sentence: Tensor) -> Tensor:
        """[B, D] to [B, D]."""
        return (sentence - self.mean) * self.scale
