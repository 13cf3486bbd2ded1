from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from creativeai.models.layers.minibatch_discrimination import MinibatchDiscrimination
from creativeai.models.layers.virtual_batch_norm import VirtualBatchNorm
from creativeai.recipes.adversarial import discriminator_loss, generator_loss
from creativeai.recipes.augmentation import DiffAugment
from creativeai.recipes.pairs import ATTNGAN, GAN_CLS, STACKGAN1, STACKGAN2, STACKGAN_V2, PairWeights
from creativeai.recipes.stabilisers.reference_batch import ReferencePairs
from creativeai.recipes.stabilisers.settings import Stabilisers

BATCH, CONDITION_DIM, WIDTH = 5, 4, 6
PLAIN = Stabilisers(discriminator_norm="none")
WGAN_GP = Stabilisers(loss="wasserstein", gradient_penalty=10.0, discriminator_norm="none")
VIRTUAL = Stabilisers(discriminator_norm="virtual", reference_size=3)


class TinyDiscriminator(nn.Module):
    """16 px; the contract of the classic discriminators."""

    condition_dim = CONDITION_DIM

    def __init__(self, norm: str = "none", has_unconditional: bool = True, num_kernels: int = 0) -> None:
        super().__init__()
        self.has_unconditional = has_unconditional
        kinds: dict[str, Any] = {"none": nn.Identity, "batch": nn.BatchNorm2d, "virtual": VirtualBatchNorm}
        self.encode = nn.Sequential(nn.Conv2d(3, WIDTH, 4, 4), kinds[norm](WIDTH), nn.Tanh())
        self.joint = nn.Sequential(nn.Conv2d(WIDTH + CONDITION_DIM, WIDTH, 1), kinds[norm](WIDTH), nn.Tanh())
        self.minibatch = MinibatchDiscrimination(WIDTH * 16, num_kernels) if num_kernels else None
        self.to_logit = nn.Linear(WIDTH * 16 + num_kernels, 1)
        self.to_unconditional = nn.Linear(WIDTH * 16, 1)
        self.num_passes = 0

    def features(self, images: Tensor) -> Tensor:
        self.num_passes += 1
        return self.encode(images)

    def conditional(self, features: Tensor, condition: Tensor) -> Tensor:
        tiled = condition[:, :, None, None].expand(-1, -1, 4, 4)
        joint = self.joint(torch.cat([features, tiled], dim=1)).flatten(1)
        if self.minibatch is not None:
            joint = torch.cat([joint, self.minibatch(joint).to(joint.dtype)], dim=1)
        return self.to_logit(joint).flatten()

    def unconditional(self, features: Tensor) -> Tensor:
        return self.to_unconditional(features.flatten(1)).flatten()


def judged(network: TinyDiscriminator, images: Tensor, condition: Tensor) -> np.ndarray:
    return network.conditional(network.features(images), condition).detach().numpy()


def judged_alone(network: TinyDiscriminator, images: Tensor) -> np.ndarray:
    return network.unconditional(network.features(images)).detach().numpy()


def softplus(x: np.ndarray) -> float:
    return float(np.log1p(np.exp(x)).mean())


@pytest.fixture
def network() -> TinyDiscriminator:
    return TinyDiscriminator().double()


@pytest.fixture
def batch() -> tuple[Tensor, Tensor, Tensor]:
    """Real and generated pictures, conditions."""
    return random_batch(torch.double)


def random_batch(dtype: torch.dtype = torch.float32) -> tuple[Tensor, Tensor, Tensor]:
    real, fake = (torch.randn(BATCH, 3, 16, 16, dtype=dtype) for _ in range(2))
    return real, fake, torch.randn(BATCH, CONDITION_DIM, dtype=dtype)


def random_reference() -> ReferencePairs:
    return ReferencePairs(torch.randn(3, 3, 16, 16), torch.randn(3, CONDITION_DIM))


