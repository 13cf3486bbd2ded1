"""What holds for every trainable text encoder: its `debug` preset put to the test."""

import ast
import inspect
import io
from collections.abc import Callable

import pytest
import torch
from torch import nn

from creativeai.errors import TrainingError
from creativeai.recipes.encoders.contract import CaptionBatch, EncoderContext, EncoderRecipe
from creativeai.recipes.encoders.registry import ENCODER_RECIPES, find_encoder_recipe
from creativeai.recipes.registry import list_recipes
from creativeai.text.encoder import ENCODER_NAMES

MakeBatch = Callable[[int], CaptionBatch]


@pytest.fixture(params=sorted(ENCODER_RECIPES))
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def recipe(name: str, encoder_context: EncoderContext) -> EncoderRecipe:
    return build(name, encoder_context)


def build(name: str, context: EncoderContext, seed: int = 0) -> EncoderRecipe:
    torch.manual_seed(seed)
    entry = find_encoder_recipe(name)
    return entry.build(entry.presets["debug"], context)


def test_it_has_its_presets_and_a_run_time_encoder(name: str) -> None:
    entry = find_encoder_recipe(name)
    assert entry.name == name and entry.title
    assert entry.presets.keys() == {"paper", "compact", "debug"}
    assert name in ENCODER_NAMES


def test_it_is_no_recipe_of_a_generator(name: str) -> None:
    assert name not in list_recipes()


def test_unknown_name_says_what_there_is() -> None:
    with pytest.raises(TrainingError, match="unknown text encoder 'bert': there are char_cnn_rnn, damsm"):
        find_encoder_recipe("bert")


def test_loss_is_the_sum_of_its_parts_and_reaches_every_weight(
    recipe: EncoderRecipe, caption_batch: MakeBatch
) -> None:
    loss, parts = recipe.loss(caption_batch(recipe.config.resolution))
    assert loss.shape == () and all(part.shape == () for part in parts.values())
    torch.testing.assert_close(loss, torch.stack(list(parts.values())).sum())
    loss.backward()
    assert not [
        name
        for name, weight in recipe.networks.named_parameters()
        if weight.grad is None or not weight.grad.abs().sum() > 0
    ]


def test_optimizer_holds_every_weight_once_and_its_rate_decays(recipe: EncoderRecipe) -> None:
    optimizer = recipe.optimizer()
    held = [id(weight) for group in optimizer.param_groups for weight in group["params"]]
    assert sorted(held) == sorted(id(weight) for weight in recipe.networks.parameters())
    rates = []
    for epoch in (0, 1, 2):
        recipe.start_epoch(optimizer, epoch)
        rates += [group["lr"] for group in optimizer.param_groups]
    config = recipe.config
    assert rates == pytest.approx([config.learning_rate * config.decay**epoch for epoch in range(3)])


def test_some_steps_on_one_batch_learn_it(recipe: EncoderRecipe, caption_batch: MakeBatch) -> None:
    batch = caption_batch(recipe.config.resolution)
    optimizer = recipe.optimizer()
    recipe.start_epoch(optimizer, 0)
    losses = []
    for _ in range(40):
        loss, _ = recipe.loss(batch)
        optimizer.zero_grad()
        loss.backward()
        recipe.clip_gradients()
        optimizer.step()
        losses.append(loss.item())
    assert sum(losses[-5:]) < 0.8 * sum(losses[:5])


def test_codes_are_unit_vectors_drawn_without_dropout(
    recipe: EncoderRecipe, caption_batch: MakeBatch
) -> None:
    batch = caption_batch(recipe.config.resolution)
    recipe.networks.train()
    images, texts = recipe.codes(batch.images, batch.captions)
    again = recipe.codes(batch.images, batch.captions)
    assert recipe.networks.training and not texts.requires_grad
    assert torch.equal(again[0], images) and torch.equal(again[1], texts)
    for codes in (images, texts):
        torch.testing.assert_close(codes.norm(dim=1), torch.ones(4))
    alone = recipe.codes(batch.images[1:2], batch.captions[1:2])[1]
    torch.testing.assert_close(alone[0], texts[1], rtol=1e-3, atol=1e-5)


def test_bfloat16_gives_nearly_the_same_loss(recipe: EncoderRecipe, caption_batch: MakeBatch) -> None:
    batch = caption_batch(recipe.config.resolution)
    recipe.networks.eval()
    with torch.no_grad():
        plain, _ = recipe.loss(batch)
        with torch.autocast("cpu", torch.bfloat16):
            cast, _ = recipe.loss(batch)
    assert cast.dtype == torch.float32
    torch.testing.assert_close(cast, plain, rtol=0.1, atol=0.05)


def test_what_is_saved_reads_the_same_when_loaded(
    name: str, recipe: EncoderRecipe, encoder_context: EncoderContext, caption_batch: MakeBatch
) -> None:
    batch = caption_batch(recipe.config.resolution)
    file = io.BytesIO()
    torch.save(recipe.networks.state_dict(), file)
    file.seek(0)
    other = build(name, encoder_context, seed=1)
    expected = recipe.codes(batch.images, batch.captions)
    assert not torch.equal(other.codes(batch.images, batch.captions)[1], expected[1])
    other.networks.load_state_dict(torch.load(file, weights_only=True))
    for ours, theirs in zip(other.codes(batch.images, batch.captions), expected, strict=True):
        assert torch.equal(ours, theirs)


def test_frozen_features_are_not_among_the_networks(
    recipe: EncoderRecipe, encoder_context: EncoderContext
) -> None:
    frozen = {id(weight) for weight in encoder_context.feature_network.parameters()}
    assert not frozen & {id(weight) for weight in recipe.networks.parameters()}
    assert isinstance(recipe.networks, nn.Module)


def test_every_field_of_the_configuration_has_a_docstring(name: str) -> None:
    kind = type(find_encoder_recipe(name).presets["debug"])
    [body] = [node.body for node in ast.parse(inspect.getsource(kind)).body if isinstance(node, ast.ClassDef)]
    fields = [
        (node.target.id, isinstance(after, ast.Expr) and isinstance(after.value, ast.Constant))
        for node, after in zip(body, [*body[1:], None], strict=True)
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name)
    ]
    assert fields and not [field for field, has_docstring in fields if not has_docstring]
