import copy

import torch
from torch import nn

from creativeai.models.layers.minibatch_discrimination import MinibatchDiscrimination
from creativeai.recipes.stabilisers.spectral_norm import apply_spectral_norm


def random_network() -> nn.Sequential:
    network = nn.Sequential(
        nn.Conv2d(3, 8, 3),
        nn.Sequential(nn.BatchNorm2d(8), nn.ConvTranspose2d(8, 6, 2)),
        nn.Flatten(),
        nn.Linear(54, 5),
        MinibatchDiscrimination(5, 4, 3),
    )
    for weight in network.parameters():
        nn.init.normal_(weight, std=3)
    return network


def test_every_linear_map_has_a_largest_singular_value_of_one() -> None:
    network = random_network()
    apply_spectral_norm(network)
    for _ in range(60):  # power iterations
        network(torch.randn(2, 3, 4, 4))
    network.eval()
    conv, up, linear, minibatch = network[0], network[1][1], network[3], network[4]
    maps = [conv.weight.flatten(1), up.weight.transpose(0, 1).flatten(1), linear.weight, minibatch.weight]
    for weight in maps:
        largest = torch.linalg.svdvals(weight)[0]
        torch.testing.assert_close(largest, torch.ones(()), rtol=1e-3, atol=0)
    assert network[1][0].weight.abs().max() > 1.5  # no linear map


def test_a_second_call_changes_nothing() -> None:
    network = random_network()
    apply_spectral_norm(network)
    before = copy.deepcopy(network.state_dict())
    apply_spectral_norm(network)
    assert before.keys() == network.state_dict().keys()
    assert all(torch.equal(before[name], tensor) for name, tensor in network.state_dict().items())


def test_a_frozen_part_is_left_as_it_was_trained() -> None:
    network = random_network()
    network[3].requires_grad_(False)
    weight = network[3].weight.clone()
    apply_spectral_norm(network)
    assert torch.equal(network[3].weight, weight)


def test_the_norm_is_within_the_gradient() -> None:
    """The weight's length cancels out, so that its gradient has no part along it."""
    layer = nn.Linear(4, 3)
    apply_spectral_norm(layer)
    layer.eval()
    layer(torch.randn(5, 4)).square().sum().backward()
    weight = layer.parametrizations.weight.original
    along = (weight * weight.grad).sum() / (weight.norm() * weight.grad.norm())
    assert along.abs() < 1e-5