@pytest.mark.parametrize("weights", [GAN_CLS, STACKGAN1, STACKGAN2, STACKGAN_V2, ATTNGAN])
def test_losses_are_those_of_the_papers(
    weights: PairWeights, network: TinyDiscriminator, batch: tuple[Tensor, Tensor, Tensor]
) -> None:
    real, fake, condition = batch
    terms = {
        "real": softplus(-judged(network, real, condition)),
        "fake": softplus(judged(network, fake, condition)),
        "wrong": softplus(judged(network, real[:-1], condition[1:])),
        "real_unconditional": softplus(-judged_alone(network, real)),
        "fake_unconditional": softplus(judged_alone(network, fake)),
        "wrong_unconditional": softplus(-judged_alone(network, real.roll(-1, 0))),
    }
    if weights.wrong_by == "image":
        terms["wrong"] = softplus(judged(network, real.roll(-1, 0), condition))
    t = terms
    alone = t["fake_unconditional"]
    expected = {
        GAN_CLS: t["real"] + 0.5 * t["wrong"] + 0.5 * t["fake"],
        STACKGAN1: t["real"] + (t["fake"] + t["wrong"]) / 2,
        STACKGAN2: (t["real"] + t["real_unconditional"]) / 2 + (t["fake"] + t["wrong"] + alone) / 3,
        STACKGAN_V2: sum(t.values()),
    }[weights]
    loss, parts = discriminator_loss(network, *batch, weights, PLAIN, step=0)
    assert loss.item() == pytest.approx(expected, rel=1e-7)
    assert {name: part.item() for name, part in parts.items()} == pytest.approx(
        {name: terms[name] for name in parts}, rel=1e-7
    )

    conditional, unconditional = (
        softplus(-judged(network, fake, condition)),
        softplus(-judged_alone(network, fake)),
    )
    loss, parts = generator_loss(network, *batch, weights, PLAIN)
    if weights in (GAN_CLS, STACKGAN1):
        assert parts.keys() == {"adversarial"}
        assert loss.item() == pytest.approx(conditional, rel=1e-7)
    else:
        assert parts.keys() == {"adversarial", "adversarial_unconditional"}
        assert loss.item() == pytest.approx(conditional + unconditional, rel=1e-7)


def test_features_of_each_picture_are_computed_once(
    network: TinyDiscriminator, batch: tuple[Tensor, Tensor, Tensor]
) -> None:
    discriminator_loss(network, *batch, STACKGAN_V2, PLAIN, step=0)
    assert network.num_passes == 2
    generator_loss(network, *batch, STACKGAN_V2, PLAIN)
    assert network.num_passes == 3


def test_wrong_pictures_are_of_another_class_where_classes_are_known(
    network: TinyDiscriminator, batch: tuple[Tensor, Tensor, Tensor]
) -> None:
    real, _, condition = batch
    labels = torch.tensor([7, 7, 2, 2, 7])
    _, parts = discriminator_loss(network, *batch, GAN_CLS, PLAIN, step=0, labels=labels)
    wrong = judged(network, real[[2, 2, 4, 4, 2]], condition)
    assert parts["wrong"].item() == pytest.approx(softplus(wrong), rel=1e-7)
    # In a batch of one class it is the next picture all the same.
    _, parts = discriminator_loss(network, *batch, GAN_CLS, PLAIN, step=0, labels=torch.ones(5))
    wrong = judged(network, real.roll(-1, 0), condition)
    assert parts["wrong"].item() == pytest.approx(softplus(wrong), rel=1e-7)


def test_gradients_stay_on_their_side(network: TinyDiscriminator) -> None:
    real, fake, condition = random_batch(torch.double)
    fake.requires_grad_()
    condition.requires_grad_()
    loss, _ = discriminator_loss(network, real, fake, condition, STACKGAN2, PLAIN, step=0)
    loss.backward()
    assert fake.grad is None and condition.grad is None
    assert all(weight.grad is not None and weight.grad.any() for weight in network.parameters())
    network.requires_grad_(False)
    loss, _ = generator_loss(network, real, fake, condition, STACKGAN2, PLAIN)
    loss.backward()
    assert fake.grad is not None and fake.grad.flatten(1).any(1).all()
    assert condition.grad is not None


