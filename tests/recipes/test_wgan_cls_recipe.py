from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from creativeai.recipes.conditional_gan import ConditionalGan
from creativeai.recipes.contract import Batch, BuildContext
from creativeai.recipes.stabilisers.settings import Stabilisers
from creativeai.recipes.wgan_cls import PRESETS, LearnedBalance, build
from exact_recipes import divergence, doubled, judged, judges

MakeBatch = Callable[..., Batch]
DEBUG = PRESETS["debug"]


@pytest.fixture
def recipe(context: BuildContext) -> ConditionalGan:
    return make_recipe(context, seed=0)


def make_recipe(context: BuildContext, seed: int) -> ConditionalGan:
    torch.manual_seed(seed)
    recipe = build(DEBUG, context)
    recipe.fit_text(torch.randn(40, context.text_dim) * 0.1 + 0.02)
    return recipe


def lengths(values: Tensor, inputs: Tensor) -> np.ndarray[Any, Any]:
    """Lengths [B] of the gradients of values [B], taken one at a time."""
    gradients = [
        torch.autograd.grad(value, inputs, retain_graph=True)[0][i] for i, value in enumerate(values)
    ]
    return np.array([gradient.norm().item() for gradient in gradients])


def test_critic_loss_weighs_realism_and_caption_with_one_sided_penalties(
    recipe: ConditionalGan, make_batch: MakeBatch
) -> None:
    batch = doubled(recipe, make_batch(recipe))
    [critic] = judges(recipe)
    critic.head[-1].weight.data *= 30  # gradients on either side of 1
    passed = recipe.generate(recipe.generator, batch)
    torch.manual_seed(7)
    loss, parts = recipe.discriminator_loss(batch, passed)

    torch.manual_seed(7)
    place = torch.rand(4, 1, 1, 1, dtype=torch.double)
    sentence = recipe.generator.standardise(batch.text.sentence).requires_grad_()
    real, fake = batch.images, passed.output.images[0].detach()
    points = (place * real + (1 - place) * fake).requires_grad_()
    values = critic.conditional(critic.features(points), sentence)
    penalties = [(np.maximum(0, lengths(values, inputs) - 1) ** 2).mean() for inputs in (points, sentence)]
    assert min(penalties) > 0
    assert parts["gradient_penalty"].item() == pytest.approx(penalties[0], rel=1e-6)
    assert parts["condition_penalty"].item() == pytest.approx(penalties[1], rel=1e-6)

    matching = judged(critic, real, sentence).mean()
    fake_distance = matching - judged(critic, fake, sentence).mean()
    wrong_distance = matching - judged(critic, real, sentence, [2, 2, 0, 0]).mean()
    expected = -fake_distance - 0.7 * wrong_distance + 150 * sum(penalties)
    assert loss.item() == pytest.approx(expected, rel=1e-6)

    [balance] = recipe.discriminator.memory.buffers()
    stepped = 0.7 - 1e-3 * 2 * (0.7 * wrong_distance - fake_distance) * wrong_distance
    assert stepped != pytest.approx(0.7, abs=1e-6)
    assert balance.item() == pytest.approx(stepped, rel=1e-6)
    assert parts["balance"].item() == balance.item()
    recipe.generator_loss(batch, passed)
    assert balance.item() == pytest.approx(stepped, rel=1e-6)  # learned once a step
    assert balance.item() == parts["balance"].item()


def test_generator_loss_is_the_critics_value_and_the_divergence(
    recipe: ConditionalGan, make_batch: MakeBatch
) -> None:
    batch = doubled(recipe, make_batch(recipe))
    passed = recipe.generate(recipe.generator, batch)
    loss, parts = recipe.generator_loss(batch, passed)
    [critic], [images] = judges(recipe), passed.output.images
    value = judged(critic, images.detach(), recipe.generator.standardise(batch.text.sentence)).mean()
    kl = divergence(passed.output)
    assert parts["adversarial"].item() == pytest.approx(-value, rel=1e-9)
    assert parts["kl"].item() == pytest.approx(kl, rel=1e-5)
    assert loss.item() == pytest.approx(-value + 1.0 * kl, rel=1e-5)


def terms(real: float, fake: float, wrong: float) -> dict[str, Tensor]:
    """A critic's terms by its values: the losses, of which the real one is negative."""
    return {"real": torch.tensor(-real), "fake": torch.tensor(fake), "wrong": torch.tensor(wrong)}


