import pytest
import torch

from creativeai.recipes.stabilisers.feature_matching import feature_matching_loss


def test_it_is_the_squared_distance_of_the_batch_means() -> None:
    real = torch.randn(6, 5, 4, 4, dtype=torch.double)
    fake = torch.randn(9, 5, 4, 4, dtype=torch.double) + 1
    expected = ((real.numpy().mean(0) - fake.numpy().mean(0)) ** 2).sum()
    assert feature_matching_loss(real, fake).item() == pytest.approx(expected, rel=1e-9)


def test_the_same_pictures_in_another_order_are_no_loss() -> None:
    """The trap: a mean of squared differences of pairs would see one."""
    real = torch.randn(6, 5, dtype=torch.double)
    assert feature_matching_loss(real, real.flip(0)).item() == pytest.approx(0, abs=1e-20)
    assert (real - real.flip(0)).square().mean() > 0.1


def test_derivative_is_right() -> None:
    real, fake = (torch.randn(3, 4, dtype=torch.double, requires_grad=True) for _ in range(2))
    assert torch.autograd.gradcheck(feature_matching_loss, (real, fake))
