"""How much two generated pictures of one sentence differ, by frozen features."""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

__all__ = ["pair_distances"]


def pair_distances(features: Sequence[Tensor]) -> Tensor:
    """How much pictures i and i + B / 2 differ in what stands where, [B / 2], by their four feature maps.

    One minus the cosine of the two coarsest maps' vectors at the same place, on average. A distance of pixels
    is met by other light on the same bird; this one hardly sees that (at stride 16, .03 for other light, .72
    for the mirror image, .84 for another photo), and asks for another pose.
    """
    distances = []
    for feature in features[-2:]:
        x = feature.float()
        half = (len(x) + 1) // 2
        distances.append(1 - F.cosine_similarity(x[: len(x) - half], x[half:], dim=1).mean((1, 2)))
    return torch.stack(distances).mean(0)
