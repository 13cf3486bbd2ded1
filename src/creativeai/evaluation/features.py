"""Pictures as EfficientNet-Lite0 sees them, for every metric."""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from creativeai.models.efficientnet_lite import EfficientNetLite0
from creativeai.models.text_image_matcher import describe_images

__all__ = ["FeatureExtractor", "PictureFeatures"]

_SIDE = 224
_BATCH_SIZE = 32


@dataclass(frozen=True)
class PictureFeatures:
    """What the metrics read of N pictures."""

    pooled: Tensor
    """[N, 1280] vectors for the Frechet distance and the diversity."""
    descriptions: Tensor
    """[N, I] input of the text-image matcher's image tower."""


@dataclass(frozen=True)
class FeatureExtractor:
    """Batches pictures through the frozen network.

    Every picture is clipped to [-1, 1], rounded to 8 bits as a saved one would be, and resized to 224 px
    (bicubic, with antialiasing where it shrinks), whatever its size: figures of models of different
    resolution compare.
    """

    network: EfficientNetLite0

    @torch.no_grad()
    def __call__(self, images: Tensor) -> PictureFeatures:
        """Features, on the CPU, of pictures [N, 3, R, R] on any device."""
        device = self.network.head.weight.device
        pooled, descriptions = [], []
        for batch in images.split(_BATCH_SIZE):
            batch = batch.to(device)
            batch = ((batch.clamp(-1, 1) + 1) * 127.5).round() / 127.5 - 1
            if batch.shape[-1] != _SIDE:
                shrinks = batch.shape[-1] > _SIDE
                batch = F.interpolate(batch, size=(_SIDE, _SIDE), mode="bicubic", antialias=shrinks).clamp(
                    -1, 1
                )
            features = self.network(batch.contiguous(memory_format=torch.channels_last))
            pooled.append(self.network.pool(features[-1]).float().cpu())
            descriptions.append(describe_images(batch, features).cpu())
        return PictureFeatures(torch.cat(pooled), torch.cat(descriptions))
