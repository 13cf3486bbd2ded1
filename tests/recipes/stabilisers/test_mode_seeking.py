import pytest
import torch

from creativeai.recipes.stabilisers.mode_seeking import mode_seeking_loss


def test_it_is_the_noise_distance_over_the_picture_distance_of_every_stage() -> None:
    images = [torch.randn(6, 3, side, side) for side in (4, 8)]
    noise = torch.randn(6, 5)
    first, second = noise.numpy()[:2], noise.numpy()[4:]
    expected = 0.0
    for stage in images:
        pictures = stage.numpy()
        expected += abs(first - second).mean() / abs(pictures[:2] - pictures[4:]).mean() / 2
    assert mode_seeking_loss(images, noise, 2).item() == pytest.approx(expected, rel=1e-3)


def test_the_same_picture_for_other_noise_costs_most_and_not_infinitely() -> None:
    noise = torch.randn(4, 5)
    same = torch.ones(4, 3, 2, 2)
    other = torch.cat([same[:2], -same[2:]])
    losses = [mode_seeking_loss([images], noise, 2).item() for images in (same, other)]
    assert losses[0] == pytest.approx(1e5, rel=1e-3) and losses[1] < 10


def test_derivative_is_right() -> None:
    images = torch.randn(4, 3, 2, 2, requires_grad=True)
    noise = torch.randn(4, 5)
    mode_seeking_loss([images], noise, 2).backward()
    assert images.grad is not None
    direction, step = torch.randn_like(images), 1e-3
    with torch.no_grad():
        up, down = (mode_seeking_loss([images + sign * step * direction], noise, 2) for sign in (1, -1))
    assert ((up - down) / (2 * step)).item() == pytest.approx(
        (images.grad * direction).sum().item(), rel=0.02
    )
