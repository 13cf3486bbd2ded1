"""What the classic recipes have in common, by way of those that are easiest to look into."""

import io
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn.utils.parametrize import is_parametrized

from creativeai.errors import TrainingError
from creativeai.models.layers.minibatch_discrimination import MinibatchDiscrimination
from creativeai.models.layers.virtual_batch_norm import VirtualBatchNorm
from creativeai.recipes import stackgan_stage1
from creativeai.recipes.conditional_gan import ConditionalGan, minibatch_layer
from creativeai.recipes.contract import Batch, BuildContext
from creativeai.recipes.registry import find_recipe
from creativeai.recipes.stabilisers.settings import Stabilisers
from creativeai.training.settings import apply_settings
from exact_recipes import as_fake, as_real, doubled, judged, judges

MakeBatch = Callable[..., Batch]
CLASSIC = ["gan_cls", "wgan_cls", "stackgan_stage1", "stackgan_stage2", "stackgan_v2", "attngan"]
VIRTUAL = Stabilisers(discriminator_norm="virtual", generator_norm="virtual", reference_size=3)


def make_recipe(
    name: str, context: BuildContext, stabilisers: Stabilisers | None = None, seed: int = 0
) -> ConditionalGan:
    torch.manual_seed(seed)
    entry = find_recipe(name)
    if entry.builds_on_first_stage:
        context = replace(context, first_stage=make_recipe("stackgan_stage1", context, seed=5).generator)
    config = entry.presets["debug"]
    if stabilisers is not None:
        config = replace(config, stabilisers=stabilisers)
    recipe: Any = entry.build(config, context)
    recipe.fit_text(torch.randn(40, context.text_dim) * 0.1 + 0.02)
    return recipe


def reloaded(module: nn.Module) -> Any:
    """What a checkpoint gives back."""
    file = io.BytesIO()
    torch.save(module.state_dict(), file)
    file.seek(0)
    return torch.load(file, weights_only=True)


def step(recipe: ConditionalGan, batch: Batch) -> None:
    """A whole one, of the discriminator and then of the generator."""
    passed = recipe.generate(recipe.generator, batch)
    optimizers = recipe.optimizers()
    for name, loss_of in (
        ("discriminator", recipe.discriminator_loss),
        ("generator", recipe.generator_loss),
    ):
        optimizers[name].zero_grad()
        loss_of(batch, passed)[0].backward()
        optimizers[name].step()


def test_two_time_scales_change_rates_and_betas(context: BuildContext) -> None:
    recipe = make_recipe("wgan_cls", context, replace(wgan(), ttur=True))
    rates = {name: optimizer.param_groups[0]["lr"] for name, optimizer in recipe.optimizers().items()}
    assert rates == pytest.approx({"generator": 2e-4, "discriminator": 8e-4}, rel=1e-12)
    recipe = make_recipe("stackgan_stage1", context, Stabilisers(ttur=True))
    for optimizer in recipe.optimizers().values():
        assert optimizer.param_groups[0]["betas"] == (0.0, 0.9)
    for optimizer in make_recipe("stackgan_stage1", context).optimizers().values():
        assert (optimizer.param_groups[0]["lr"], optimizer.param_groups[0]["betas"]) == (2e-4, (0.5, 0.999))


def wgan() -> Stabilisers:
    stabilisers: Stabilisers = find_recipe("wgan_cls").presets["debug"].stabilisers
    return stabilisers


@pytest.mark.parametrize("name", CLASSIC)
def test_spectral_norm_bounds_every_trained_map_and_is_what_the_optimisers_hold(
    name: str, context: BuildContext, make_batch: MakeBatch
) -> None:
    own = wgan() if name == "wgan_cls" else Stabilisers()
    both = replace(own, spectral_norm_discriminator=True, spectral_norm_generator=True)
    recipe = make_recipe(name, context, both)
    optimizers = recipe.optimizers()
    for network_name, network in (("generator", recipe.generator), ("discriminator", recipe.discriminator)):
        maps = [
            module
            for path, module in network.named_modules()
            if isinstance(module, nn.Linear | nn.Conv2d | nn.ConvTranspose2d)
            and not path.startswith("stage1.")
        ]
        assert maps and all(is_parametrized(module, "weight") for module in maps)
        held = {id(weight) for group in optimizers[network_name].param_groups for weight in group["params"]}
        assert {id(module.parametrizations.weight.original) for module in maps} <= held
        assert held == {id(weight) for weight in network.parameters() if weight.requires_grad}
    before = [weight.clone() for weight in recipe.generator.parameters() if weight.requires_grad]
    step(recipe, make_batch(recipe))
    after = [weight for weight in recipe.generator.parameters() if weight.requires_grad]
    assert not any(torch.equal(old, new) for old, new in zip(before, after, strict=True))


