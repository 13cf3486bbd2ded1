import numpy as np
import pytest
import torch

from creativeai.recipes.stabilisers.label_smoothing import smoothed_real_loss
from creativeai.recipes.stabilisers.losses import LOSSES

LOGITS = torch.linspace(-7, 9, 25, dtype=torch.double)
X = LOGITS.numpy()


def cross_entropy(x: np.ndarray, target: float) -> float:
    probability = 1 / (1 + np.exp(-x))
    return float(-(target * np.log(probability) + (1 - target) * np.log(1 - probability)).mean())


WRITTEN_OUT = {
    "standard": (cross_entropy(X, 1), cross_entropy(X, 0), cross_entropy(X, 1)),
    "wasserstein": (-X.mean(), X.mean(), -X.mean()),
    "hinge": (np.maximum(0, 1 - X).mean(), np.maximum(0, 1 + X).mean(), -X.mean()),
}


def test_losses_are_their_formulas() -> None:
    assert LOSSES.keys() == WRITTEN_OUT.keys()
    for name, loss in LOSSES.items():
        ours = [float(part(LOGITS)) for part in (loss.real, loss.fake, loss.generator)]
        assert ours == pytest.approx(WRITTEN_OUT[name], rel=1e-9)


def test_standard_loss_stands_logits_whose_exponential_overflows() -> None:
    loss, logits = LOSSES["standard"], torch.tensor([1000.0, -1000.0])
    for part in (loss.real, loss.fake, loss.generator):
        assert part(logits).item() == pytest.approx(500)


@pytest.mark.parametrize("smoothing", [0.0, 0.1, 0.3])
def test_smoothing_is_cross_entropy_to_a_target_below_one(smoothing: float) -> None:
    assert smoothed_real_loss(LOGITS, smoothing).item() == pytest.approx(
        cross_entropy(X, 1 - smoothing), rel=1e-9
    )


def test_smoothed_loss_is_least_where_the_probability_is_the_target() -> None:
    logits = torch.full((4,), float(np.log(0.9 / 0.1)), dtype=torch.double, requires_grad=True)
    smoothed_real_loss(logits, 0.1).backward()
    assert logits.grad is not None
    torch.testing.assert_close(logits.grad, torch.zeros_like(logits))
