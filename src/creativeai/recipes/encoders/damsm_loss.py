"""DAMSM's losses (Xu et al. 2017, arXiv:1711.10485, section 3.2): which caption belongs to which picture?

AttnGAN's generator learns by the same losses on the pictures it makes.
"""

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from creativeai.models.layers.across_processes import gathered, gathered_padded, own_rank

__all__ = ["DamsmLosses", "Gammas", "damsm_losses", "word_similarities"]

_EPSILON = 1e-8


class Gammas(NamedTuple):
    """How sharply attention and losses choose; the published values."""

    attention: float = 4.0
    """gamma 1: of a word's attention among the regions."""
    words: float = 5.0
    """gamma 2: of the words' weight within a caption."""
    batch: float = 10.0
    """gamma 3: of the choice among the batch's captions or pictures."""


class DamsmLosses(NamedTuple):
    """Both losses, each the sum of its two directions, and where the words look."""

    words: Tensor
    """Scalar: pictures and captions matched by regions and words."""
    sentence: Tensor
    """Scalar: the same by the vectors of picture and sentence."""
    attention: Tensor
    """[B, T, h, w] attention of each word over the regions of its own picture; a map's sum is 1, or 0 where
    there is no word."""


def damsm_losses(
    regions: Tensor,
    global_code: Tensor,
    words: Tensor,
    sentence: Tensor,
    mask: Tensor,
    labels: Tensor,
    gammas: Gammas,
) -> DamsmLosses:
    """The word and sentence losses of pictures and captions that belong together row by row.

    The choice is among the captions and pictures of all processes.

    Captions of the same class as a picture's own are left out of its choice, since they may be as right; a
    batch of one class has nothing to choose and a loss of zero. Computed in float32 whatever the autocast.

    Args:
        regions: [B, D, h, w] region vectors of the pictures.
        global_code: [B, D] picture vectors.
        words: [B, T, D] word vectors of the captions.
        sentence: [B, D] sentence vectors.
        mask: bool [B, T] where there is a word; each caption has one.
        labels: int64 [B] classes, all different where they are unknown.
        gammas: How sharply to choose.
    """
    with torch.autocast(regions.device.type, enabled=False):
        similarities, attention = word_similarities(
            regions.float(),
            gathered_padded(words.float()),
            gathered_padded(mask),
            gammas,
            first=own_rank() * len(regions),
        )
        similarities = gathered(similarities)
        picture, caption, labels = gathered(global_code.float()), gathered(sentence.float()), gathered(labels)
        norms = picture.norm(dim=1)[:, None] * caption.norm(dim=1)
        cosines = picture @ caption.T / norms.clamp(min=_EPSILON)
        itself = torch.eye(len(labels), dtype=torch.bool, device=labels.device)
        is_as_right = (labels[:, None] == labels) & ~itself
        return DamsmLosses(
            _both_directions(similarities * gammas.batch, is_as_right),
            _both_directions(cosines * gammas.batch, is_as_right),
            attention,
        )


def word_similarities(
    regions: Tensor, words: Tensor, mask: Tensor, gammas: Gammas, first: int = 0
) -> tuple[Tensor, Tensor]:
    """How well every picture fits every caption by regions and words.

    A region shares its scores among the caption's words by softmax; a word attends to the regions by a
    softmax of these shares; log sum exp(gamma2 cos) over the words compares each with what it saw. The paper
    divides the logarithm by gamma2; the published code, for which the gammas were chosen, doesn't, and
    neither do we.

    Args:
        regions: [B, D, h, w] region vectors of the pictures.
        words: [C, T, D] word vectors of the captions.
        mask: bool [C, T] where there is a word.
        gammas: How sharply to choose.
        first: The caption that belongs to picture 0; those of the other pictures follow it.

    Returns:
        Similarities [B, C], and the attention [B, T, h, w] over picture i of the words of its own caption,
        `first` + i.
    """
    num_pictures, dim, height, width = regions.shape
    num_captions, num_words, _ = words.shape
    flat = regions.flatten(2)  # [B, D, N]
    scores = (words.reshape(-1, dim) @ flat).view(num_pictures, num_captions, num_words, -1)  # [B, C, T, N]
    shares = scores.masked_fill(~mask[:, :, None], -torch.inf).softmax(dim=2)
    attention = (shares * gammas.attention).softmax(dim=3)
    # What a word saw is sum_n attention_n region_n. Its product with the word and its length follow from the
    # scores and from the regions' products with each other, at a fifth of the cost of having it.
    products = (attention * scores).sum(dim=3)  # [B, C, T]
    gram = flat.transpose(1, 2) @ flat  # [B, N, N]
    lengths = ((attention.flatten(1, 2) @ gram).view_as(attention) * attention).sum(dim=3)
    lengths = lengths.clamp(min=_EPSILON**2).sqrt() * words.norm(dim=2)
    cosines = products / lengths.clamp(min=_EPSILON)
    weighted = (cosines * gammas.words).masked_fill(~mask, -torch.inf)
    own = attention.diagonal(offset=first, dim1=0, dim2=1).permute(2, 0, 1)
    own = own * mask[first : first + num_pictures, :, None]
    return weighted.logsumexp(dim=2), own.view(num_pictures, num_words, height, width)


def _both_directions(logits: Tensor, is_as_right: Tensor) -> Tensor:
    """Cross-entropy of choosing captions for pictures plus that of choosing pictures for captions."""
    # What belongs together is never masked, so no row is all -inf, and a batch of one class gives no NaN.
    logits = logits.masked_fill(is_as_right, -torch.inf)
    target = torch.arange(len(logits), device=logits.device)
    return F.cross_entropy(logits, target) + F.cross_entropy(logits.T, target)
