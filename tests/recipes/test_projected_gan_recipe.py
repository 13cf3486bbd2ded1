from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from creativeai.models.efficientnet_lite import EfficientNetLite0
from creativeai.recipes.augmentation import DiffAugment
from creativeai.recipes.contract import Batch, BuildContext
from creativeai.recipes.diversity import pair_distances
from creativeai.recipes.projected_gan import (
    PRESETS,
    RECIPE,
    ProjectedGanConfig,
    ProjectedGanRecipe,
    ProjectedGanState,
    augmented_view,
    build,
)

MakeBatch = Callable[..., Batch]
NO_AUGMENTATION = DiffAugment(colour=0, translation=0, cutout=0)
EXACT = replace(PRESETS["debug"], text_noise=0.0, augment=NO_AUGMENTATION)
"""Nothing random, so that a loss can be computed a second time by hand."""


@pytest.fixture
def recipe(context: BuildContext) -> ProjectedGanRecipe:
    recipe = build(EXACT, context)
    recipe.discriminator.eval()  # the power iteration of spectral norm stands still
    return recipe


def logits(recipe: ProjectedGanRecipe, images: Tensor, sentence: Tensor) -> list[np.ndarray[Any, Any]]:
    seen = augmented_view(recipe.config, images)
    codes = recipe.discriminator.codes(seen, recipe.feature_network(seen))
    heads = recipe.discriminator.logits(codes, sentence)
    return [head.detach().double().numpy() for head in heads]


def test_swapped_captions_are_among_the_mismatched(context: BuildContext, make_batch: MakeBatch) -> None:
    recipe = build(replace(EXACT, swapped_share=1.0), context)
    recipe.discriminator.eval()
    batch = make_batch(recipe)
    swapped = batch.text._replace(sentence=batch.text.sentence.flip(1))
    has_swap = torch.tensor([True, False, True, False])
    passed = recipe.generate(recipe.generator, batch)
    _, parts = recipe.discriminator_loss(replace(batch, swapped_text=swapped, has_swap=has_swap), passed)
    wrong = torch.where(has_swap[:, None], swapped.sentence, batch.mismatched_sentence)
    expected = np.mean([np.maximum(0, 1 + head).mean() for head in logits(recipe, batch.images, wrong)])
    assert parts["mismatched"].item() == pytest.approx(expected, rel=1e-4)


def test_asks_for_swapped_captions_where_it_uses_them() -> None:
    assert RECIPE.uses_swapped(PRESETS["compact"]) and not RECIPE.uses_swapped(ProjectedGanConfig())
    with pytest.raises(ValueError, match=r"swapped_share=1\.5 must be from 0 to 1"):
        replace(PRESETS["compact"], swapped_share=1.5)


def test_discriminator_loss_is_hinge_with_mismatched_captions(
    recipe: ProjectedGanRecipe, make_batch: MakeBatch
) -> None:
    batch = make_batch(recipe)
    passed = recipe.generate(recipe.generator, batch)
    loss, parts = recipe.discriminator_loss(batch, passed)

    real = logits(recipe, batch.images, batch.text.sentence)
    mismatched = logits(recipe, batch.images, batch.mismatched_sentence)
    fake = logits(recipe, passed.fakes, passed.sentence)
    expected = {
        "real": np.mean([np.maximum(0, 1 - head).mean() for head in real]),
        "fake": np.mean([np.maximum(0, 1 + head).mean() for head in fake]),
        "mismatched": np.mean([np.maximum(0, 1 + head).mean() for head in mismatched]),
    }
    assert {name: part.item() for name, part in parts.items()} == pytest.approx(expected, rel=1e-4)
    weight = EXACT.mismatch_weight
    wrong = (expected["fake"] + weight * expected["mismatched"]) / (1 + weight)
    assert loss.item() == pytest.approx(expected["real"] + wrong, rel=1e-4)


def test_generator_loss_is_its_parts_by_their_weights(
    recipe: ProjectedGanRecipe, make_batch: MakeBatch
) -> None:
    batch = make_batch(recipe)
    passed = recipe.generate(recipe.generator, batch)
    # Out of range here and there, so that the penalty has something to say.
    passed = replace_fakes(recipe, passed, passed.fakes * 3)
    loss, parts = recipe.generator_loss(batch, passed)

    excess = np.maximum(0, np.abs(passed.fakes.detach().double().numpy()) - 1)
    assert parts["range"].item() == pytest.approx((excess**2).mean(), rel=1e-4)
    fake = logits(recipe, passed.fakes, passed.sentence)
    assert parts["adversarial"].item() == pytest.approx(-np.mean([head.mean() for head in fake]), rel=1e-4)
    maps = (passed.features, passed.real_features)
    generated, photos = (pair_distances(features).detach().numpy() for features in maps)
    diversity = generated / photos.mean()
    assert parts["diversity"].item() == pytest.approx(diversity.mean(), rel=1e-4)
    expected = (
        parts["adversarial"].item()
        + EXACT.range_weight * parts["range"].item()
        + EXACT.diversity_weight * np.maximum(0, EXACT.diversity_target - diversity).mean()
        + EXACT.matching_weight * parts["matching"].item()
    )
    assert loss.item() == pytest.approx(expected, rel=1e-4)