@pytest.mark.parametrize(
    ("discriminators", "generators"), [(True, False), (False, True)], ids=["of D alone", "of G alone"]
)
def test_spectral_norm_is_for_the_network_it_is_asked_for(
    discriminators: bool, generators: bool, context: BuildContext
) -> None:
    stabilisers = Stabilisers(spectral_norm_discriminator=discriminators, spectral_norm_generator=generators)
    recipe = make_recipe("stackgan_v2", context, stabilisers)
    for network, asked in ((recipe.discriminator, discriminators), (recipe.generator, generators)):
        assert any(is_parametrized(module) for module in network.modules()) == asked


def test_historical_averaging_is_of_both_networks_and_checkpointed(
    context: BuildContext, make_batch: MakeBatch
) -> None:
    averaging = Stabilisers(historical_averaging=3.0)
    recipe, plain = (make_recipe("gan_cls", context, own) for own in (averaging, None))
    batch = doubled(recipe, make_batch(recipe))
    doubled(plain, batch)
    trail: dict[str, list[np.ndarray[Any, Any]]] = {"generator": [], "discriminator": []}
    saved: dict[str, Any] = {}
    for moves in range(3):
        if moves == 2:
            saved = {"generator": reloaded(recipe.generator), "discriminator": reloaded(recipe.discriminator)}
        passed = recipe.generate(recipe.generator, batch)
        for name, network in (("discriminator", recipe.discriminator), ("generator", recipe.generator)):
            trail[name].append(flat(network))
            penalty = ((trail[name][-1] - np.mean(trail[name], axis=0)) ** 2).sum()
            loss, parts = getattr(recipe, f"{name}_loss")(batch, passed)
            assert parts["historical_averaging"].item() == pytest.approx(penalty, rel=1e-6, abs=1e-12)
            without, _ = getattr(plain, f"{name}_loss")(batch, passed)
            assert loss.item() == pytest.approx(without.item() + 3 * penalty, rel=1e-6)
        assert moves == 0 or penalty > 0.1
        if moves < 2:
            for one in (recipe, plain):
                torch.manual_seed(moves)
                for network in (one.generator, one.discriminator):
                    move(network)

    resumed = make_recipe("gan_cls", context, averaging, seed=9)
    doubled(resumed, batch)
    for name, state in saved.items():
        getattr(resumed, name).load_state_dict(state)
    for name in ("discriminator", "generator"):
        _, parts = getattr(resumed, f"{name}_loss")(batch, passed)
        penalty = ((trail[name][-1] - np.mean(trail[name], axis=0)) ** 2).sum()
        assert parts["historical_averaging"].item() == pytest.approx(penalty, rel=1e-6)


def flat(network: nn.Module) -> np.ndarray[Any, Any]:
    return torch.cat([weight.detach().flatten() for weight in network.parameters()]).numpy().copy()


@torch.no_grad()
def move(network: nn.Module) -> None:
    for weight in network.parameters():
        weight += torch.randn_like(weight) * 0.05


@pytest.mark.parametrize("name", ["gan_cls", "stackgan_stage2", "attngan"])
def test_virtual_normalisation_keeps_the_first_examples_and_restores_them(
    name: str, context: BuildContext, make_batch: MakeBatch
) -> None:
    recipe = make_recipe(name, context, VIRTUAL)
    for network in (recipe.generator, *judges(recipe)):
        norms = [module for path, module in network.named_modules() if not path.startswith("stage1.")]
        assert any(isinstance(module, VirtualBatchNorm) for module in norms)
        assert not any(isinstance(module, nn.BatchNorm1d | nn.BatchNorm2d) for module in norms)
    first = make_batch(recipe)
    step(recipe, first)
    second = make_batch(recipe)
    step(recipe, second)
    state = recipe.discriminator.state_dict()
    assert torch.equal(state["reference.images"], first.images[:3])
    assert torch.equal(state["reference.noise"], first.noise[:3])
    assert torch.equal(state["reference.sentence"], first.text.sentence[:3])

    resumed = make_recipe(name, context, VIRTUAL, seed=9)
    resumed.generator.load_state_dict(reloaded(recipe.generator))
    resumed.discriminator.load_state_dict(reloaded(recipe.discriminator))
    figures = []
    for one in (recipe, resumed):
        torch.manual_seed(3)
        passed = one.generate(one.generator, second)
        losses = [loss_of(second, passed)[0] for loss_of in (one.discriminator_loss, one.generator_loss)]
        figures.append([loss.item() for loss in losses])
    assert figures[0] == figures[1]
    assert torch.equal(resumed.discriminator.reference.images, first.images[:3])


