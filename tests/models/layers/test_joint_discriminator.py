from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from creativeai.models.layers.initialisation import init_stackgan
from creativeai.models.layers.joint_discriminator import JointDiscriminator, image_encoder
from creativeai.models.layers.minibatch_discrimination import MinibatchDiscrimination


def small_discriminator(resolution: int = 64, **changes: Any) -> JointDiscriminator:
    arguments: dict[str, Any] = {
        "norm": "batch",
        "minibatch": None,
        "has_unconditional": True,
        "condition_first": False,
        "init": init_stackgan,
    }
    return JointDiscriminator(resolution, 2, 5, **arguments | changes)


@pytest.mark.parametrize("resolution", [64, 128, 256])
def test_encoder_ends_at_four_by_four(resolution: int) -> None:
    encoder = image_encoder(resolution, 2, "batch")
    assert encoder(torch.randn(2, 3, resolution, resolution)).shape == (2, 16, 4, 4)
    first, *others = [module for module in encoder if isinstance(module, nn.Conv2d)]
    assert first.in_channels == 3
    # No normalisation after the first convolution; one after every other.
    assert sum(isinstance(module, nn.BatchNorm2d) for module in encoder) == len(others)


@pytest.mark.parametrize("resolution", [32, 96])
def test_encoder_refuses_other_resolutions(resolution: int) -> None:
    with pytest.raises(ValueError, match=f"resolution={resolution} .*: take a power of two from 64"):
        image_encoder(resolution, 2, "batch")


@pytest.mark.parametrize("condition_first", [False, True])
def test_conditional_logit_is_its_formula(condition_first: bool) -> None:
    discriminator = small_discriminator(condition_first=condition_first).eval()
    features, condition = torch.randn(3, 16, 4, 4), torch.randn(3, 5)
    tiles = condition.view(3, 5, 1, 1).repeat(1, 1, 4, 4)
    joined = torch.cat([tiles, features] if condition_first else [features, tiles], dim=1)
    convolution, norm, _ = discriminator.joint
    joint = F.leaky_relu(norm(F.conv2d(joined, convolution.weight, padding=1)), 0.2)
    logit = discriminator.to_conditional
    expected = (joint * logit.weight).sum((1, 2, 3)) + logit.bias
    torch.testing.assert_close(discriminator.conditional(features, condition), expected)


def test_unconditional_logit_is_its_formula() -> None:
    discriminator = small_discriminator()
    features = torch.randn(3, 16, 4, 4)
    logit = discriminator.to_unconditional
    assert logit is not None
    expected = (features * logit.weight).sum((1, 2, 3)) + logit.bias
    torch.testing.assert_close(discriminator.unconditional(features), expected)


def test_minibatch_features_reach_both_heads() -> None:
    minibatch = MinibatchDiscrimination(16 * 16, num_kernels=3)
    weight = minibatch.weight.clone()
    discriminator = small_discriminator(minibatch=minibatch).eval()
    assert torch.equal(minibatch.weight, weight), "its first weights are its own"
    images = torch.randn(4, 3, 64, 64)
    features = discriminator.features(images)
    assert features.shape == (4, 16 + 3, 4, 4)
    encoded = discriminator.encoder(images)
    assert torch.equal(features[:, :16], encoded)
    closeness = minibatch(encoded.flatten(1))
    assert closeness.std() > 0
    assert torch.equal(features[:, 16:], closeness[:, :, None, None].expand(-1, -1, 4, 4))
    changed = features.clone()
    changed[:, 16:] += 1
    condition = torch.randn(4, 5)
    assert not torch.equal(
        discriminator.conditional(features, condition), discriminator.conditional(changed, condition)
    )
    assert not torch.equal(discriminator.unconditional(features), discriminator.unconditional(changed))


def test_unconditional_logit_may_be_left_out() -> None:
    discriminator = small_discriminator(has_unconditional=False)
    assert not discriminator.has_unconditional
    with pytest.raises(AssertionError, match="no unconditional logit"):
        discriminator.unconditional(torch.randn(2, 16, 4, 4))
