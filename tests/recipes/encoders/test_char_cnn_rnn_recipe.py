from dataclasses import replace
from typing import Any

import pytest
import torch

from creativeai.models.char_cnn_rnn import GatedUnit, RectifiedUnit
from creativeai.recipes.encoders.char_cnn_rnn import ENTRY, PRESETS, CharCnnRnnRecipe
from creativeai.recipes.encoders.contract import CaptionBatch, EncoderContext
from creativeai.recipes.encoders.joint_embedding import joint_embedding_loss

DEBUG = PRESETS["debug"]


def build(context: EncoderContext, **changes: Any) -> CharCnnRnnRecipe:
    torch.manual_seed(0)
    recipe = ENTRY.build(replace(DEBUG, **changes), context)
    assert isinstance(recipe, CharCnnRnnRecipe)
    return recipe


def test_paper_has_the_published_constants() -> None:
    paper = PRESETS["paper"]
    assert (paper.conv_channels, paper.hidden_dim, paper.text_dim) == ((384, 512), 512, 1024)
    assert (paper.batch_size, paper.learning_rate, paper.decay, paper.margin) == (40, 7e-4, 0.98, 1)
    assert (paper.recurrence, paper.init_range, paper.compatibility) == ("gru", 0.08, "class")


def test_weights_start_within_the_published_range(encoder_context: EncoderContext) -> None:
    weights = torch.cat([weight.flatten() for weight in build(encoder_context).networks.parameters()])
    assert -0.08 <= weights.min() < -0.079 and 0.079 < weights.max() <= 0.08


def test_recurrence_is_chosen(encoder_context: EncoderContext) -> None:
    assert isinstance(build(encoder_context).networks.text.rnn, GatedUnit)
    assert isinstance(build(encoder_context, recurrence="rnn").networks.text.rnn, RectifiedUnit)


@pytest.mark.parametrize("unknown", ["port", "lua"])
def test_characters_are_read_as_configured(encoder_context: EncoderContext, unknown: str) -> None:
    recipe = build(encoder_context, unknown_characters=unknown)
    _, (small, capital) = recipe.codes(torch.rand(2, 3, 32, 32), ["a red bird", "a RED bird"])
    assert torch.equal(small, capital) == (unknown == "port")
    assert recipe.graph().settings == {"unknown_characters": unknown}


@pytest.mark.parametrize("compatibility", ["class", "sample"])
def test_loss_is_the_joint_embedding_of_both_towers(
    encoder_context: EncoderContext, compatibility: Any
) -> None:
    recipe = build(encoder_context, compatibility=compatibility, margin=0.5)
    labels = torch.tensor([3, 3, 8])
    images, captions = torch.rand(3, 3, 32, 32), ["a red bird", "a bird", "a blue owl"]
    loss, parts = recipe.loss(CaptionBatch(images, captions, labels))
    with torch.no_grad():
        image_codes, text_codes = recipe._embed(images, captions)
    expected = joint_embedding_loss(image_codes, text_codes, labels, compatibility, 0.5)
    torch.testing.assert_close(loss, sum(expected))
    torch.testing.assert_close(parts["choose_caption"], expected[0])


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"recurrence": "lstm"}, "recurrence=lstm must be one of gru, rnn"),
        ({"unknown_characters": "perl"}, "unknown_characters=perl"),
        ({"compatibility": "all"}, "compatibility=all"),
        ({"batch_size": 1}, "batch_size must be at least 2"),
        ({"conv_channels": (8,)}, "conv_channels"),
        ({"text_dim": 0}, "text_dim=0 must be above zero"),
        ({"feature_resolution": 100}, "feature_resolution=100 must be a multiple of 32"),
    ],
)
def test_wrong_configuration_is_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        replace(DEBUG, **changes)