def test_virtual_normalisation_draws_a_picture_whatever_its_company(
    context: BuildContext, make_batch: MakeBatch
) -> None:
    recipe = make_recipe("stackgan_v2", context, VIRTUAL)
    batch = make_batch(recipe)
    whole = recipe.generate(recipe.generator, batch).output
    turned = replace(
        batch,
        images=batch.images.roll(1, 0),
        noise=batch.noise.roll(1, 0),
        text=type(batch.text)(*(tensor.roll(1, 0) for tensor in batch.text)),
    )
    others = recipe.generate(recipe.generator, turned).output.images
    for image, other in zip(whole.images, others, strict=True):
        torch.testing.assert_close(image.roll(1, 0), other, rtol=1e-4, atol=1e-5)
    assert [len(image) for image in whole.images] == [4, 4]


def test_minibatch_discrimination_is_in_every_discriminator(
    context: BuildContext, make_batch: MakeBatch
) -> None:
    recipe = make_recipe("stackgan_v2", context, Stabilisers(minibatch_kernels=7))
    for side, network in zip((64, 128), judges(recipe), strict=True):
        assert isinstance(network.minibatch, MinibatchDiscrimination)
        features = network.features(torch.rand(2, 3, side, side))
        assert features.shape == (2, 8 * 4 + 7, 4, 4)
        assert features[:, -7:].min() > 0  # the other one is near
    step(recipe, make_batch(recipe))
    assert minibatch_layer(Stabilisers(), 4) is None


def test_other_stabilisers_reach_the_losses(context: BuildContext, make_batch: MakeBatch) -> None:
    own = Stabilisers(label_smoothing=0.1, feature_matching=2.0)
    recipe = make_recipe("stackgan_stage1", context, own)
    batch = doubled(recipe, make_batch(recipe))
    passed = recipe.generate(recipe.generator, batch)
    _, parts = recipe.discriminator_loss(batch, passed)
    [network], [fake], condition = judges(recipe), passed.output.images, passed.condition.detach()
    real = judged(network, batch.images, condition)
    assert parts["real"].item() == pytest.approx(0.9 * as_real(real) + 0.1 * as_fake(real), rel=1e-9)
    loss, parts = recipe.generator_loss(batch, passed)
    with torch.no_grad():
        features = [network.features(images).numpy().mean(0) for images in (batch.images, fake)]
    matching = ((features[0] - features[1]) ** 2).sum()
    adversarial = as_real(judged(network, fake.detach(), condition))
    assert parts["feature_matching"].item() == pytest.approx(matching, rel=1e-6)
    expected = adversarial + 2 * matching + 2 * parts["kl"].item()
    assert loss.item() == pytest.approx(expected, rel=1e-6)


def test_r1_goes_by_the_steps_of_the_run(context: BuildContext, make_batch: MakeBatch) -> None:
    own = Stabilisers(discriminator_norm="none", r1=1.0, r1_interval=4)
    recipe = make_recipe("stackgan_v2", context, own)
    with_penalty = []
    for number in range(6):
        batch = make_batch(recipe, num_seen=number * recipe.config.learning.batch_size)
        _, parts = recipe.discriminator_loss(batch, recipe.generate(recipe.generator, batch))
        with_penalty.append({"r1_64", "r1_128"} <= parts.keys())
    assert with_penalty == [True, False, False, False, True, False]


def test_learning_rates_decay_by_the_epochs_of_the_pictures_at_hand(context: BuildContext) -> None:
    paper = stackgan_stage1.PRESETS["paper"].learning
    config = replace(stackgan_stage1.PRESETS["debug"], learning=paper)
    recipe = stackgan_stage1.build(config, context)
    epochs = [0, 19, 20, 40]
    factors = [recipe.learning_rate_factor(epoch * context.num_pictures) for epoch in epochs]
    assert factors == [1, 1, 0.5, 0.25]


@pytest.mark.parametrize("name", CLASSIC)
@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (["learning.batch_size=1"], "batch_size=1 must be at least 2: a mismatched caption is another pict"),
        (
            ["stabilisers.generator_norm=virtual", "stabilisers.reference_size=16", "learning.batch_size=8"],
            "batch_size=8 is below stabilisers.reference_size=16",
        ),
        (
            ["stabilisers.gradient_penalty=10", "stabilisers.discriminator_norm=batch"],
            "gradient_penalty is about .* discriminator_norm=batch makes it depend on the other pictures",
        ),
        (
            ["stabilisers.r1=1", "stabilisers.discriminator_norm=none", "stabilisers.minibatch_kernels=8"],
            "minibatch_kernels=8 makes it depend on the other pictures",
        ),
        (
            ["stabilisers.loss=wasserstein", "stabilisers.gradient_penalty=0"],
            "loss=wasserstein is a distance only where the critic's slope is bounded",
        ),
        (
            ["stabilisers.loss=wasserstein", "stabilisers.label_smoothing=0.1"],
            "label_smoothing=0.1 has no targets to smooth with loss=wasserstein",
        ),
    ],
)
def test_contradictions_are_refused_with_the_reason(name: str, settings: list[str], message: str) -> None:
    with pytest.raises(TrainingError, match=message) as error:
        apply_settings(find_recipe(name).presets["debug"], settings)
    assert len(str(error.value).splitlines()) == 1


