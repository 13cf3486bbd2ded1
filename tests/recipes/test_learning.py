from typing import Any

import pytest
from torch import nn
from torch.optim import Adam

from creativeai.recipes.learning import Learning, adam_optimizers, learning_rate_factor
from creativeai.recipes.registry import find_recipe


def factors(learning: Learning, *nums_seen: int) -> list[float]:
    return [learning_rate_factor(learning, num_seen, num_pictures=1000) for num_seen in nums_seen]


def test_rates_decay_by_epochs() -> None:
    learning = Learning(batch_size=64, lr_decay=0.5, lr_decay_epochs=20)
    assert factors(learning, 0, 19_999, 20_000, 39_999, 40_000) == [1, 1, 0.5, 0.5, 0.25]


def test_rates_decay_by_steps_where_steps_are_given() -> None:
    learning = Learning(batch_size=8, lr_decay=0.95, lr_decay_epochs=1, lr_decay_steps=10_000)
    expected = [1, 1, 0.95, 0.95**19]
    assert factors(learning, 0, 79_992, 80_000, 8 * 199_999) == pytest.approx(expected, rel=1e-12)


def test_rates_stay_without_a_decay() -> None:
    assert factors(Learning(batch_size=8, lr_decay_epochs=1), 0, 10**9) == [1, 1]


def test_either_network_has_its_adam_with_its_trainable_weights() -> None:
    generator, discriminator = nn.Linear(2, 3), nn.Linear(3, 1)
    generator.bias.requires_grad_(False)
    learning = Learning(batch_size=8, generator_lr=1e-3, discriminator_lr=2e-3, adam_betas=(0.25, 0.75))
    optimizers = adam_optimizers(learning, generator, discriminator)
    held = {"generator": [generator.weight], "discriminator": list(discriminator.parameters())}
    assert optimizers.keys() == held.keys()
    for (name, optimizer), rate in zip(optimizers.items(), (1e-3, 2e-3), strict=True):
        assert isinstance(optimizer, Adam)
        [group] = optimizer.param_groups
        assert [id(weight) for weight in group["params"]] == [id(weight) for weight in held[name]]
        assert (group["lr"], group["betas"]) == (rate, (0.25, 0.75))


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"batch_size": 1}, "batch_size=1 must be at least 2: a mismatched caption is another picture's"),
        ({"generator_lr": 0.0}, "generator_lr=0.0 must be above zero"),
        ({"discriminator_lr": -1.0}, "discriminator_lr=-1.0 must be above zero"),
        ({"lr_decay_epochs": 0}, "lr_decay_epochs=0 must be above zero"),
        ({"lr_decay_steps": -1}, "lr_decay_steps=-1 must be 0"),
        ({"ema_half_life": 0}, "ema_half_life=0 must be above zero"),
        ({"adam_betas": (0.5, 1.0)}, r"adam_betas=\(0.5, 1.0\) must be from 0 to below 1"),
        ({"lr_decay": 1.5}, "lr_decay=1.5 must be above 0 and at most 1"),
        ({"lr_decay": 0.0}, "lr_decay=0.0 must be above 0"),
    ],
)
def test_what_can_not_be_is_refused(fields: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message) as error:
        Learning(**{"batch_size": 8} | fields)
    assert len(str(error.value).splitlines()) == 1


def averaging(recipe: str, preset: str = "paper") -> float:
    """What remains of the generator's average in a step."""
    learning: Learning = find_recipe(recipe).presets[preset].learning
    return float(0.5 ** (learning.batch_size / learning.ema_half_life))


@pytest.mark.parametrize(
    ("recipe", "preset"),
    [("stackgan_v2", "paper"), ("attngan", "paper"), ("attngan", "paper_coco"), ("attngan", "attn_dcgan")],
)
def test_published_average_keeps_999_in_a_thousand(recipe: str, preset: str) -> None:
    assert averaging(recipe, preset) == pytest.approx(0.999, abs=1e-7)


@pytest.mark.parametrize("recipe", ["gan_cls", "wgan_cls", "stackgan_stage1", "stackgan_stage2"])
def test_papers_without_an_average_have_none(recipe: str) -> None:
    assert averaging(recipe) < 0.004


@pytest.mark.parametrize(
    ("recipe", "batch_size", "rates", "betas", "decay"),
    [
        ("gan_cls", 64, 2e-4, (0.5, 0.999), (0.5, 100, 0)),
        ("wgan_cls", 8, 1e-4, (0.0, 0.9), (0.95, 100, 10_000)),
        ("stackgan_stage1", 128, 2e-4, (0.5, 0.999), (0.5, 20, 0)),
        ("stackgan_stage2", 40, 2e-4, (0.5, 0.999), (0.5, 20, 0)),
        ("stackgan_v2", 24, 2e-4, (0.5, 0.999), (1.0, 100, 0)),
        ("attngan", 20, 2e-4, (0.5, 0.999), (1.0, 100, 0)),
    ],
)
def test_published_optimisers(
    recipe: str, batch_size: int, rates: float, betas: tuple[float, float], decay: tuple[float, int, int]
) -> None:
    own: Learning = find_recipe(recipe).presets["paper"].learning
    assert own.batch_size == batch_size
    assert (own.generator_lr, own.discriminator_lr, own.adam_betas) == (rates, rates, betas)
    assert (own.lr_decay, own.lr_decay_epochs, own.lr_decay_steps) == decay
