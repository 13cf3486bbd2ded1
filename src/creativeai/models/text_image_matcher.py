"""A text-image matcher on frozen features: which caption belongs to which picture?

Two towers meet in one space and are trained by InfoNCE (van den Oord et al. 2018, arXiv:1807.03748;
symmetric as in CLIP), with colour-swapped captions as further negatives. The picture's tower reads mean,
deviation and a coarse grid of every EfficientNet-Lite map and a thumbnail, so that it can tell which part is
red. The caption's tower reads the words in order by a bidirectional GRU beside a text encoder's sentence
vector: in a sentence vector alone "a green bird with a red head" and "a red bird with a green head" are all
but the same.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from creativeai.models.conditioning import TextTensors
from creativeai.models.layers.standardiser import Standardiser

__all__ = ["CaptionTower", "DescriptionLayout", "TextImageMatcher", "describe_images", "matching_loss"]

_LARGEST_LOGIT_SCALE = 60.0


@dataclass(frozen=True)
class DescriptionLayout:
    """What of a picture's frozen features the matcher reads."""

    thumbnail: int = 8
    """Side of the picture reduced to its plain colours."""
    grids: tuple[int, ...] = (8, 6, 4, 3)
    """Side of the grid of local means of each feature map, fine to coarse."""

    def length(self, channels: Sequence[int]) -> int:
        """I, the numbers in a description of maps with these channels."""
        local = sum(width * side**2 for width, side in zip(channels, self.grids, strict=True))
        return 3 * self.thumbnail**2 + local + 2 * sum(channels)


def describe_images(images: Tensor, features: Sequence[Tensor], layout: DescriptionLayout) -> Tensor:
    """The picture tower's input [B, I] of images [B, 3, R, R] in [-1, 1] and their frozen maps [B, C, h, w].

    Thumbnail, then each map's grid, then each map's means and deviations.
    """
    parts = [F.adaptive_avg_pool2d(images.float(), layout.thumbnail).flatten(1)]
    for feature, side in zip(features, layout.grids, strict=True):
        parts.append(F.adaptive_avg_pool2d(feature.float(), side).flatten(1))
    for feature in features:
        x = feature.float().flatten(2)
        mean = x.mean(2)
        parts += [mean, ((x - mean[:, :, None]).square().mean(2) + 1e-6).sqrt()]
    return torch.cat(parts, dim=1)


class CaptionTower(nn.Module):
    """Captions as unit vectors, from a text encoder's sentence vector and their words.

    Args:
        text_dim: D, length of sentence and word vectors.
        num_words: Words of the vocabulary, the empty place's number 0 among them; 0 to read the text
            encoder's word vectors.
        code_dim: K, length of the unit vectors.
        hidden_dim: Width of the layers between.
        word_dim: W, width of either direction of the GRU, and length of a vocabulary's word vectors.
        dropout: Dropped share of the hidden units; half of it of the GRU's input.
    """

    def __init__(
        self, text_dim: int, num_words: int, code_dim: int, hidden_dim: int, word_dim: int, dropout: float
    ) -> None:
        super().__init__()
        self.text_dim = text_dim
        self.word_input: nn.Module
        if num_words:
            self.word_input = nn.Embedding(num_words, word_dim, padding_idx=0)
        else:
            self.word_input = nn.Sequential(nn.LayerNorm(text_dim), nn.Linear(text_dim, word_dim))
        self.drop_words = nn.Dropout(dropout / 2)
        self.read_words = nn.GRU(word_dim, word_dim, batch_first=True, bidirectional=True)
        self.tower = nn.Sequential(
            nn.LayerNorm(text_dim + 2 * word_dim),
            nn.Dropout(dropout / 2),
            nn.Linear(text_dim + 2 * word_dim, hidden_dim),
            nn.GELU(),
            nn.LayerNorm(hidden_dim),
            nn.Dropout(dropout),
            nn.Linear(hidden_dim, code_dim),
        )

    def states(self, words: Tensor, mask: Tensor) -> Tensor:
        """The GRU's states [B, T, 2W] at words [B, T, D], whose mask is true first and then false."""
        lengths = mask.sum(1).clamp(min=1)
        packed = pack_padded_sequence(
            self.word_input(words), lengths.cpu(), batch_first=True, enforce_sorted=False
        )
        return pad_packed_sequence(self.read_words(packed)[0], batch_first=True, total_length=words.shape[1])[
            0
        ]

    def forward(self, text: TextTensors) -> Tensor:
        """Unit vectors [B, K]."""
        states = self.states(text.words, text.mask)
        empty = ~text.mask
        empty[:, 0] = False  # a text without a word has one state all the same
        strongest = states.masked_fill(empty[:, :, None], -torch.inf).amax(1)
        # Each of a unit vector's D features as large as the GRU's, on the whole.
        sentence = text.sentence * self.text_dim**0.5
        return F.normalize(self.tower(torch.cat([sentence, strongest], 1)), dim=1)