def test_minibatch_discrimination_of_one_picture_is_refused_with_the_reason() -> None:
    settings = ["stabilisers.minibatch_kernels=8", "learning.batch_size=1"]
    message = "batch_size=1 must be at least 2: .* minibatch discrimination .* compare pictures"
    with pytest.raises(TrainingError, match=message):
        apply_settings(stackgan_stage1.PRESETS["debug"], settings)


PUBLISHED = {
    ("stackgan_stage1", "paper"): (20_020_832, [12_407_425]),
    ("stackgan_stage2", "paper"): (57_151_312, [159_889_538]),
    ("stackgan_v2", "paper"): (21_239_696, [5_723_906, 18_834_178, 71_269_122]),
    ("attngan", "paper"): (7_084_592, [6_313_730, 19_424_002, 71_858_946]),
    ("attngan", "paper_coco"): (13_811_456, [13_304_450, 42_800_258, 160_774_274]),
    ("attngan", "attn_dcgan"): (6_638_960, [71_850_753]),
}


@pytest.mark.parametrize(("name", "preset"), PUBLISHED)
def test_paper_presets_build_networks_of_the_published_size(
    name: str, preset: str, context: BuildContext
) -> None:
    recipe = without_memory(name, preset, replace(context, text_dim=256 if name == "attngan" else 1024))
    num_generator, nums_discriminators = PUBLISHED[name, preset]
    assert num_parameters(recipe.generator) == num_generator
    assert [num_parameters(network) for network in judges(recipe)] == nums_discriminators
    assert num_parameters(recipe.discriminator) == sum(nums_discriminators)


@pytest.mark.parametrize(
    ("name", "first"), [*((name, "stackgan_stage1") for name in CLASSIC), ("stackgan_stage2", "wgan_cls")]
)
def test_compact_generators_fit_their_bundle(name: str, first: str, context: BuildContext) -> None:
    context = replace(context, text_dim=256 if name == "attngan" else 384)
    generator = without_memory(name, "compact", context, first).generator
    num_numbers = sum(tensor.numel() for tensor in generator.state_dict().values())
    assert 2e6 < 2 * num_numbers < 11.8e6  # bytes in half precision; a bundle has 12 MB at most


def without_memory(
    name: str, preset: str, context: BuildContext, first: str = "stackgan_stage1"
) -> ConditionalGan:
    """Built of shapes alone."""
    entry = find_recipe(name)
    config = entry.presets[preset]
    if name == "attngan":
        config = replace(config, damsm_weight=0.0)  # a judge, no part of the networks
    with torch.device("meta"):
        if entry.builds_on_first_stage:
            context = replace(context, first_stage=without_memory(first, preset, context).generator)
        recipe: Any = entry.build(config, context)
    return recipe


def num_parameters(network: nn.Module) -> int:
    return sum(weight.numel() for weight in network.parameters())


@pytest.mark.parametrize("name", CLASSIC)
def test_mode_seeking_draws_half_of_the_captions_again_for_the_generator_alone(
    name: str, context: BuildContext, make_batch: MakeBatch
) -> None:
    own = wgan() if name == "wgan_cls" else Stabilisers()
    recipe = make_recipe(name, context, replace(own, mode_seeking=2.0))
    batch = make_batch(recipe)
    size, num = len(batch.images), len(batch.images) // 2
    passed = recipe.generate(recipe.generator, batch)
    assert len(passed.noise) == len(passed.condition) >= size + num
    assert torch.equal(passed.noise[:size], batch.noise)
    assert not torch.isclose(passed.noise[-num:], batch.noise[:num]).any(dim=1).all()
    if recipe.objective.condition == "sentence":
        torch.testing.assert_close(passed.condition[-num:], passed.condition[:num])
    _, before = recipe.generator_loss(batch, passed)
    distance = (passed.noise[:num] - passed.noise[-num:]).abs().mean().item()
    apart = [(image[:num] - image[-num:]).abs().mean().item() for image in passed.output.images]
    expected = np.mean([1 / (each / distance + 1e-5) for each in apart])
    assert before["mode_seeking"].item() == pytest.approx(expected, rel=1e-4)
    step(recipe, batch)
