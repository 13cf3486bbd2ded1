"""Stage I and II of StackGAN, and StackGAN-v2."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from creativeai.models.generator_output import GeneratorOutput
from creativeai.recipes import stackgan_stage1, stackgan_stage2, stackgan_v2
from creativeai.recipes.conditional_gan import ConditionalGan
from creativeai.recipes.contract import Batch, BuildContext
from creativeai.recipes.registry import find_recipe
from creativeai.recipes.stabilisers.settings import Stabilisers
from creativeai.recipes.stackgan_stage2 import layout_difference
from creativeai.recipes.stackgan_v2 import colour_consistency
from exact_recipes import as_fake, as_real, divergence, doubled, judged, judged_alone, judges

MakeBatch = Callable[..., Batch]


def make_recipe(name: str, context: BuildContext, seed: int = 0, **fields: Any) -> ConditionalGan:
    torch.manual_seed(seed)
    entry = find_recipe(name)
    if entry.builds_on_first_stage and context.first_stage is None:
        context = replace(context, first_stage=make_recipe("stackgan_stage1", context, 5).generator)
    recipe: Any = entry.build(replace(entry.presets["debug"], **fields), context)
    recipe.fit_text(torch.randn(40, context.text_dim) * 0.1 + 0.02)
    return recipe


def means(images: np.ndarray[Any, Any], block: int) -> np.ndarray[Any, Any]:
    """Means over squares of pixels."""
    size, channels, side, _ = images.shape
    squares = images.reshape(size, channels, side // block, block, side // block, block)
    return np.asarray(squares.mean(axis=(3, 5)))


def test_stage1_judges_pairs_by_the_augmentations_mean(context: BuildContext, make_batch: MakeBatch) -> None:
    recipe = make_recipe("stackgan_stage1", context)
    batch = doubled(recipe, make_batch(recipe))
    passed = recipe.generate(recipe.generator, batch)
    loss, parts = recipe.discriminator_loss(batch, passed)
    [network], [fake], mean = judges(recipe), passed.output.images, passed.output.mean
    assert mean is not None
    expected = {
        "real": as_real(judged(network, batch.images, mean)),
        "fake": as_fake(judged(network, fake.detach(), mean)),
        "wrong": as_fake(judged(network, batch.images, mean[1:], slice(3))),
    }
    assert {name: part.item() for name, part in parts.items()} == pytest.approx(expected, rel=1e-9)
    total = expected["real"] + (expected["fake"] + expected["wrong"]) / 2
    assert loss.item() == pytest.approx(total, rel=1e-9)

    loss, parts = recipe.generator_loss(batch, passed)
    adversarial, kl = as_real(judged(network, fake.detach(), mean)), divergence(passed.output)
    assert parts["adversarial"].item() == pytest.approx(adversarial, rel=1e-9)
    assert parts["kl"].item() == pytest.approx(kl, rel=1e-5)
    assert loss.item() == pytest.approx(adversarial + 2 * kl, rel=1e-6)


def test_stage2_judges_the_last_picture_with_and_without_the_condition(
    context: BuildContext, make_batch: MakeBatch
) -> None:
    recipe = make_recipe("stackgan_stage2", context)
    batch = doubled(recipe, make_batch(recipe))
    passed = recipe.generate(recipe.generator, batch)
    assert [image.shape[-1] for image in passed.output.images] == [64, 128]
    loss, parts = recipe.discriminator_loss(batch, passed)
    [network], fake, mean = judges(recipe), passed.output.images[-1].detach(), passed.output.mean
    assert mean is not None
    expected = {
        "real": as_real(judged(network, batch.images, mean)),
        "fake": as_fake(judged(network, fake, mean)),
        "wrong": as_fake(judged(network, batch.images, mean[1:], slice(3))),
        "real_unconditional": as_real(judged_alone(network, batch.images)),
        "fake_unconditional": as_fake(judged_alone(network, fake)),
    }
    assert {name: part.item() for name, part in parts.items()} == pytest.approx(expected, rel=1e-9)
    t = expected
    total = (t["real"] + t["real_unconditional"]) / 2 + (t["fake"] + t["wrong"] + t["fake_unconditional"]) / 3
    assert loss.item() == pytest.approx(total, rel=1e-9)

    loss, parts = recipe.generator_loss(batch, passed)
    total = as_real(judged(network, fake, mean)) + as_real(judged_alone(network, fake))
    assert loss.item() == pytest.approx(total + 2 * divergence(passed.output), rel=1e-6)


@pytest.mark.parametrize("side", [16, 64])
def test_layout_is_compared_at_a_side_and_only_the_second_stage_learns_from_it(side: int) -> None:
    first = torch.rand(2, 3, 64, 64, requires_grad=True)
    second = torch.rand(2, 3, 128, 128, requires_grad=True)
    difference = layout_difference(first, second, side)
    former, latter = means(first.detach().numpy(), 64 // side), means(second.detach().numpy(), 128 // side)
    assert difference.item() == pytest.approx(((former - latter) ** 2).mean(), rel=1e-5)
    difference.backward()
    assert first.grad is None
    assert second.grad is not None and second.grad.flatten(1).all()


def test_layout_is_a_weighted_term_of_stage2(context: BuildContext, make_batch: MakeBatch) -> None:
    plain, pulled = (
        make_recipe("stackgan_stage2", context, layout_weight=weight, layout_side=32)
        for weight in (0.0, 20.0)
    )
    batch = make_batch(plain)
    passed = [recipe.generate(recipe.generator, batch) for recipe in (plain, pulled)]
    loss, parts = plain.generator_loss(batch, passed[0])
    assert "layout" not in parts
    larger, parts = pulled.generator_loss(batch, passed[1])
    assert parts["layout"].item() == pytest.approx(layout_difference(*passed[1].output.images, 32).item())
    assert larger.item() == pytest.approx(loss.item() + 20 * parts["layout"].item(), rel=1e-5)


def test_stackgan_v2_sums_its_discriminators(context: BuildContext, make_batch: MakeBatch) -> None:
    recipe = make_recipe("stackgan_v2", context, colour_weight=50.0)
    batch = doubled(recipe, make_batch(recipe))
    passed = recipe.generate(recipe.generator, batch)
    pyramid = [means(batch.images.numpy(), 2), batch.images.numpy()]
    for real, expected_real in zip(passed.reals, pyramid, strict=True):
        np.testing.assert_allclose(real.numpy(), expected_real, rtol=1e-12)
    loss, parts = recipe.discriminator_loss(batch, passed)
    mean, fakes = passed.output.mean, [image.detach() for image in passed.output.images]
    assert mean is not None
    expected: dict[str, float] = {}
    asked = 0.0
    for side, network, images, fake in zip((64, 128), judges(recipe), pyramid, fakes, strict=True):
        real = torch.from_numpy(images)
        expected |= {
            f"real_{side}": as_real(judged(network, real, mean)),
            f"fake_{side}": as_fake(judged(network, fake, mean)),
            f"wrong_{side}": as_fake(judged(network, real, mean, [2, 2, 0, 0])),
            f"real_unconditional_{side}": as_real(judged_alone(network, real)),
            # A mismatched picture is as real as any other.
            f"wrong_unconditional_{side}": as_real(judged_alone(network, real)),
            f"fake_unconditional_{side}": as_fake(judged_alone(network, fake)),
        }
        asked += as_real(judged(network, fake, mean)) + as_real(judged_alone(network, fake))
    assert {name: part.item() for name, part in parts.items()} == pytest.approx(expected, rel=1e-9)
    assert loss.item() == pytest.approx(sum(expected.values()), rel=1e-9)

    loss, parts = recipe.generator_loss(batch, passed)
    colour = colour_consistency(tuple(fakes)).item()
    assert parts["colour"].item() == pytest.approx(colour, rel=1e-6)
    assert loss.item() == pytest.approx(asked + 2 * divergence(passed.output) + 50 * colour, rel=1e-5)


def test_balanced_stackgan_v2_weighs_right_and_wrong_alike(
    context: BuildContext, make_batch: MakeBatch
) -> None:
    recipe = make_recipe("stackgan_v2", context, resolution=64, balanced=True)
    batch = make_batch(recipe)
    loss, parts = recipe.discriminator_loss(batch, recipe.generate(recipe.generator, batch))
    weights = {"real": 1, "fake": 0.5, "wrong": 0.5, "real_unconditional": 1, "fake_unconditional": 1}
    assert parts.keys() == weights.keys()
    assert loss.item() == pytest.approx(sum(weights[name] * parts[name].item() for name in parts), rel=1e-5)


def test_judgements_of_pictures_alone_weigh_as_they_are_told(
    context: BuildContext, make_batch: MakeBatch
) -> None:
    recipe = make_recipe("stackgan_v2", context, resolution=64, unconditional_weight=0.25, kl_weight=0.0)
    batch = make_batch(recipe)
    passed = recipe.generate(recipe.generator, batch)
    for loss, parts in (recipe.discriminator_loss(batch, passed), recipe.generator_loss(batch, passed)):
        weights = {name: 0.25 if name.endswith("_unconditional") else 1.0 for name in parts}
        assert sorted(set(weights.values())) == [0.25, 1.0]
        expected = sum(weights[name] * part.item() for name, part in parts.items())
        assert loss.item() == pytest.approx(expected, rel=1e-5)


def test_colour_consistency_compares_means_and_covariances_of_neighbouring_stages() -> None:
    images = [torch.rand(2, 3, side, side) * 2 - 1 for side in (4, 8, 16)]
    means, covariances = [], []
    for image in images:
        pixels = image.double().numpy().reshape(2, 3, -1)
        means.append(pixels.mean(2))
        covariances.append(np.stack([np.cov(picture, bias=True) for picture in pixels]))
    expected = sum(
        ((means[i] - means[i - 1]) ** 2).mean() + 5 * ((covariances[i] - covariances[i - 1]) ** 2).mean()
        for i in (1, 2)
    )
    assert colour_consistency(tuple(images)).item() == pytest.approx(expected, rel=1e-4)
    same = (images[0], images[0].repeat_interleave(2, 2).repeat_interleave(2, 3))
    assert colour_consistency(same).item() == pytest.approx(0, abs=1e-10)


def test_only_the_finer_stage_learns_from_colour_consistency() -> None:
    images = tuple(torch.rand(2, 3, side, side, requires_grad=True) for side in (4, 8))
    colour_consistency(images).backward()
    assert images[0].grad is None
    assert images[1].grad is not None and images[1].grad.flatten(1).any(1).all()


def test_one_stage_has_no_colours_to_compare(context: BuildContext, make_batch: MakeBatch) -> None:
    recipe = make_recipe("stackgan_v2", context, resolution=64, colour_weight=50.0)
    batch = make_batch(recipe)
    _, parts = recipe.generator_loss(batch, recipe.generate(recipe.generator, batch))
    assert parts.keys() == {"adversarial", "adversarial_unconditional", "kl"}


@pytest.mark.parametrize(
    ("name", "learns"), [("stackgan_stage1", False), ("stackgan_stage2", False), ("stackgan_v2", True)]
)
def test_condition_learns_by_the_discriminator_in_v2_alone(
    name: str, learns: bool, context: BuildContext, make_batch: MakeBatch
) -> None:
    recipe = make_recipe(name, context)
    batch = make_batch(recipe)
    passed = recipe.generate(recipe.generator, batch)
    condition = passed.condition.detach().clone().requires_grad_()
    passed = replace(passed, condition=condition)
    recipe.discriminator_loss(batch, passed)[0].backward()
    assert condition.grad is None
    recipe.discriminator.requires_grad_(False)
    recipe.generator_loss(batch, passed)[0].backward()
    assert (condition.grad is not None and bool(condition.grad.any())) == learns


@pytest.mark.parametrize("first", ["stackgan_stage1", "gan_cls", "wgan_cls"])
def test_first_stage_stands_still(first: str, context: BuildContext, make_batch: MakeBatch) -> None:
    first_stage = make_recipe(first, context, 5).generator
    recipe = make_recipe("stackgan_stage2", replace(context, first_stage=first_stage))
    saved = {name: tensor.clone() for name, tensor in recipe.generator.state_dict().items()}
    of_first = {name for name in saved if name.startswith("stage1.")}
    assert {name.removeprefix("stage1.") for name in of_first} == first_stage.state_dict().keys()
    optimizer = recipe.optimizers()["generator"]
    batch = make_batch(recipe)
    recipe.generator.train().requires_grad_(True)
    passed = recipe.generate(recipe.generator, batch)
    assert torch.equal(passed.output.images[0], stage1_alone(first_stage, batch).images[0])
    loss, _ = recipe.generator_loss(batch, passed)
    loss.backward()
    assert all(weight.grad is None for weight in first_stage.parameters())
    optimizer.step()
    moved = {name for name, x in recipe.generator.state_dict().items() if not torch.equal(x, saved[name])}
    assert moved and not moved & of_first
    trainable = {name for name, weight in recipe.generator.named_parameters() if weight.requires_grad}
    assert trainable <= moved


@torch.no_grad()
def stage1_alone(first_stage: Any, batch: Batch) -> GeneratorOutput:
    output: GeneratorOutput = first_stage(batch.noise[:, : first_stage.noise_dim], batch.text)
    return output


def test_stage2_refuses_what_it_can_not_build_upon(context: BuildContext) -> None:
    debug = stackgan_stage2.PRESETS["debug"]
    with pytest.raises(ValueError, match="upon a trained generator of 64 px: give --first-stage RUN"):
        stackgan_stage2.build(debug, context)
    two_stages = make_recipe("stackgan_v2", context).generator
    with pytest.raises(ValueError, match=r"stage1 makes pictures of \(64, 128\) px: take a generator of 64"):
        stackgan_stage2.build(debug, replace(context, first_stage=two_stages))


def test_papers_have_the_published_constants() -> None:
    first = stackgan_stage1.PRESETS["paper"]
    second = stackgan_stage2.PRESETS["paper"]
    joint = stackgan_v2.PRESETS["paper"]
    assert (first.z_dim, joint.z_dim) == (100, 100)
    for paper in (first, second, joint):
        assert (paper.condition_dim, paper.kl_weight) == (128, 2.0)
        assert paper.stabilisers == Stabilisers()
    for paper in (first, second):
        assert (paper.generator_width, paper.discriminator_width) == (192, 96)
    assert (joint.generator_width, joint.discriminator_width) == (64, 64)
    assert (first.resolution, second.resolution, joint.resolution) == (64, 256, 256)
    assert (second.num_residual, joint.num_residual, joint.colour_weight) == (2, 2, 0)


@pytest.mark.parametrize(
    ("name", "fields", "message"),
    [
        ("stackgan_stage1", {"resolution": 128}, "resolution=128 must be 64"),
        ("stackgan_stage1", {"generator_width": 7}, "generator_width=7 must be even"),
        ("stackgan_stage1", {"kl_weight": -1.0}, "kl_weight=-1.0 must be 0 or more"),
        ("stackgan_stage2", {"resolution": 64}, "resolution=64 must be 128, 256 or 512"),
        ("stackgan_stage2", {"layout_side": 20}, "layout_side=20 must be 4, 8, 16, 32 or 64"),
        ("stackgan_stage2", {"resolution": 512, "generator_width": 12}, "must be a multiple of 8"),
        ("stackgan_stage2", {"num_residual": -1}, "num_residual=-1 must be 0 or more"),
        ("stackgan_v2", {"resolution": 100}, "resolution=100 must be 64, 128 or 256"),
        ("stackgan_v2", {"generator_width": 3}, "generator_width=3 must be a multiple of 2"),
        ("stackgan_v2", {"colour_weight": -50.0}, "colour_weight=-50.0 must be 0 or more"),
        ("stackgan_v2", {"condition_dim": 0}, "condition_dim=0 must be above zero"),
    ],
)
def test_what_can_not_be_is_refused(name: str, fields: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        replace(find_recipe(name).presets["debug"], **fields)
