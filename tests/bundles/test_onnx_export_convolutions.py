import copy
from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm

from creativeai.bundles.onnx_export_convolutions import with_plain_convolutions
from creativeai.models.layers.blocks import ResidualBlock, conv_block, upsample_block
from creativeai.models.layers.upsampling_conv import UpsamplingConv2d


@pytest.fixture(autouse=True)
def _seed() -> None:
    torch.manual_seed(0)


def after_training(network: nn.Module) -> nn.Module:
    """With random normalisation."""
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.normal_(module.weight)
            nn.init.normal_(module.bias)
            nn.init.normal_(module.running_mean)  # type: ignore[arg-type]
            nn.init.uniform_(module.running_var, 0.5, 2)  # type: ignore[arg-type]
    return network.double().eval()


def kinds(network: nn.Module) -> list[type]:
    return [type(module) for module in network.modules()]


def drawn(network: nn.Module, x: Tensor) -> Tensor:
    with torch.no_grad():
        out: Tensor = network(x)
    return out


FASTER = {
    "upsampling and gated": lambda: upsample_block(3, 2, "batch", "glu"),
    "upsampling and ReLU": lambda: upsample_block(3, 2, "batch", "relu"),
    "upsampling and leaky ReLU": lambda: upsample_block(3, 2, "batch", "leaky_relu"),
    "gated": lambda: conv_block(3, 2, "batch", "glu"),
    "gated 1x1": lambda: conv_block(3, 2, "batch", "glu", kernel_size=1),
    "gated within a residual block": lambda: ResidualBlock(3, "batch", "glu"),
    "one after another": lambda: nn.Sequential(
        upsample_block(3, 4, "batch", "relu"), *conv_block(4, 2, "batch", "glu"), nn.Conv2d(2, 3, 3)
    ),
}


@pytest.mark.parametrize("side", [4, 8, 10])
@pytest.mark.parametrize("make", FASTER.values(), ids=FASTER.keys())
def test_the_faster_form_is_the_same_function(make: Callable[[], nn.Module], side: int) -> None:
    network = after_training(make())
    faster = with_plain_convolutions(network)
    assert kinds(faster) != kinds(network)
    x = torch.randn(2, 3, side, side, dtype=torch.double)
    torch.testing.assert_close(drawn(faster, x), drawn(network, x))


def test_spectral_normalisation_stays() -> None:
    network = upsample_block(3, 2, "batch", "glu")
    spectral_norm(network[0])
    faster = with_plain_convolutions(after_training(network))
    x = torch.randn(2, 3, 8, 8, dtype=torch.double)
    torch.testing.assert_close(drawn(faster, x), drawn(network, x))


LEFT = {
    "no normalisation": lambda: nn.Sequential(UpsamplingConv2d(3, 4), nn.GLU(1)),
    "virtual batch normalisation": lambda: upsample_block(3, 2, "virtual", "glu"),
    "normalisation without weights": lambda: nn.Sequential(
        UpsamplingConv2d(3, 4), nn.BatchNorm2d(4, affine=False), nn.GLU(1)
    ),
    "normalisation by the batch itself": lambda: nn.Sequential(
        UpsamplingConv2d(3, 4), nn.BatchNorm2d(4, track_running_stats=False), nn.GLU(1)
    ),
    "no activation": lambda: nn.Sequential(UpsamplingConv2d(3, 4), nn.BatchNorm2d(4)),
    "another activation": lambda: nn.Sequential(UpsamplingConv2d(3, 4), nn.BatchNorm2d(4), nn.Softmax(2)),
    "gates along the side": lambda: nn.Sequential(UpsamplingConv2d(3, 4), nn.BatchNorm2d(4), nn.GLU(2)),
    "not gated": lambda: conv_block(3, 2, "batch", "relu"),
    "bias": lambda: nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.GLU(1)),
    "strides": lambda: nn.Sequential(nn.Conv2d(3, 4, 3, 2, bias=False), nn.BatchNorm2d(4), nn.GLU(1)),
    "groups": lambda: nn.Sequential(nn.Conv2d(4, 4, 3, groups=2, bias=False), nn.BatchNorm2d(4), nn.GLU(1)),
    "transposed": lambda: nn.Sequential(
        nn.ConvTranspose2d(3, 4, 4, bias=False), nn.BatchNorm2d(4), nn.GLU(1)
    ),
}


@pytest.mark.parametrize("make", LEFT.values(), ids=LEFT.keys())
def test_everything_else_is_left_as_it_is(make: Callable[[], nn.Module]) -> None:
    network = make()
    assert kinds(with_plain_convolutions(network)) == kinds(network)


def test_the_network_itself_is_not_touched() -> None:
    network = upsample_block(3, 2, "batch", "glu").train()
    before = copy.deepcopy(network)
    faster = with_plain_convolutions(network)
    assert not faster.training
    with torch.no_grad():
        for tensor in (*faster.parameters(), *faster.buffers()):
            tensor.zero_()
    assert network.training and kinds(network) == kinds(before)
    for name, tensor in network.state_dict().items():
        assert torch.equal(tensor, before.state_dict()[name])