def replace_fakes(recipe: ProjectedGanRecipe, passed: ProjectedGanState, fakes: Tensor) -> ProjectedGanState:
    seen = augmented_view(recipe.config, fakes)
    return replace(passed, fakes=fakes, seen=seen, features=recipe.feature_network(seen))


def test_guidance_compares_pictures_of_different_sentences_only(
    recipe: ProjectedGanRecipe, make_batch: MakeBatch
) -> None:
    batch = make_batch(recipe)
    passed = recipe.generate(recipe.generator, batch)
    _, parts = recipe.generator_loss(batch, passed)
    assert recipe.guide is not None
    images = recipe.guide.image_codes(passed.seen, passed.features).detach().double()
    texts = torch.from_numpy(recipe.guide.text_codes(passed.captions)).double()
    assert passed.captions == batch.captions[:2] * 2
    terms = []
    for first in (0, 2):  # the halves of the batch of four
        similarity = (images[first : first + 2] @ texts[first : first + 2].T) / EXACT.matching_temperature
        terms += [-similarity.log_softmax(dim).diagonal().mean() for dim in (0, 1)]
    assert parts["matching"].item() == pytest.approx(torch.stack(terms).mean().item(), rel=1e-3)


def test_guidance_sets_in_and_grows(
    recipe: ProjectedGanRecipe, context: BuildContext, make_batch: MakeBatch
) -> None:
    config = replace(EXACT, matching_start=100, matching_ramp=40, matching_weight=0.5)
    recipe = build(config, context)
    weights = [recipe.matching_weight(num_seen) for num_seen in (0, 100, 110, 130, 140, 10**9)]
    assert weights == pytest.approx([0, 0, 0.125, 0.375, 0.5, 0.5])
    for num_seen, guided in ((100, False), (101, True)):
        batch = make_batch(recipe, num_seen)
        _, parts = recipe.generator_loss(batch, recipe.generate(recipe.generator, batch))
        assert ("matching" in parts) == guided


def test_without_guidance_no_guide_is_trained(context: BuildContext, make_batch: MakeBatch) -> None:
    def load_guide(*_: object) -> Any:
        raise AssertionError("nobody asked for a guide")

    config = replace(EXACT, matching_weight=0.0)
    recipe = build(config, replace(context, load_guide=load_guide))
    batch = make_batch(recipe)
    _, parts = recipe.generator_loss(batch, recipe.generate(recipe.generator, batch))
    assert "matching" not in parts


def test_each_sentence_is_drawn_twice_in_one_pass(recipe: ProjectedGanRecipe, make_batch: MakeBatch) -> None:
    batch = make_batch(recipe)
    seen: list[Tensor] = []

    def generator(noise: Tensor, text: Any) -> Any:
        seen.append(text.sentence)
        return recipe.generator(noise, text)

    passed = recipe.generate(generator, batch)
    [asked] = seen
    assert torch.equal(asked, batch.text.sentence[[0, 1, 0, 1]])
    assert torch.equal(passed.sentence, asked)
    assert len(passed.fakes) == 4


def test_compiled_parts_are_whole_graphs_that_give_the_same(
    context: BuildContext, make_batch: MakeBatch
) -> None:
    recipe = build(replace(PRESETS["debug"], text_noise=0.0), context)
    recipe.discriminator.eval()
    batch = make_batch(recipe)

    def results() -> list[Tensor]:
        recipe.generator.zero_grad()
        torch.manual_seed(0)
        passed = recipe.generate(recipe.generator, batch)
        loss, parts = recipe.generator_loss(batch, passed)
        loss.backward()
        gradients = [weight.grad for weight in recipe.generator.parameters() if weight.grad is not None]
        return [passed.seen, passed.real_seen, *parts.values(), *gradients]

    expected = results()
    num_compiled = 0

    def compiled(function: Callable[..., Any]) -> Callable[..., Any]:
        nonlocal num_compiled
        num_compiled += 1
        return torch.compile(function, backend="aot_eager", fullgraph=True, dynamic=False)

    recipe.compile(compiled)
    assert num_compiled > 0
    torch.testing.assert_close(results(), expected, rtol=1e-4, atol=1e-5)


