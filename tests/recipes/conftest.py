"""What a recipe is built on, without a dataset."""

from collections.abc import Callable

import pytest
import torch
import torch.nn.functional as F

from creativeai.models.conditioning import TextTensors
from creativeai.models.efficientnet_lite import EfficientNetLite0, load_efficientnet_lite0
from creativeai.models.generator_output import noise_dim_of
from creativeai.models.text_image_matcher import TextImageMatcher
from creativeai.recipes.contract import Batch, BuildContext, Recipe

TEXT_DIM, NUM_WORDS = 24, 5


@pytest.fixture(scope="session")
def feature_network() -> EfficientNetLite0:
    return load_efficientnet_lite0()


@pytest.fixture
def context(feature_network: EfficientNetLite0) -> BuildContext:
    """Its guides are random: good enough to get a gradient from."""

    def train_guide(describe: object, num_steps: int) -> TextImageMatcher:
        return TextImageMatcher(TEXT_DIM).eval().requires_grad_(False)

    return BuildContext(
        text_dim=TEXT_DIM, num_pictures=40, feature_network=feature_network, train_guide=train_guide
    )


@pytest.fixture
def make_batch() -> Callable[..., Batch]:
    def make(recipe: Recipe, num_seen: int = 10**9) -> Batch:
        size, resolution = recipe.config.learning.batch_size, recipe.config.resolution
        sentence = F.normalize(torch.randn(size, TEXT_DIM))
        mask = torch.arange(NUM_WORDS) < torch.randint(1, NUM_WORDS + 1, (size, 1))
        words = torch.randn(size, NUM_WORDS, TEXT_DIM) * mask[:, :, None]
        return Batch(
            images=torch.rand(size, 3, resolution, resolution) * 2 - 1,
            text=TextTensors(sentence, words, mask),
            mismatched_sentence=sentence.roll(1, 0),
            labels=torch.arange(size) // 2,
            noise=torch.randn(size, noise_dim_of(recipe.generator)),
            num_seen=num_seen,
        )

    return make
