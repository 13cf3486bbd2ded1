from collections.abc import Callable

import pytest
import torch
from torch import nn

from creativeai.models.layers.initialisation import init_gan_cls, init_he, init_orthogonal, init_stackgan
from creativeai.models.layers.virtual_batch_norm import VirtualBatchNorm

Init = Callable[[nn.Module], None]


@pytest.mark.parametrize("init", [init_gan_cls, init_stackgan])
@pytest.mark.parametrize("make", [nn.Conv2d, nn.ConvTranspose2d])
def test_convolutions_are_narrow_normals(init: Init, make: Callable[..., nn.Module]) -> None:
    weight = make(40, 50, 3).apply(init).weight
    assert weight.mean().abs() < 1e-3
    assert 0.0195 < weight.std() < 0.0205
    assert weight.abs().max() > 0.06  # not cut


def test_linear_layers_of_stackgan_are_narrow_normals_without_bias() -> None:
    linear = nn.Linear(100, 200).apply(init_stackgan)
    assert 0.0195 < linear.weight.std() < 0.0205
    assert not linear.bias.any()


def test_linear_layers_of_gan_cls_stay_as_torch_has_them() -> None:
    linear = nn.Linear(100, 200)
    before = {name: tensor.clone() for name, tensor in linear.state_dict().items()}
    after = linear.apply(init_gan_cls).state_dict()
    assert all(torch.equal(after[name], before[name]) for name in before)


@pytest.mark.parametrize("init", [init_gan_cls, init_stackgan, init_orthogonal])
@pytest.mark.parametrize("make", [nn.BatchNorm1d, nn.BatchNorm2d, VirtualBatchNorm])
def test_scales_of_normalisations_are_about_one(init: Init, make: Callable[..., nn.Module]) -> None:
    norm = make(5000).apply(init)
    assert 0.999 < norm.weight.mean() < 1.001
    assert 0.019 < norm.weight.std() < 0.021
    assert not norm.bias.any()


def test_orthogonal_rows() -> None:
    for module in (nn.Conv2d(10, 8, 3), nn.Linear(30, 20)):
        rows = module.apply(init_orthogonal).weight.flatten(1)
        torch.testing.assert_close(rows @ rows.T, torch.eye(len(rows)), atol=1e-5, rtol=0)
    assert not module.bias.any()


@pytest.mark.parametrize(
    ("module", "fan_in"),
    [(nn.Linear(200, 300), 200), (nn.Conv2d(40, 50, 3), 40 * 9), (nn.ConvTranspose2d(50, 40, 4), 40 * 16)],
)
def test_he_keeps_the_variance_through_a_relu(module: nn.Module, fan_in: int) -> None:
    module.apply(init_he)
    assert module.weight.std().item() == pytest.approx((2 / fan_in) ** 0.5, rel=0.03)
    assert not module.bias.any()
