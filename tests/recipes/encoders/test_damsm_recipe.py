from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from creativeai.errors import TrainingError
from creativeai.models.inception_v3 import InceptionV3
from creativeai.recipes.encoders import damsm
from creativeai.recipes.encoders.contract import CaptionBatch, EncoderAddition, EncoderContext
from creativeai.recipes.encoders.damsm import ENTRY, PRESETS, DamsmRecipe
from creativeai.recipes.encoders.damsm_guide import GUIDE_NAME

DEBUG = PRESETS["debug"]


def build(context: EncoderContext, **changes: Any) -> DamsmRecipe:
    torch.manual_seed(0)
    recipe = ENTRY.build(replace(DEBUG, **changes), context)
    assert isinstance(recipe, DamsmRecipe)
    return recipe


@pytest.fixture
def recipe(encoder_context: EncoderContext) -> DamsmRecipe:
    return build(encoder_context)


def test_paper_has_the_published_constants() -> None:
    paper = PRESETS["paper"]
    assert (paper.batch_size, paper.max_words, paper.embedding_dim, paper.dim) == (48, 18, 300, 256)
    assert paper.gammas == (4, 5, 10)
    assert (paper.learning_rate, paper.adam_betas, paper.decay) == (0.002, (0.5, 0.999), 0.98)
    assert (paper.gradient_bound, paper.fresh_adam, paper.dropout) == (0.25, True, 0.5)


def test_long_caption_is_a_random_choice_in_order_while_training_and_its_start_later(
    recipe: DamsmRecipe, encoder_context: EncoderContext
) -> None:
    long = encoder_context.captions[2]
    ids = recipe.vocabulary.ids(long)
    recipe.networks.train()
    choices = {tuple(recipe._some_ids(long)) for _ in range(20)}
    assert len(choices) > 5
    for choice in choices:
        assert len(choice) == DEBUG.max_words
        rest = iter(ids)
        assert all(id in rest for id in choice)  # a subsequence
    recipe.networks.eval()
    assert recipe._some_ids(long) == ids[: DEBUG.max_words]
    assert recipe._some_ids("bird") == recipe.vocabulary.ids("bird")


def test_choice_of_words_follows_torchs_seed(recipe: DamsmRecipe, encoder_context: EncoderContext) -> None:
    long = encoder_context.captions[2]
    drawn = []
    for _ in range(2):
        torch.manual_seed(5)
        drawn.append(recipe._some_ids(long))
    assert drawn[0] == drawn[1]


def test_caption_whose_words_are_all_too_rare_counts_as_ended(encoder_context: EncoderContext) -> None:
    recipe = build(encoder_context, min_count=2)
    assert recipe.vocabulary.words == ("<end>", "a", "bird", "with")
    images = torch.rand(2, 3, 32, 32)
    loss, _ = recipe.loss(CaptionBatch(images, ["scarlet", "a bird"], torch.arange(2)))
    assert loss.isfinite()


def test_vocabulary_without_a_word_is_refused(encoder_context: EncoderContext) -> None:
    with pytest.raises(TrainingError, match="no word is 9 times in the captions: lower min_count"):
        build(encoder_context, min_count=9)


def test_learning_rate_ends_at_a_tenth_and_adam_forgets(encoder_context: EncoderContext) -> None:
    for fresh in (True, False):
        recipe = build(encoder_context, fresh_adam=fresh)
        optimizer = recipe.optimizer()
        for weight in recipe.networks.parameters():
            weight.grad = torch.ones_like(weight)
        optimizer.step()
        recipe.start_epoch(optimizer, 600)
        assert 0.098 < optimizer.param_groups[0]["lr"] / DEBUG.learning_rate <= 0.1
        assert bool(optimizer.state) != fresh
        optimizer.step()


def test_only_the_text_encoders_gradient_is_bounded(recipe: DamsmRecipe) -> None:
    for weight in recipe.networks.parameters():
        weight.grad = torch.ones_like(weight)
    recipe.clip_gradients()
    squares = [weight.grad.square().sum() for weight in recipe.networks.text.parameters()]
    assert torch.stack(squares).sum().sqrt().item() == pytest.approx(0.25, rel=1e-3)
    assert all((weight.grad == 1).all() for weight in recipe.networks.image.parameters())


def test_picture_shows_a_map_for_each_word(
    recipe: DamsmRecipe, caption_batch: Callable[[int], CaptionBatch]
) -> None:
    batch = caption_batch(32)
    grid = recipe.picture(batch.images[:2], batch.captions[:2])
    assert grid.dtype == np.uint8
    assert grid.shape == (2 * 114, (1 + DEBUG.max_words) * 96, 3)
    assert (grid[114:, 2 * 96 :] == 255).all()  # the second caption is one word
    assert not (grid[114:, 96 : 2 * 96] == 255).all()


def test_minilm_can_be_the_text(
    encoder_context: EncoderContext, caption_batch: Callable[[int], CaptionBatch]
) -> None:
    recipe = build(encoder_context, text="minilm")
    batch = caption_batch(32)
    loss, _ = recipe.loss(batch)
    loss.backward()
    weights = dict(recipe.networks.text.named_parameters())
    assert weights.keys() == {"words.weight", "words.bias", "sentence.weight", "sentence.bias"}
    assert all(weight.grad is not None and weight.grad.any() for weight in weights.values())
    assert recipe.codes(batch.images, ["a scarlet macaw"] * 4)[1].shape == (4, DEBUG.dim)
    assert recipe.picture(batch.images[:1], ["a scarlet macaw"]).shape[1] == 5 * 96  # mac, ##aw
    assert recipe.graph() == EncoderAddition("minilm", {GUIDE_NAME: recipe.guide()})


def test_inception_v3_takes_the_trunks_place(
    encoder_context: EncoderContext, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = []

    def load(file: Path) -> InceptionV3:
        opened.append(file)
        return InceptionV3().eval().requires_grad_(False)

    monkeypatch.setattr(damsm, "load_inception_v3", load)
    weights = str(tmp_path / "inception.pth")
    recipe = build(encoder_context, trunk="inception_v3", trunk_weights=weights, dim=8)
    assert opened == [Path(weights)]
    shapes = {name: tuple(value.shape) for name, value in recipe.networks.image.state_dict().items()}
    assert shapes["emb_features.weight"] == (8, 768, 1, 1) and shapes["emb_cnn_code.weight"] == (8, 2048)
    with torch.no_grad():
        regions, _ = recipe._see(torch.rand(1, 3, 32, 32))
    assert regions.shape == (1, 8, 17, 17)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"text": "bert"}, "text=bert must be one of lstm, minilm"),
        ({"trunk": "vgg"}, "trunk=vgg must be one of"),
        ({"trunk": "inception_v3"}, "trunk_weights .* go together"),
        ({"trunk_weights": "a.pth"}, "trunk_weights .* go together"),
        ({"batch_size": 1}, "batch_size must be at least 2"),
        ({"dim": 7}, "dim=7 must be even"),
        ({"max_words": 0}, "max_words=0 must be above zero"),
        ({"dropout": 1.0}, "dropout=1.0"),
        ({"adam_betas": (0.5, 1.0)}, "adam_betas"),
        ({"trunk_resolution": 100}, "trunk_resolution=100 must be a multiple of 16"),
        ({"gamma_words": -1.0}, "gamma_words=-1.0 must be above zero"),
    ],
)
def test_wrong_configuration_is_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        replace(DEBUG, **changes)
