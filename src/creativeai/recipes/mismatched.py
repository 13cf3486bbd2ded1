"""Captions that do not fit their pictures, for discriminators to tell apart."""

import torch
from torch import Tensor

from creativeai.recipes.contract import Batch

__all__ = ["mismatched_sentences"]


def mismatched_sentences(batch: Batch, swapped_share: float) -> Tensor:
    """Sentence vectors [B, D] that don't fit the batch's pictures.

    They are those of other pictures, and a random share of the pictures' own with swapped colours: to tell
    these, a network has to read which part has which colour.

    Args:
        batch: The real pictures with their captions.
        swapped_share: How often the swapped caption is taken, of those that have one.
    """
    if batch.swapped_text is None or batch.has_swap is None:
        return batch.mismatched_sentence
    chosen = torch.rand(len(batch.has_swap), device=batch.has_swap.device) < swapped_share
    return torch.where(
        (chosen & batch.has_swap)[:, None], batch.swapped_text.sentence, batch.mismatched_sentence
    )
