from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor

from creativeai.models.conditioning import TextTensors
from creativeai.recipes.conditional_gan import ConditionalGan
from creativeai.recipes.contract import Batch, BuildContext
from creativeai.recipes.gan_cls import PRESETS, GanClsConfig, build
from exact_recipes import as_fake, as_real, doubled, judged, judges

MakeBatch = Callable[..., Batch]
DEBUG = PRESETS["debug"]


def make_recipe(context: BuildContext, config: GanClsConfig = DEBUG) -> ConditionalGan:
    torch.manual_seed(0)
    recipe = build(config, context)
    recipe.fit_text(torch.randn(40, context.text_dim) * 0.1 + 0.02)
    return recipe


@pytest.fixture
def recipe(context: BuildContext) -> ConditionalGan:
    return make_recipe(context)


def generated(recipe: ConditionalGan, batch: Batch) -> tuple[Any, Tensor, TextTensors]:
    """What the recipe's pass leaves, and what the generator was given for it."""
    given: list[Any] = []

    def generator(noise: Tensor, text: TextTensors) -> Any:
        given.extend((noise, text))
        return recipe.generator(noise, text)

    return (recipe.generate(generator, batch), *given)


def test_discriminator_loss_is_matching_aware(recipe: ConditionalGan, make_batch: MakeBatch) -> None:
    batch = doubled(recipe, make_batch(recipe))
    passed = recipe.generate(recipe.generator, batch)
    loss, parts = recipe.discriminator_loss(batch, passed)
    [network] = judges(recipe)
    sentence = recipe.generator.standardise(batch.text.sentence)
    assert not torch.allclose(sentence, batch.text.sentence)
    real, fake = batch.images, passed.output.images[0].detach()[:4]
    expected = {
        "real": as_real(judged(network, real, sentence)),
        "fake": as_fake(judged(network, fake, sentence)),
        # For the classes 0, 0, 1, 1: for each caption the next picture of another class.
        "wrong": as_fake(judged(network, real, sentence, [2, 2, 0, 0])),
    }
    assert {name: part.item() for name, part in parts.items()} == pytest.approx(expected, rel=1e-9)
    weighted = expected["real"] + 0.5 * expected["wrong"] + 0.5 * expected["fake"]
    assert loss.item() == pytest.approx(weighted, rel=1e-9)


def test_generator_loss_is_the_mean_over_captions_and_those_between(
    recipe: ConditionalGan, make_batch: MakeBatch
) -> None:
    batch = doubled(recipe, make_batch(recipe))
    passed = recipe.generate(recipe.generator, batch)
    loss, parts = recipe.generator_loss(batch, passed)
    sentence = batch.text.sentence
    all_sentences = torch.cat([sentence, (sentence[:2] + sentence[2:]) / 2])
    [network] = judges(recipe)
    images = passed.output.images[0].detach()
    expected = as_real(judged(network, images, recipe.generator.standardise(all_sentences)))
    assert parts.keys() == {"adversarial"}
    assert loss.item() == pytest.approx(expected, rel=1e-9)
    assert parts["adversarial"].item() == loss.item()


@pytest.mark.parametrize(("batch_size", "num_between"), [(4, 2), (5, 2)])
def test_captions_between_two_are_drawn_with_noise_of_their_own_for_the_generator_alone(
    batch_size: int, num_between: int, context: BuildContext, make_batch: MakeBatch
) -> None:
    recipe = make_recipe(context, replace(DEBUG, learning=replace(DEBUG.learning, batch_size=batch_size)))
    batch = make_batch(recipe)
    seen: list[int] = []
    judges(recipe)[0].encoder.register_forward_hook(lambda *given: seen.append(len(given[2])))
    passed, noise, text = generated(recipe, batch)
    sentence = batch.text.sentence
    assert torch.equal(text.sentence[:batch_size], sentence)
    between = (sentence[:num_between] + sentence[num_between : 2 * num_between]) / 2
    torch.testing.assert_close(text.sentence[batch_size:], between)
    assert torch.equal(noise[:batch_size], batch.noise)
    assert len(noise.unique(dim=0)) == len(noise) == batch_size + num_between
    assert len(text.words) == len(text.mask) == len(noise)
    recipe.discriminator_loss(batch, passed)
    recipe.generator_loss(batch, passed)
    assert seen == [batch_size, batch_size, batch_size + num_between]


def test_without_interpolation_only_the_batch_is_drawn(context: BuildContext, make_batch: MakeBatch) -> None:
    recipe = make_recipe(context, replace(DEBUG, interpolate=False))
    batch = doubled(recipe, make_batch(recipe))
    passed, noise, text = generated(recipe, batch)
    assert torch.equal(noise, batch.noise) and torch.equal(text.sentence, batch.text.sentence)
    loss, _ = recipe.generator_loss(batch, passed)
    [network], [images] = judges(recipe), passed.output.images
    sentence = recipe.generator.standardise(batch.text.sentence)
    assert loss.item() == pytest.approx(as_real(judged(network, images.detach(), sentence)), rel=1e-9)


def test_paper_has_the_published_constants() -> None:
    paper = PRESETS["paper"]
    assert (paper.z_dim, paper.text_code_dim) == (100, 128)
    assert (paper.generator_width, paper.discriminator_width) == (128, 64)
    assert paper.interpolate
    assert paper.stabilisers == type(paper.stabilisers)()


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"resolution": 128}, "resolution=128 must be 64: GAN-CLS has no other"),
        ({"z_dim": 0}, "z_dim=0 must be above zero"),
        ({"generator_width": -4}, "generator_width=-4 must be above zero"),
    ],
)
def test_what_can_not_be_is_refused(fields: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        replace(DEBUG, **fields)