class TextImageMatcher(nn.Module):
    """Pictures (by their descriptions) and captions as unit vectors whose product says how well they fit.

    Args:
        description_dim: I, length of a description.
        text_dim: D, length of sentence and word vectors.
        num_words: Words of the vocabulary, or 0; see `CaptionTower`.
        code_dim: K, length of the common vectors.
        hidden_dim: Width of both towers.
        word_dim: Width of either direction of the GRU over the words.
        dropout: Dropped share of the picture tower's input and of the hidden units.
    """

    def __init__(
        self,
        description_dim: int,
        text_dim: int,
        num_words: int = 0,
        code_dim: int = 256,
        hidden_dim: int = 640,
        word_dim: int = 160,
        dropout: float = 0.35,
    ) -> None:
        super().__init__()
        self.standardise = Standardiser(description_dim)
        self.image_tower = nn.Sequential(
            nn.Dropout(dropout),
            nn.Linear(description_dim, hidden_dim),
            nn.GELU(),
            nn.LayerNorm(hidden_dim),
            nn.Dropout(dropout),
            nn.Linear(hidden_dim, hidden_dim),
            nn.GELU(),
            nn.Dropout(dropout),
            nn.Linear(hidden_dim, code_dim),
        )
        self.caption_tower = CaptionTower(text_dim, num_words, code_dim, hidden_dim, word_dim, dropout)
        self.log_scale = nn.Parameter(torch.tensor(2.7))

    @property
    def logit_scale(self) -> Tensor:
        """What the codes' product is multiplied by before the softmax, the inverse of the temperature."""
        return self.log_scale.exp().clamp(max=_LARGEST_LOGIT_SCALE)

    def image_codes(self, descriptions: Tensor) -> Tensor:
        """Unit vectors [B, K] of what `describe_images` gives, [B, I]."""
        return F.normalize(self.image_tower(self.standardise(descriptions)), dim=1)

    def text_codes(self, text: TextTensors) -> Tensor:
        """Unit vectors [B, K] of captions; see `CaptionTower`."""
        codes: Tensor = self.caption_tower(text)
        return codes


def matching_loss(
    image_codes: Tensor,
    text_codes: Tensor,
    scale: Tensor | float,
    same_text: Tensor | None = None,
    swapped_codes: Tensor | None = None,
    has_swap: Tensor | None = None,
) -> Tensor:
    """Symmetric InfoNCE: row i of the image codes [B, K] belongs to row i of the text codes [B, K].

    Args:
        image_codes: Unit vectors of the pictures.
        text_codes: Unit vectors of their captions.
        scale: What their products are multiplied by.
        same_text: bool [B, B], true where two captions read alike: neither counts as wrong for the other's
            picture. None where all differ.
        swapped_codes: [B, K] codes of the captions with two colours exchanged, one more wrong caption for
            each picture, which must also lose against the right one by itself.
        has_swap: bool [B], which captions can be swapped; the others' rows of `swapped_codes` don't count.
    """
    logits = image_codes @ text_codes.T * scale
    if same_text is not None:
        others = same_text & ~torch.eye(len(logits), dtype=torch.bool, device=logits.device)
        logits = logits.masked_fill(others, -torch.inf)
    target = torch.arange(len(logits), device=logits.device)
    by_text = F.cross_entropy(logits.T, target)
    if swapped_codes is None or has_swap is None or not has_swap.any():
        return (F.cross_entropy(logits, target) + by_text) / 2
    swapped = (image_codes * swapped_codes).sum(1) * scale
    margins = swapped - logits.diagonal()
    swapped = swapped.masked_fill(~has_swap, -torch.inf)
    by_picture = F.cross_entropy(torch.cat([logits, swapped[:, None]], 1), target)
    return (by_picture + by_text) / 2 + F.softplus(margins[has_swap]).mean() / 2
