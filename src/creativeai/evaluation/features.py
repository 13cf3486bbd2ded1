"""Pictures as EfficientNet-Lite0 sees them, for every metric."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from creativeai.models.efficientnet_lite import EfficientNetLite0
from creativeai.models.text_image_matcher import describe_images

__all__ = ["FeatureExtractor", "PictureFeatures", "join_features"]

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

    Every picture is clipped to [-1, 1], rounded to 8 bits as a saved one would be, and resized to one side
    (bicubic, with antialiasing where it shrinks), whatever its size: figures of models of different
    resolution compare.
    """

    network: EfficientNetLite0
    side: int = 224
    """Side in pixels that every picture is seen at; figures of different sides don't compare."""

    @torch.no_grad()
    def __call__(self, images: Tensor) -> PictureFeatures:
        """Features, on the CPU, of pictures [N, 3, R, R] on any device."""
        return join_features([self._batch(batch) for batch in images.split(_BATCH_SIZE)])

    def _batch(self, images: Tensor) -> PictureFeatures:
        images = ((images.to(self.network.head.weight.device).clamp(-1, 1) + 1) * 127.5).round() / 127.5 - 1
        if images.shape[-1] != self.side:
            shrinks = images.shape[-1] > self.side
            images = F.interpolate(images, size=(self.side, self.side), mode="bicubic", antialias=shrinks)
            images = images.clamp(-1, 1)
        features = self.network(images.contiguous(memory_format=torch.channels_last))
        return PictureFeatures(
            self.network.pool(features[-1]).float().cpu(), describe_images(images, features).cpu()
        )


def join_features(parts: Sequence[PictureFeatures]) -> PictureFeatures:
    """Features of all the parts' pictures, in their order."""
    return PictureFeatures(
        torch.cat([part.pooled for part in parts]), torch.cat([part.descriptions for part in parts])
    )
