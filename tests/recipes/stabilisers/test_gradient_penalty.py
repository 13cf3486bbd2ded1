import numpy as np
import pytest
import torch
from torch import Tensor, nn

from creativeai.recipes.stabilisers.gradient_penalty import (
    gradient_norm,
    input_gradient,
    interpolate,
    norm_penalty,
)


def quadratic(images: Tensor) -> Tensor:
    """Logits [B] whose gradient by each picture is that picture."""
    return images.square().sum((1, 2, 3)) / 2


def random_images(batch: int = 4) -> Tensor:
    return torch.randn(batch, 3, 4, 4, dtype=torch.double, requires_grad=True)


def test_norm_is_of_each_sample_over_all_its_dimensions() -> None:
    """Not one norm of the whole batch, and not one of each row."""
    images = random_images()
    norms = gradient_norm(quadratic(images), images)
    expected = np.sqrt((images.detach().numpy().reshape(4, -1) ** 2).sum(1))
    np.testing.assert_allclose(norms.detach().numpy(), expected)


def test_gradient_is_the_numerical_one() -> None:
    network = nn.Sequential(nn.Conv2d(3, 2, 3), nn.Tanh(), nn.Flatten(), nn.Linear(8, 1)).double()
    images = random_images(2)
    gradient = input_gradient(network(images).flatten(), images).detach().reshape(images.shape)
    step = torch.zeros_like(images)
    step[1, 2, 3, 0] = 1e-5
    with torch.no_grad():
        difference = (network(images + step) - network(images - step)).flatten() / 2e-5
    assert gradient[1, 2, 3, 0].item() == pytest.approx(difference[1].item(), rel=1e-6)


def test_penalty_of_a_flat_critic_can_be_learned_from() -> None:
    weight = torch.zeros((), dtype=torch.double, requires_grad=True)
    images = random_images()
    norms = gradient_norm(weight * quadratic(images), images)
    norm_penalty(norms, one_sided=False).backward()
    assert weight.grad is not None and weight.grad.isfinite()


def test_penalty_teaches_the_weights_by_the_second_derivative() -> None:
    images = random_images()
    weight = torch.tensor(0.7, dtype=torch.double, requires_grad=True)
    lengths = gradient_norm(quadratic(images), images).detach()

    def penalty(weight: Tensor) -> Tensor:
        return norm_penalty(gradient_norm(weight * quadratic(images), images), one_sided=False)

    [gradient] = torch.autograd.grad(penalty(weight), weight)
    # d/dw of mean (w |x| - 1)^2
    assert gradient.item() == pytest.approx((2 * lengths * (0.7 * lengths - 1)).mean().item(), rel=1e-9)


def test_one_sided_leaves_out_what_is_below_one() -> None:
    norms = torch.tensor([0.0, 0.5, 1.0, 3.0], dtype=torch.double)
    assert norm_penalty(norms, one_sided=False).item() == pytest.approx((1 + 0.25 + 0 + 4) / 4)
    assert norm_penalty(norms, one_sided=True).item() == pytest.approx(4 / 4)


def test_each_pair_has_one_place_on_its_line() -> None:
    real, fake = torch.randn(64, 3, 4, 4), torch.randn(64, 3, 4, 4)
    places = ((interpolate(real, fake) - fake) / (real - fake)).flatten(1)
    middle = places.median(dim=1).values
    torch.testing.assert_close(places, middle[:, None].expand_as(places), atol=1e-2, rtol=0)
    assert 0 <= middle.min() < 0.1 and 0.9 < middle.max() <= 1
    assert len(set(middle.tolist())) == 64
