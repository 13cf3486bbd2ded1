import pytest
import torch
from torch import nn

from creativeai.training.ema import ExponentialMovingAverage


class Network(nn.Module):
    def __init__(self, weight: float) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.tensor([weight, 2 * weight]))
        self.register_buffer("statistic", torch.tensor(weight))


def test_weights_lag_behind_by_the_half_life() -> None:
    average = ExponentialMovingAverage(Network(0.0), half_life=100)
    target = Network(1.0)
    for _ in range(25):
        average.update(target, batch_size=4, num_seen=10**6)
    torch.testing.assert_close(average.network.weight, torch.tensor([0.5, 1.0]))


@pytest.mark.parametrize(("num_seen", "half_life"), [(10, 1.0), (200, 10.0), (5000, 100.0)])
def test_first_pictures_count_less(num_seen: int, half_life: float) -> None:
    average = ExponentialMovingAverage(Network(0.0), half_life=100)
    average.update(Network(1.0), batch_size=4, num_seen=num_seen)
    expected = 1 - 0.5 ** (4 / half_life)
    torch.testing.assert_close(average.network.weight, torch.tensor([expected, 2 * expected]))


def test_buffers_are_copied_as_they_are() -> None:
    average = ExponentialMovingAverage(Network(0.0), half_life=100)
    average.update(Network(3.0), 4, 10**6)
    assert average.network.statistic == 3


def test_network_that_learns_is_never_written_to_nor_shared() -> None:
    network = Network(1.0).train()
    average = ExponentialMovingAverage(network, half_life=100)
    assert not average.network.training and network.training
    assert not average.network.weight.requires_grad and network.weight.requires_grad

    other = Network(5.0)
    average.update(other, 4, 10**6)
    assert torch.equal(network.weight, Network(1.0).weight)
    assert torch.equal(other.weight, Network(5.0).weight)
    before = average.network.weight.clone()
    with torch.no_grad():
        network.weight.zero_()
        other.statistic.zero_()
    assert torch.equal(average.network.weight, before)
    assert average.network.statistic == 5
