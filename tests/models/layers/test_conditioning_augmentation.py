import numpy as np
import pytest
import torch
from torch.distributions import Normal
from torch.distributions import kl_divergence as divergence_of

from creativeai.models.layers.conditioning_augmentation import ConditioningAugmentation, kl_divergence


@pytest.mark.parametrize("activation", ["relu", "glu", "leaky_relu"])
def test_code_is_drawn_around_the_mean(activation: str) -> None:
    augment = ConditioningAugmentation(6, 4, activation).double()
    sentence = torch.randn(5, 6, dtype=torch.double)
    epsilon = torch.randn(5, 4, dtype=torch.double)
    output = (sentence @ augment.fc.weight.T + augment.fc.bias).detach().numpy()
    if activation == "glu":
        output = output[:, :8] / (1 + np.exp(-output[:, 8:]))
        mean, deviation = output[:, :4], np.exp(output[:, 4:] / 2)
    elif activation == "relu":
        output = np.maximum(output, 0)
        mean, deviation = output[:, :4], np.exp(output[:, 4:] / 2)
    else:
        output = np.where(output > 0, output, 0.2 * output)
        mean, deviation = output[:, :4], np.exp(output[:, 4:])
    ours = augment(sentence, epsilon)
    np.testing.assert_allclose(ours.mean.detach(), mean)
    np.testing.assert_allclose(ours.log_variance.detach(), 2 * np.log(deviation))
    np.testing.assert_allclose(ours.code.detach(), mean + deviation * epsilon.numpy())


def test_layer_sizes_are_the_published_ones() -> None:
    assert ConditioningAugmentation(1024, 128, "relu").fc.weight.shape == (256, 1024)
    assert ConditioningAugmentation(1024, 128, "glu").fc.weight.shape == (512, 1024)


def test_divergence_is_that_of_the_gaussians() -> None:
    mean, log_variance = torch.randn(5, 4), torch.randn(5, 4)
    gaussian = Normal(mean, (0.5 * log_variance).exp())
    expected = divergence_of(gaussian, Normal(torch.zeros(5, 4), torch.ones(5, 4))).mean()
    torch.testing.assert_close(kl_divergence(mean, log_variance), expected)


def test_divergence_of_the_standard_gaussian_is_zero() -> None:
    assert kl_divergence(torch.zeros(3, 4), torch.zeros(3, 4)) == 0


def test_small_divergence_survives_half_precision() -> None:
    mean = torch.full((3, 4), 2**-7, dtype=torch.bfloat16)
    torch.testing.assert_close(kl_divergence(mean, torch.zeros_like(mean)), torch.tensor(0.5 * 2**-14))