def test_label_smoothing_is_for_real_pictures_in_the_discriminators_step_alone(
    network: TinyDiscriminator, batch: tuple[Tensor, Tensor, Tensor]
) -> None:
    real, _, condition = batch
    smoothed = replace(PLAIN, label_smoothing=0.1)
    _, plain = discriminator_loss(network, *batch, STACKGAN_V2, PLAIN, step=0)
    _, parts = discriminator_loss(network, *batch, STACKGAN_V2, smoothed, step=0)
    for name in ("fake", "wrong", "fake_unconditional"):
        assert parts[name].item() == plain[name].item()
    pairs = {
        "real": judged(network, real, condition),
        "real_unconditional": judged_alone(network, real),
        "wrong_unconditional": judged_alone(network, real),
    }
    for name, logits in pairs.items():
        expected = 0.9 * softplus(-logits) + 0.1 * softplus(logits)
        assert parts[name].item() == pytest.approx(expected, rel=1e-7)
    plain_loss, _ = generator_loss(network, *batch, STACKGAN_V2, PLAIN)
    assert generator_loss(network, *batch, STACKGAN_V2, smoothed)[0].item() == plain_loss.item()


def norms_of(logits: Tensor, inputs: Tensor) -> np.ndarray:
    """Lengths [B] of gradients that are taken one logit at a time."""
    gradients = [
        torch.autograd.grad(logit, inputs, retain_graph=True)[0][i] for i, logit in enumerate(logits)
    ]
    return np.array([gradient.norm().item() for gradient in gradients])


@pytest.mark.parametrize("one_sided", [False, True])
def test_gradient_penalty_is_per_sample_and_the_mean_over_the_heads(
    one_sided: bool, batch: tuple[Tensor, Tensor, Tensor]
) -> None:
    network = TinyDiscriminator().double()
    network.encode[0].weight.data *= 6  # gradients about 1
    real, _, condition = batch
    stabilisers = replace(WGAN_GP, gradient_penalty_one_sided=one_sided)
    # Of real pictures with themselves, so that the points between are known.
    loss, parts = discriminator_loss(
        network, real, real, condition, STACKGAN2, stabilisers, step=0, penalise_condition=True
    )
    points, conditions = real.clone().requires_grad_(), condition.clone().requires_grad_()
    features = network.features(points)
    logits = network.conditional(features, conditions)

    def penalty(norms: np.ndarray) -> float:
        excess = np.maximum(0, norms - 1) if one_sided else norms - 1
        return float((excess**2).mean())

    heads = [norms_of(logits, points), norms_of(network.unconditional(features), points)]
    assert parts["gradient_penalty"].item() == pytest.approx(
        np.mean([penalty(head) for head in heads]), rel=1e-6
    )
    by_condition = penalty(norms_of(logits, conditions))
    assert parts["condition_penalty"].item() == pytest.approx(by_condition, rel=1e-6, abs=1e-12)
    without, _ = discriminator_loss(
        network, real, real, condition, STACKGAN2, replace(stabilisers, gradient_penalty=1e-12), step=0
    )
    penalties = parts["gradient_penalty"] + parts["condition_penalty"]
    assert loss.item() == pytest.approx((without + 10 * penalties).item(), rel=1e-6)


def test_gradient_penalty_is_between_real_and_generated_pictures(
    network: TinyDiscriminator, batch: tuple[Tensor, Tensor, Tensor]
) -> None:
    seen: list[Tensor] = []
    network.encode.register_forward_hook(lambda _, given, __: seen.append(given[0].detach()))
    discriminator_loss(network, *batch, GAN_CLS, WGAN_GP, step=0)
    real, fake, _ = batch
    place = (seen[2] - fake) / (real - fake)
    torch.testing.assert_close(place, place[:, :1, :1, :1].expand_as(place))
    assert place.min() > 0 and place.max() < 1


