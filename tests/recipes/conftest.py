"""What a recipe is built on, without a dataset."""

from collections.abc import Callable

import pytest
import torch
import torch.nn.functional as F

from creativeai.models.conditioning import sentence_tensors
from creativeai.models.efficientnet_lite import EfficientNetLite0, load_efficientnet_lite0
from creativeai.models.text_image_matcher import TextImageMatcher
from creativeai.recipes.contract import Batch, BuildContext

TEXT_DIM = 24


@pytest.fixture(scope="session")
def feature_network() -> EfficientNetLite0:
    return load_efficientnet_lite0()


@pytest.fixture
def context(feature_network: EfficientNetLite0) -> BuildContext:
    """Its guides are random: good enough to get a gradient from."""

    def train_guide(describe: object, num_steps: int) -> TextImageMatcher:
        return TextImageMatcher(TEXT_DIM).eval().requires_grad_(False)

    return BuildContext(TEXT_DIM, feature_network, train_guide)


@pytest.fixture
def make_batch() -> Callable[..., Batch]:
    def make(config: object, num_seen: int = 10**9) -> Batch:
        size, resolution = config.batch_size, config.resolution  # type: ignore[attr-defined]
        sentence = F.normalize(torch.randn(size, TEXT_DIM))
        return Batch(
            images=torch.rand(size, 3, resolution, resolution) * 2 - 1,
            text=sentence_tensors(sentence),
            mismatched_sentence=sentence.roll(1, 0),
            noise=torch.randn(size, config.noise_dim),  # type: ignore[attr-defined]
            num_seen=num_seen,
        )

    return make
