"""Captions and pictures for the text encoders' recipes."""

from collections.abc import Callable

import pytest
import torch

from creativeai.models.efficientnet_lite import EfficientNetLite0
from creativeai.recipes.encoders.contract import CaptionBatch, EncoderContext

CAPTIONS = [
    "a small red bird with black wings",
    "bird",
    "the very large green bird with a long yellow beak sits on a branch",
    "a blue bird that sings",
]


@pytest.fixture
def encoder_context(feature_network: EfficientNetLite0) -> EncoderContext:
    return EncoderContext(feature_network, CAPTIONS)


@pytest.fixture
def caption_batch() -> Callable[[int], CaptionBatch]:
    def make(resolution: int) -> CaptionBatch:
        images = torch.rand(4, 3, resolution, resolution) * 2 - 1
        return CaptionBatch(images, CAPTIONS, torch.tensor([0, 1, 0, 2]))

    return make