def test_penalty_alone_pulls_the_gradient_to_one() -> None:
    network = TinyDiscriminator()
    real, fake, condition = random_batch()
    weights = PairWeights(real=0, fake=0, wrong=0)
    optimizer = torch.optim.Adam(network.parameters(), 1e-2)
    for _ in range(100):
        loss, parts = discriminator_loss(network, real, fake, condition, weights, WGAN_GP, step=0)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert parts["gradient_penalty"] < 0.02
    points = real.clone().requires_grad_()
    norms = norms_of(network.conditional(network.features(points), condition), points)
    assert np.abs(norms - 1).max() < 0.5


def test_r1_is_lazy_and_of_real_pictures(
    network: TinyDiscriminator, batch: tuple[Tensor, Tensor, Tensor]
) -> None:
    stabilisers = replace(PLAIN, r1=3.0, r1_interval=4)
    real, _, condition = batch
    steps = [discriminator_loss(network, *batch, GAN_CLS, stabilisers, step=step) for step in range(5)]
    assert ["r1" in parts for _, parts in steps] == [True, False, False, False, True]
    points = real.clone().requires_grad_()
    norms = norms_of(network.conditional(network.features(points), condition), points)
    expected = 4 * 3.0 / 2 * (norms**2).mean()
    assert steps[0][1]["r1"].item() == pytest.approx(expected, rel=1e-7)
    assert (steps[0][0] - steps[1][0]).item() == pytest.approx(expected, rel=1e-7)


def test_feature_matching_is_on_batch_means(
    network: TinyDiscriminator, batch: tuple[Tensor, Tensor, Tensor]
) -> None:
    stabilisers = replace(PLAIN, feature_matching=2.0)
    real, fake, condition = batch
    real.requires_grad_()
    loss, parts = generator_loss(network, real, fake, condition, GAN_CLS, stabilisers)
    means = [network.features(images).detach().numpy().mean(0) for images in (real, fake)]
    expected = ((means[0] - means[1]) ** 2).sum()
    assert parts["feature_matching"].item() == pytest.approx(expected, rel=1e-7)
    assert loss.item() == pytest.approx(parts["adversarial"].item() + 2 * expected, rel=1e-7)
    network.requires_grad_(False)
    assert not generator_loss(network, real, fake, condition, GAN_CLS, stabilisers)[0].requires_grad
    _, parts = generator_loss(network, real, real.flip(0), condition, GAN_CLS, stabilisers)
    assert parts["feature_matching"].item() == pytest.approx(0, abs=1e-18)


def test_real_and_generated_pictures_are_augmented_in_either_step(
    network: TinyDiscriminator, batch: tuple[Tensor, Tensor, Tensor]
) -> None:
    seen: list[Tensor] = []
    network.encode.register_forward_hook(lambda _, given, __: seen.append(given[0].detach()))
    stabilisers = replace(
        PLAIN, feature_matching=1.0, augment=DiffAugment(colour=0, translation=0, cutout=0.5)
    )
    discriminator_loss(network, *batch, GAN_CLS, stabilisers, step=0)
    generator_loss(network, *batch, GAN_CLS, stabilisers)
    real, fake, _ = batch
    for images, original in zip(seen, (real, fake, fake, real), strict=True):
        hole = images != original
        assert hole.flatten(1).any(1).all() and not images[hole].any()


