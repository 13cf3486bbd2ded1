"""A small text-image matcher on frozen features: which caption belongs to which picture?

Two towers meet in one space and are trained by InfoNCE (van den Oord et al. 2018, arXiv:1807.03748; symmetric
as in CLIP). The picture's tower sees mean and deviation of every EfficientNet-Lite0 map and a 4x4 thumbnail
for plain colour; the caption's tower sees the sentence vector. One trained on real photos judges generated
pictures (text match); another, of another seed, may guide a generator.
"""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from creativeai.models.efficientnet_lite import FEATURE_CHANNELS

__all__ = ["TextImageMatcher", "describe_images", "matching_loss"]

_THUMBNAIL_SIDE = 4


def describe_images(images: Tensor, features: Sequence[Tensor]) -> Tensor:
    """The image tower's input [B, I] of images [B, 3, R, R] in [-1, 1] and their four frozen maps."""
    parts = [F.adaptive_avg_pool2d(images.float(), _THUMBNAIL_SIDE).flatten(1)]
    for feature in features:
        x = feature.float().flatten(2)
        mean = x.mean(2)
        parts += [mean, ((x - mean[:, :, None]).square().mean(2) + 1e-6).sqrt()]
    return torch.cat(parts, dim=1)


class TextImageMatcher(nn.Module):
    """Pictures (by their frozen features) and sentences as unit vectors whose product says how well they fit.

    Args:
        text_dim: Length of the sentence vector.
        code_dim: Length of the common vectors.
        hidden_dim: Width of both towers.
        dropout: Dropped share of each tower's input and hidden units.
    """

    def __init__(
        self, text_dim: int, code_dim: int = 128, hidden_dim: int = 512, dropout: float = 0.2
    ) -> None:
        super().__init__()
        image_dim = 2 * sum(FEATURE_CHANNELS) + 3 * _THUMBNAIL_SIDE**2
        self.image_norm = nn.LayerNorm(image_dim)
        self.image_tower = nn.Sequential(
            nn.Dropout(dropout),
            nn.Linear(image_dim, hidden_dim),
            nn.GELU(),
            nn.Dropout(dropout),
            nn.Linear(hidden_dim, code_dim),
        )
        self.text_tower = nn.Sequential(
            nn.LayerNorm(text_dim),
            nn.Dropout(dropout),
            nn.Linear(text_dim, hidden_dim),
            nn.GELU(),
            nn.Dropout(dropout),
            nn.Linear(hidden_dim, code_dim),
        )
        self.log_scale = nn.Parameter(torch.tensor(2.3))

    def image_codes(self, description: Tensor) -> Tensor:
        """Unit vectors [B, K] of what `describe_images` gives, [B, I]."""
        return F.normalize(self.image_tower(self.image_norm(description)), dim=1)

    def text_codes(self, sentence: Tensor) -> Tensor:
        """Unit vectors [B, K] of sentence vectors [B, D]."""
        return F.normalize(self.text_tower(sentence), dim=1)


def matching_loss(image_codes: Tensor, text_codes: Tensor, scale: Tensor | float) -> Tensor:
    """Symmetric InfoNCE: row i of the image codes [B, K] belongs to row i of the text codes [B, K]."""
    logits = image_codes @ text_codes.T * scale
    target = torch.arange(len(logits), device=logits.device)
    return (F.cross_entropy(logits, target) + F.cross_entropy(logits.T, target)) / 2
