import pytest
import torch

from creativeai.recipes.stabilisers.r1 import is_r1_step, r1_penalty


def penalty(images: torch.Tensor, interval: int = 1) -> torch.Tensor:
    logits = images.square().sum((1, 2, 3)) / 2  # its gradient by a picture is that picture
    return r1_penalty(logits, images, gamma=3.0, interval=interval)


def test_it_is_half_gamma_times_the_mean_squared_length_of_each_gradient() -> None:
    images = torch.randn(4, 3, 4, 4, dtype=torch.double, requires_grad=True)
    squares = (images.detach().numpy().reshape(4, -1) ** 2).sum(1)
    assert penalty(images).item() == pytest.approx(3.0 / 2 * squares.mean(), rel=1e-9)


def test_lazy_penalties_add_up_to_those_of_every_step() -> None:
    images = torch.randn(4, 3, 4, 4, requires_grad=True)
    every = sum(penalty(images).item() for _ in range(32))
    lazy = sum(penalty(images, 8).item() for step in range(32) if is_r1_step(step, 8))
    assert lazy == pytest.approx(every)
    assert [step for step in range(32) if is_r1_step(step, 8)] == [0, 8, 16, 24]