def test_balance_descends_until_both_distances_weigh_the_same() -> None:
    balance, value = LearnedBalance(0.7, learning_rate=1e-2), 0.7
    for _ in range(3):
        logged = balance.learn(terms(real=5.0, fake=-1.0, wrong=2.0))  # distances of 6 and 3
        value -= 1e-2 * 2 * (value * 3 - 6) * 3
        assert logged["balance"].item() == pytest.approx(value, rel=1e-6)
    for _ in range(100):
        balance.learn(terms(real=5.0, fake=-1.0, wrong=2.0))
    assert balance.value.item() == pytest.approx(6 / 3, rel=1e-5)
    weights = balance.weights()
    assert (weights.real, weights.fake, weights.wrong) == pytest.approx((3, 1, 2), rel=1e-5)


def test_balance_never_overshoots_and_never_favours_the_wrong_picture() -> None:
    balance = LearnedBalance(0.7, learning_rate=1e-3)
    for _ in range(5):  # plain descent would multiply its distance by -4 at each step
        balance.learn(terms(real=60.0, fake=-15.0, wrong=10.0))
        assert balance.value.item() == pytest.approx(75 / 50, rel=1e-6)
    balance = LearnedBalance(0.01, learning_rate=1e-3)
    balance.learn(terms(real=0.0, fake=3.0, wrong=-3.0))
    assert balance.value.item() == 0
    balance.learn(terms(real=2.0, fake=1.0, wrong=2.0))  # no distance, nothing to learn
    assert balance.value.item() == 0


def test_balance_comes_back_from_nothing(recipe: ConditionalGan, make_batch: MakeBatch) -> None:
    batch = doubled(recipe, make_batch(recipe))
    judges(recipe)[0].head[-1].weight.data *= 30
    passed = recipe.generate(recipe.generator, batch)
    assert batch.labels.tolist() == [0, 0, 1, 1]
    # Those of wrong pairs: both distances are the same.
    passed.output = passed.output._replace(images=(batch.images[[2, 2, 0, 0]],))
    recipe.discriminator.memory.value.zero_()
    _, parts = recipe.discriminator_loss(batch, passed)
    fake_distance, wrong_distance = (-parts["real"] - parts[name] for name in ("fake", "wrong"))
    stepped = 1e-3 * 2 * fake_distance.item() * wrong_distance.item()
    assert stepped > 1e-4
    assert parts["balance"].item() == pytest.approx(stepped, rel=1e-6)
    recipe.discriminator_loss(batch, passed)  # whatever came of it, it goes on


def test_balance_stays_where_it_does_not_learn() -> None:
    balance = LearnedBalance(0.7, learning_rate=0.0)
    balance.learn(terms(real=5.0, fake=-1.0, wrong=2.0))
    assert balance.value.item() == pytest.approx(0.7)


def test_balance_is_in_the_checkpoint(
    recipe: ConditionalGan, context: BuildContext, make_batch: MakeBatch
) -> None:
    batch = doubled(recipe, make_batch(recipe))
    passed = recipe.generate(recipe.generator, batch)
    recipe.discriminator.memory.value.fill_(2.5)
    saved = recipe.discriminator.state_dict()
    assert saved["memory.value"].item() == 2.5
    other = make_recipe(context, seed=1)
    doubled(other, batch)
    other.discriminator.load_state_dict(saved)
    losses = []
    for one in (recipe, other):
        torch.manual_seed(3)
        losses.append(one.discriminator_loss(batch, passed)[0].item())
    assert losses[0] == losses[1]
    assert recipe.discriminator.memory.value.item() == other.discriminator.memory.value.item() != 2.5


def test_paper_has_the_published_constants() -> None:
    paper = PRESETS["paper"]
    assert (paper.z_dim, paper.condition_dim) == (128, 128)
    assert (paper.generator_width, paper.critic_width) == (128, 128)
    assert (paper.kl_weight, paper.balance, paper.balance_lr) == (1.0, 0.7, 1e-3)
    assert paper.stabilisers == Stabilisers(
        loss="wasserstein",
        gradient_penalty=150,
        gradient_penalty_one_sided=True,
        discriminator_norm="none",
    )


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"resolution": 128}, "resolution=128 must be 64: WGAN-CLS has no other"),
        ({"balance": -0.1}, "balance=-0.1 must be 0 or more"),
        ({"critic_width": 0}, "critic_width=0 must be above zero"),
        (
            {"stabilisers": Stabilisers(loss="hinge")},
            "balance_lr=0.001 learns from Wasserstein distances, which stabilisers.loss=hinge does not give",
        ),
    ],
)
def test_what_can_not_be_is_refused(fields: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        replace(DEBUG, **fields)
    replace(DEBUG, balance_lr=0, stabilisers=Stabilisers(loss="hinge"))