@pytest.mark.parametrize("stabilisers", [PLAIN, replace(WGAN_GP, r1=1.0, gradient_penalty_one_sided=True)])
def test_half_precision_autocast_has_losses_and_penalties_in_single(stabilisers: Stabilisers) -> None:
    network = TinyDiscriminator()
    real, fake, condition = random_batch()
    fake.requires_grad_()
    kinds: list[torch.dtype] = []
    network.encode.register_forward_hook(lambda *given: kinds.append(given[2].dtype))
    with torch.autocast("cpu", torch.bfloat16):
        halved = (fake.bfloat16(), condition.bfloat16())
        loss, parts = discriminator_loss(network, real, *halved, STACKGAN2, stabilisers, step=0)
    assert {part.dtype for part in [loss, *parts.values()]} == {torch.float32}
    num_penalties = len({"gradient_penalty", "r1"} & parts.keys())
    assert kinds == [torch.bfloat16] * 2 + [torch.float32] * num_penalties
    loss.backward()
    assert all(weight.grad is not None and weight.grad.isfinite().all() for weight in network.parameters())
    network.requires_grad_(False)
    with torch.autocast("cpu", torch.bfloat16):
        loss, _ = generator_loss(network, real, fake.bfloat16(), condition, STACKGAN2, stabilisers)
    assert loss.dtype == torch.float32
    loss.backward()
    assert fake.grad is not None and fake.grad.any()


def test_virtual_normalisation_judges_each_pair_by_itself() -> None:
    network, reference = TinyDiscriminator("virtual"), random_reference()
    real, fake, condition = random_batch()
    stabilisers = replace(VIRTUAL, gradient_penalty=10.0, r1=1.0, gradient_penalty_one_sided=True)
    arguments: dict[str, Any] = {"step": 0, "labels": torch.arange(BATCH), "reference": reference}
    for weights in (STACKGAN2, STACKGAN_V2):
        whole, parts = discriminator_loss(
            network, real, fake, condition, weights, replace(stabilisers, gradient_penalty=0.0), **arguments
        )
        # In evaluation the reference is remembered, and so each pair can be judged alone.
        network.eval()
        terms = {
            "real": softplus(-judged(network, real, condition)),
            "fake": softplus(judged(network, fake, condition)),
            "wrong": softplus(judged(network, real[:-1], condition[1:])),
            "real_unconditional": softplus(-judged_alone(network, real)),
        }
        if weights.wrong_by == "image":
            terms["wrong"] = softplus(judged(network, real.roll(-1, 0), condition))
        network.train()
        assert {name: parts[name].item() for name in terms} == pytest.approx(terms, rel=1e-4)
        assert whole.isfinite()
    loss, parts = discriminator_loss(network, real, fake, condition, STACKGAN2, stabilisers, **arguments)
    assert {"gradient_penalty", "r1"} <= parts.keys()
    loss.backward()
    assert all(weight.grad is not None and weight.grad.isfinite().all() for weight in network.parameters())
    fake.requires_grad_()
    loss, parts = generator_loss(
        network,
        real,
        fake,
        condition,
        STACKGAN2,
        replace(VIRTUAL, feature_matching=1.0),
        reference=reference,
    )
    loss.backward()
    assert fake.grad is not None and fake.grad.flatten(1).any(1).all()


def test_feature_matching_leaves_the_reference_out() -> None:
    network, reference = TinyDiscriminator("virtual"), random_reference()
    real, _, condition = random_batch()
    _, parts = generator_loss(
        network,
        real,
        real.flip(0),
        condition,
        GAN_CLS,
        replace(VIRTUAL, feature_matching=1.0),
        reference=reference,
    )
    assert parts["feature_matching"] < 1e-10


def test_minibatch_discrimination_sees_no_reference() -> None:
    reference = random_reference()
    real, fake, condition = random_batch()
    network = TinyDiscriminator("virtual", num_kernels=3)
    _, parts = discriminator_loss(
        network,
        real,
        fake,
        condition,
        GAN_CLS,
        replace(VIRTUAL, minibatch_kernels=3),
        step=0,
        reference=reference,
    )
    network.eval()
    assert parts["fake"].item() == pytest.approx(softplus(judged(network, fake, condition)), rel=1e-4)


