"""What all discriminators of the classic family have in common."""

from collections.abc import Callable

import pytest
import torch
from torch import nn

from creativeai.models.attngan import attngan_discriminator
from creativeai.models.gan_cls import GanClsDiscriminator
from creativeai.models.layers.minibatch_discrimination import MinibatchDiscrimination
from creativeai.models.layers.norm import Norm
from creativeai.models.layers.virtual_batch_norm import reference_rows
from creativeai.models.stackgan_stage1 import stackgan_stage1_discriminator
from creativeai.models.stackgan_stage2 import stackgan_stage2_discriminator
from creativeai.models.stackgan_v2 import stackgan_v2_discriminator
from creativeai.models.wgan_cls import WganClsCritic

WIDTH, CONDITION_DIM, NUM_KERNELS = 2, 10, 3
CHANNELS = 8 * WIDTH

Make = Callable[..., nn.Module]


def gan_cls(norm: Norm, minibatch: MinibatchDiscrimination | None = None) -> nn.Module:
    return GanClsDiscriminator(CONDITION_DIM, 4, WIDTH, norm, minibatch)


def wgan_cls(norm: Norm, minibatch: MinibatchDiscrimination | None = None) -> nn.Module:
    return WganClsCritic(CONDITION_DIM, 4, WIDTH, norm, minibatch)


def stackgan_stage1(norm: Norm, minibatch: MinibatchDiscrimination | None = None) -> nn.Module:
    return stackgan_stage1_discriminator(WIDTH, CONDITION_DIM, norm, minibatch)


def stackgan_stage2(norm: Norm, minibatch: MinibatchDiscrimination | None = None) -> nn.Module:
    return stackgan_stage2_discriminator(128, WIDTH, CONDITION_DIM, norm, minibatch)


def stackgan_v2(norm: Norm, minibatch: MinibatchDiscrimination | None = None) -> nn.Module:
    return stackgan_v2_discriminator(64, WIDTH, CONDITION_DIM, norm, minibatch)


def attngan(norm: Norm, minibatch: MinibatchDiscrimination | None = None) -> nn.Module:
    return attngan_discriminator(64, WIDTH, CONDITION_DIM, norm, minibatch)


def attndcgan(norm: Norm, minibatch: MinibatchDiscrimination | None = None) -> nn.Module:
    return attngan_discriminator(128, WIDTH, CONDITION_DIM, norm, minibatch, has_unconditional=False)


# Side of the pictures, and whether there is an unconditional logit.
DISCRIMINATORS: dict[Make, tuple[int, bool]] = {
    gan_cls: (64, False),
    wgan_cls: (64, False),
    stackgan_stage1: (64, False),
    stackgan_stage2: (128, True),
    stackgan_v2: (64, True),
    attngan: (64, True),
    attndcgan: (128, False),
}
every_discriminator = pytest.mark.parametrize("make", DISCRIMINATORS, ids=lambda make: make.__name__)


def random_images(make: Make, batch: int) -> torch.Tensor:
    side, _ = DISCRIMINATORS[make]
    return torch.rand(batch, 3, side, side) * 2 - 1


def minibatch() -> MinibatchDiscrimination:
    return MinibatchDiscrimination(CHANNELS * 16, NUM_KERNELS)


@every_discriminator
@pytest.mark.parametrize("norm", ["batch", "virtual", "none"])
@pytest.mark.parametrize("num_kernels", [0, NUM_KERNELS])
def test_features_and_logits(make: Make, norm: Norm, num_kernels: int) -> None:
    discriminator = make(norm, minibatch() if num_kernels else None)
    assert discriminator.condition_dim == CONDITION_DIM
    assert discriminator.has_unconditional == DISCRIMINATORS[make][1]
    with torch.no_grad(), reference_rows(discriminator, 2):
        features = discriminator.features(random_images(make, 5))
        assert features.shape == (5, CHANNELS + num_kernels, 4, 4)
        logits = [discriminator.conditional(features, torch.randn(5, CONDITION_DIM))]
        if discriminator.has_unconditional:
            logits.append(discriminator.unconditional(features))
    for logit in logits:
        assert logit.shape == (5,)
        assert logit.isfinite().all() and logit.std() > 0


@every_discriminator
def test_gradients_reach_every_parameter_picture_and_condition(make: Make) -> None:
    discriminator = make("none" if make is wgan_cls else "batch", minibatch())
    images = random_images(make, 4).requires_grad_()
    condition = torch.randn(4, CONDITION_DIM, requires_grad=True)
    features = discriminator.features(images)
    loss = (discriminator.conditional(features, condition) * torch.randn(4)).sum()
    if discriminator.has_unconditional:
        loss = loss + (discriminator.unconditional(features) * torch.randn(4)).sum()
    loss.backward()
    named = {**dict(discriminator.named_parameters()), "images": images, "condition": condition}
    without = [name for name, weight in named.items() if weight.grad is None or not weight.grad.any()]
    assert not without


@every_discriminator
@pytest.mark.parametrize("norm", ["batch", "none"])
def test_logit_does_not_depend_on_its_companions(make: Make, norm: Norm) -> None:
    discriminator = make(norm).eval()
    images, condition = random_images(make, 3), torch.randn(3, CONDITION_DIM)
    with torch.no_grad():
        together = discriminator.conditional(discriminator.features(images), condition)
        alone = discriminator.conditional(discriminator.features(images[1:2]), condition[1:2])
    torch.testing.assert_close(together[1:2], alone)


@every_discriminator
@pytest.mark.parametrize("norm", ["batch", "virtual", "none"])
def test_no_normalisation_but_the_asked_for(make: Make, norm: Norm) -> None:
    kinds = {type(module).__name__ for module in make(norm).modules() if "Norm" in type(module).__name__}
    assert kinds == {"batch": {"BatchNorm2d"}, "virtual": {"VirtualBatchNorm"}, "none": set()}[norm]


@every_discriminator
def test_unconditional_logit_that_is_not_there_is_refused(make: Make) -> None:
    discriminator = make("none")
    if not discriminator.has_unconditional:
        with pytest.raises((AssertionError, NotImplementedError)):
            discriminator.unconditional(torch.randn(1, CHANNELS, 4, 4))
