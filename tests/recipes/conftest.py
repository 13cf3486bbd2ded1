"""What a recipe is built on, without a dataset."""

from collections.abc import Callable, Sequence

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from creativeai.evaluation.matcher import Matcher, MatcherFacts, matcher_network
from creativeai.models.conditioning import TextTensors, text_tensors
from creativeai.models.efficientnet_lite import (
    FEATURE_CHANNELS,
    EfficientNetLite0,
    load_efficientnet_lite0,
)
from creativeai.models.generator_output import noise_dim_of
from creativeai.models.text_image_matcher import DescriptionLayout
from creativeai.recipes.contract import Batch, BuildContext, Recipe
from creativeai.text.features import stack_encodings

TEXT_DIM, NUM_WORDS = 24, 5


@pytest.fixture(scope="session")
def feature_network() -> EfficientNetLite0:
    return load_efficientnet_lite0()


@pytest.fixture
def context(feature_network: EfficientNetLite0) -> BuildContext:
    """Its guide is random: good enough to get a gradient from."""
    return BuildContext(
        text_dim=TEXT_DIM,
        num_pictures=40,
        feature_network=feature_network,
        load_guide=lambda view, num_steps: random_guide(),
    )


def random_guide() -> Matcher:
    """A matcher that has learned nothing, with sentence vectors of its own."""
    layout = DescriptionLayout(thumbnail=2, grids=(2, 1, 1, 1))
    facts = MatcherFacts("random", 0, 64, layout, (), (), TEXT_DIM, 16, 32, 8)
    network = matcher_network(facts, layout.length(FEATURE_CHANNELS))

    def read(captions: Sequence[str]) -> TextTensors:
        waves = [np.sin(np.arange(1.0, TEXT_DIM + 1) * (1 + len(c))).astype(np.float32) for c in captions]
        return text_tensors(stack_encodings([(wave, wave[None]) for wave in waves], 2, TEXT_DIM))

    return Matcher(network, facts, "0" * 64, read)


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
            captions=tuple("0123456789"[:size]),
        )

    return make