def test_what_does_not_fit_is_refused() -> None:
    real, fake, condition = random_batch()
    with pytest.raises(ValueError, match="a batch of 1 has no wrong pair"):
        discriminator_loss(TinyDiscriminator(), real[:1], fake[:1], condition[:1], GAN_CLS, PLAIN, step=0)
    without_head = TinyDiscriminator(has_unconditional=False)
    with pytest.raises(ValueError, match="a judgement of the picture alone"):
        discriminator_loss(without_head, real, fake, condition, ATTNGAN, PLAIN, step=0)
    with pytest.raises(ValueError, match="discriminator_norm=virtual goes only with a reference"):
        generator_loss(TinyDiscriminator("virtual"), real, fake, condition, GAN_CLS, VIRTUAL)
    with pytest.raises(ValueError, match="discriminator_norm=none goes without a reference"):
        generator_loss(
            TinyDiscriminator(), real, fake, condition, GAN_CLS, PLAIN, reference=random_reference()
        )
    with pytest.raises(ValueError, match="wrong=-1 must be 0 or more"):
        PairWeights(real=1, fake=1, wrong=-1)


TOGETHER = Stabilisers(pairs_together=True)


@pytest.mark.parametrize("weights", [GAN_CLS, STACKGAN1, PairWeights(real=1, fake=1, wrong=0)])
def test_pairs_together_are_one_batch_of_the_conditional_head(
    weights: PairWeights, batch: tuple[Tensor, Tensor, Tensor]
) -> None:
    network = TinyDiscriminator("batch").double()
    real, fake, condition = batch
    with torch.no_grad():
        real_features, fake_features = network.features(real), network.features(fake)
        kinds = {"fake": (fake_features, condition), "real": (real_features, condition)}
        if weights is GAN_CLS:
            kinds["wrong"] = (real_features.roll(-1, 0), condition)
        elif weights.wrong:
            kinds["wrong"] = (real_features[:-1], condition[1:])
        features, conditions = (torch.cat(tensors) for tensors in zip(*kinds.values(), strict=True))
        logits = dict(zip(kinds, network.conditional(features, conditions).split(BATCH), strict=True))
    expected = {name: softplus((-x if name == "real" else x).numpy()) for name, x in logits.items()}
    _, parts = discriminator_loss(network, *batch, weights, TOGETHER, step=0)
    assert {name: part.item() for name, part in parts.items()} == pytest.approx(expected, rel=1e-7)
    _, parts = generator_loss(network, *batch, weights, TOGETHER)
    expected_of_generator = softplus(-logits["fake"].numpy())
    assert parts["adversarial"].item() == pytest.approx(expected_of_generator, rel=1e-7)


def test_a_pair_is_judged_the_same_among_right_and_wrong_pairs_only_if_they_are_together(
    batch: tuple[Tensor, Tensor, Tensor],
) -> None:
    """Pictures and captions of which some are there twice, so that some pairs are right among the wrong."""
    network = TinyDiscriminator("batch").double()
    logits: list[Tensor] = []
    network.to_logit.register_forward_hook(lambda _, __, given: logits.append(given.detach().flatten()))
    twice = torch.tensor([0, 0, 1, 1, 2])
    real, fake, condition = (tensor[twice] for tensor in batch)
    discriminator_loss(network, real, fake, condition, STACKGAN1, Stabilisers(), step=0)
    discriminator_loss(network, real, fake, condition, STACKGAN1, TOGETHER, step=0)
    *_, right, wrong, together = logits
    # Picture 0 with caption 1, and picture 2 with caption 3, are right.
    assert (right[[0, 2]] - wrong[[0, 2]]).abs().min() > 1e-3
    _, right, wrong = together.split([BATCH, BATCH, BATCH - 1])
    torch.testing.assert_close(right[[0, 2]], wrong[[0, 2]])


def test_pairs_together_may_be_more_generated_than_real_ones() -> None:
    network = TinyDiscriminator("batch").double().requires_grad_(False)
    real, fake, condition = random_batch(torch.double)
    fake, condition = torch.cat([fake, fake[:2] + 1]), torch.cat([condition, condition[:2]])
    fake.requires_grad_()
    condition.requires_grad_()
    loss, _ = generator_loss(network, real, fake, condition, GAN_CLS, TOGETHER)
    loss.backward()
    assert fake.grad is not None and fake.grad.flatten(1).any(1).all()
    assert condition.grad is not None and condition.grad.any(1).all()
