import io

import numpy as np
import pytest
import torch
from torch import nn

from creativeai.recipes.stabilisers.historical_averaging import HistoricalAverage


def vector(network: nn.Module) -> np.ndarray:
    return np.concatenate([weight.detach().numpy().ravel() for weight in network.parameters()])


def wander(network: nn.Module) -> None:
    with torch.no_grad():
        for weight in network.parameters():
            weight += torch.randn_like(weight)


def test_it_is_the_squared_distance_from_the_mean_of_all_weights_so_far() -> None:
    network = nn.Linear(4, 3).double()
    history, seen = HistoricalAverage(network), []
    for _ in range(6):
        seen.append(vector(network))
        expected = ((seen[-1] - np.mean(seen, axis=0)) ** 2).sum()
        assert history(network).item() == pytest.approx(expected, rel=1e-9, abs=1e-15)
        wander(network)
    assert expected > 1


def test_gradient_is_that_of_the_formula_and_starts_with_the_second_step() -> None:
    """It is a term of the loss: torchgan takes a step of the optimiser for it and leaves out the first."""
    network = nn.Linear(4, 3).double()
    history = HistoricalAverage(network)
    history(network).backward()
    assert not network.weight.grad.any()
    past = network.weight.detach().clone()
    wander(network)
    network.zero_grad()
    history(network).backward()
    # d/dw |w - (past + w) / 2|^2
    torch.testing.assert_close(network.weight.grad, (network.weight.detach() - past) / 2)


def test_it_goes_on_from_a_checkpoint() -> None:
    network = nn.Linear(4, 3)
    holder = nn.ModuleDict({"network": network, "history": HistoricalAverage(network)})
    for _ in range(3):
        holder["history"](network)
        wander(network)
    file = io.BytesIO()
    torch.save(holder.state_dict(), file)
    file.seek(0)
    other_network = nn.Linear(4, 3)
    other = nn.ModuleDict({"network": other_network, "history": HistoricalAverage(other_network)})
    other.load_state_dict(torch.load(file, weights_only=True))
    assert torch.equal(other["history"](other_network), holder["history"](network))


def test_a_frozen_part_is_left_out() -> None:
    network = nn.Sequential(nn.Linear(4, 3).requires_grad_(False), nn.Linear(3, 2))
    history = HistoricalAverage(network)
    assert [buffer.shape for buffer in history.buffers()] == [(), (2, 3), (2,)]
    history(network)
    wander(network[1])
    assert history(network) > 0


def test_it_holds_no_weight_of_its_own() -> None:
    history = HistoricalAverage(nn.Linear(4, 3))
    assert not list(history.parameters())
    assert all(not buffer.requires_grad for buffer in history.buffers())