def test_noise_on_sentences_has_the_deviation_asked_for(context: BuildContext) -> None:
    recipe = build(replace(EXACT, text_noise=0.25), context)
    recipe.fit_text(torch.randn(100, context.text_dim) * 0.05)
    sentence = torch.zeros(4000, context.text_dim)
    standard = recipe.generator.text(recipe._noisy(sentence)) - recipe.generator.text(sentence)
    assert standard.std().item() == pytest.approx(0.25, rel=0.05)


def test_every_pair_is_asked_to_differ(recipe: ProjectedGanRecipe, make_batch: MakeBatch) -> None:
    batch = make_batch(recipe)
    passed = recipe.generate(recipe.generator, batch)
    # One pair differs as photos do, the other not at all: the mean alone would be content.
    one, other = batch.images[:2]
    losses = []
    for images in (torch.stack([one, other, other, other]), torch.stack([one, other, other, one])):
        loss, parts = recipe.generator_loss(batch, replace_fakes(recipe, passed, images))
        rest = parts["adversarial"] + EXACT.range_weight * parts["range"]
        losses.append((loss - rest - EXACT.matching_weight * parts["matching"]).item())
    assert losses == pytest.approx([EXACT.diversity_weight * EXACT.diversity_target / 2, 0], abs=1e-3)


def test_pair_distance_compares_what_stands_at_the_same_place() -> None:
    features = [torch.randn(5, channels, side, side) for channels, side in ((4, 8), (5, 4), (6, 2), (7, 1))]

    def distance(a: np.ndarray[Any, Any], b: np.ndarray[Any, Any]) -> float:
        norms = np.sqrt((a**2).sum(0) * (b**2).sum(0))
        return float(np.mean(1 - (a * b).sum(0) / norms))

    arrays = [feature.double().numpy() for feature in features[2:]]
    expected = [np.mean([distance(x[i], x[i + 3]) for x in arrays]) for i in (0, 1)]
    assert pair_distances(features).tolist() == pytest.approx(expected, rel=1e-4)


def test_other_light_is_no_other_pose(feature_network: EfficientNetLite0) -> None:
    """On a drawn bird's stand-in: a smooth blob, its mirror image, and the same in other light."""
    y, x = torch.meshgrid(torch.linspace(-1, 1, 128), torch.linspace(-1, 1, 128), indexing="ij")
    blob = torch.exp(-8 * ((x - 0.4) ** 2 + (y + 0.3) ** 2))[None].repeat(3, 1, 1) * 2 - 1
    lit, mirrored = 0.8 * blob + 0.1 * x, blob.flip(2)
    distances = [
        pair_distances(feature_network(torch.stack([blob, other]))).item() for other in (lit, mirrored)
    ]
    assert distances[0] < 0.5 * distances[1]


def test_batch_of_pictures_that_equal_each_other_gives_finite_losses(
    recipe: ProjectedGanRecipe, make_batch: MakeBatch
) -> None:
    batch = make_batch(recipe)
    batch = replace(batch, images=batch.images[:2].repeat(2, 1, 1, 1))
    loss, parts = recipe.generator_loss(batch, recipe.generate(recipe.generator, batch))
    assert torch.stack([loss, *parts.values()]).isfinite().all()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"resolution": 64}, "give 32 px, not resolution=64"),
        ({"num_blocks": (1, 1)}, "channels and num_blocks of 3 and 2 levels"),
        ({"feature_resolution": 80}, "feature_resolution=80 must be a multiple of 32 from 64"),
        ({"feature_resolution": 32}, "feature_resolution=32 must be a multiple of 32 from 64"),
        ({"channels": (2, 8, 8)}, "must begin with at least 4"),
        ({"num_blocks": (1, 0, 1)}, r"num_blocks=\(1, 0, 1\) must be above zero"),
        ({"matching_temperature": 0.0}, "matching_temperature=0.0 must be above zero"),
        ({"guide_steps": 0}, "guide_steps=0 must be above zero"),
        ({"noise_dim": -8}, "noise_dim=-8 must be above zero"),
    ],
)
def test_configurations_that_can_not_be_are_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        replace(PRESETS["debug"], **changes)


def test_weights_of_zero_turn_terms_off() -> None:
    names = ("mismatch_weight", "range_weight", "matching_weight", "diversity_weight", "text_noise")
    config = ProjectedGanConfig(**dict.fromkeys(names, 0.0))
    assert config.matching_weight == 0
