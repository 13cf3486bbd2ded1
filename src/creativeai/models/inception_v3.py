"""Inception-v3 (Szegedy et al. 2015, arXiv:1512.00567) as DAMSM's frozen picture network.

For weights that the user gives: torchvision's `inception_v3` file or a published AttnGAN `image_encoder`. The
classifier and its auxiliary branch are left out. Names and shapes of the weights are torchvision's. The same
layers, otherwise pooled, make the network of FID and IS in `inception_fid.py`.
"""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from creativeai.errors import TrainingError

__all__ = ["InceptionV3", "Pool", "add_layers", "average_pool", "load_inception_v3", "run_layers"]

_SIDE = 299
_BN_EPSILON = 1e-3
Pool = Callable[[Tensor], Tensor]
"""What the last branch of a block begins with, if the block keeps its size: maps [B, C, H, W] to the same."""


class _Conv(NamedTuple):
    """A convolution in a block's table; what has stride 2 isn't padded, the rest keeps its size."""

    name: str
    channels: int
    kernel: tuple[int, int] = (1, 1)
    stride: int = 1


class _Branch(NamedTuple):
    """A chain of convolutions, at whose end the result may go through two more side by side."""

    chain: tuple[_Conv, ...]
    fork: tuple[_Conv, ...] = ()


_ROW, _COLUMN, _SQUARE = (1, 7), (7, 1), (3, 3)


def _block_a(pool_channels: int) -> tuple[_Branch, ...]:
    return (
        _Branch((_Conv("branch1x1", 64),)),
        _Branch((_Conv("branch5x5_1", 48), _Conv("branch5x5_2", 64, (5, 5)))),
        _Branch(
            (
                _Conv("branch3x3dbl_1", 64),
                _Conv("branch3x3dbl_2", 96, _SQUARE),
                _Conv("branch3x3dbl_3", 96, _SQUARE),
            )
        ),
        _Branch((_Conv("branch_pool", pool_channels),)),
    )


def _block_c(narrow: int) -> tuple[_Branch, ...]:
    return (
        _Branch((_Conv("branch1x1", 192),)),
        _Branch(
            (
                _Conv("branch7x7_1", narrow),
                _Conv("branch7x7_2", narrow, _ROW),
                _Conv("branch7x7_3", 192, _COLUMN),
            )
        ),
        _Branch(
            (
                _Conv("branch7x7dbl_1", narrow),
                _Conv("branch7x7dbl_2", narrow, _COLUMN),
                _Conv("branch7x7dbl_3", narrow, _ROW),
                _Conv("branch7x7dbl_4", narrow, _COLUMN),
                _Conv("branch7x7dbl_5", 192, _ROW),
            )
        ),
        _Branch((_Conv("branch_pool", 192),)),
    )


_BLOCK_B = (
    _Branch((_Conv("branch3x3", 384, _SQUARE, 2),)),
    _Branch(
        (
            _Conv("branch3x3dbl_1", 64),
            _Conv("branch3x3dbl_2", 96, _SQUARE),
            _Conv("branch3x3dbl_3", 96, _SQUARE, 2),
        )
    ),
    _Branch(()),
)
_BLOCK_D = (
    _Branch((_Conv("branch3x3_1", 192), _Conv("branch3x3_2", 320, _SQUARE, 2))),
    _Branch(
        (
            _Conv("branch7x7x3_1", 192),
            _Conv("branch7x7x3_2", 192, _ROW),
            _Conv("branch7x7x3_3", 192, _COLUMN),
            _Conv("branch7x7x3_4", 192, _SQUARE, 2),
        )
    ),
    _Branch(()),
)
_BLOCK_E = (
    _Branch((_Conv("branch1x1", 320),)),
    _Branch(
        (_Conv("branch3x3_1", 384),),
        fork=(_Conv("branch3x3_2a", 384, (1, 3)), _Conv("branch3x3_2b", 384, (3, 1))),
    ),
    _Branch(
        (_Conv("branch3x3dbl_1", 448), _Conv("branch3x3dbl_2", 384, _SQUARE)),
        fork=(_Conv("branch3x3dbl_3a", 384, (1, 3)), _Conv("branch3x3dbl_3b", 384, (3, 1))),
    ),
    _Branch((_Conv("branch_pool", 192),)),
)
_BLOCKS: Mapping[str, tuple[_Branch, ...]] = {
    "Mixed_5b": _block_a(32),
    "Mixed_5c": _block_a(64),
    "Mixed_5d": _block_a(64),
    "Mixed_6a": _BLOCK_B,
    "Mixed_6b": _block_c(128),
    "Mixed_6c": _block_c(160),
    "Mixed_6d": _block_c(160),
    "Mixed_6e": _block_c(192),
    "Mixed_7a": _BLOCK_D,
    "Mixed_7b": _BLOCK_E,
    "Mixed_7c": _BLOCK_E,
}


class _ConvNormRelu(nn.Module):
    def __init__(
        self, in_channels: int, out_channels: int, kernel: tuple[int, int], stride: int, padded: bool
    ) -> None:
        super().__init__()
        padding = (kernel[0] // 2, kernel[1] // 2) if padded else (0, 0)
        self.conv = nn.Conv2d(in_channels, out_channels, kernel, stride, padding, bias=False)
        self.bn = nn.BatchNorm2d(out_channels, eps=_BN_EPSILON)

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(self.bn(self.conv(x)))


class _Mixed(nn.Module):
    """Branches side by side. The last one begins with a pooling: of stride 2 where it is empty."""

    def __init__(self, in_channels: int, branches: tuple[_Branch, ...], pool: Pool) -> None:
        super().__init__()
        self.branches = branches
        self.pool = pool
        self.out_channels = 0
        for branch in branches:
            channels = in_channels
            for conv in branch.chain:
                self._add(channels, conv)
                channels = conv.channels
            for conv in branch.fork:
                self._add(channels, conv)
            self.out_channels += sum(conv.channels for conv in branch.fork) or channels

    def _add(self, in_channels: int, conv: _Conv) -> None:
        padded = conv.stride == 1
        self.add_module(
            conv.name, _ConvNormRelu(in_channels, conv.channels, conv.kernel, conv.stride, padded)
        )

    def forward(self, x: Tensor) -> Tensor:
        results = []
        for branch in self.branches:
            y = x
            if branch is self.branches[-1]:
                y = self.pool(x) if branch.chain else F.max_pool2d(x, 3, 2)
            for conv in branch.chain:
                y = self.get_submodule(conv.name)(y)
            results += [self.get_submodule(conv.name)(y) for conv in branch.fork] or [y]
        return torch.cat(results, dim=1)


def average_pool(x: Tensor) -> Tensor:
    """Mean over 3 x 3, in which what is beyond the edge counts as zeros."""
    return F.avg_pool2d(x, 3, 1, 1)


def add_layers(network: nn.Module, pool_of: Mapping[str, Pool] | None = None) -> None:
    """Give a network the 94 convolutions with batch norm under torchvision's names.

    Args:
        network: The network that has none of them yet.
        pool_of: How the blocks pool that do so otherwise than by `average_pool`, by their names.
    """
    network.Conv2d_1a_3x3 = _ConvNormRelu(3, 32, _SQUARE, 2, padded=False)
    network.Conv2d_2a_3x3 = _ConvNormRelu(32, 32, _SQUARE, 1, padded=False)
    network.Conv2d_2b_3x3 = _ConvNormRelu(32, 64, _SQUARE, 1, padded=True)
    network.Conv2d_3b_1x1 = _ConvNormRelu(64, 80, (1, 1), 1, padded=False)
    network.Conv2d_4a_3x3 = _ConvNormRelu(80, 192, _SQUARE, 1, padded=False)
    channels = 192
    for name, branches in _BLOCKS.items():
        block = _Mixed(channels, branches, (pool_of or {}).get(name, average_pool))
        network.add_module(name, block)
        channels = block.out_channels


def run_layers(network: nn.Module, x: Tensor) -> Iterator[tuple[str, Tensor]]:
    """Run what `add_layers` gave on pictures [B, 3, 299, 299] in [-1, 1].

    Yields:
        Each block's name and its output, from [B, 256, 35, 35] to [B, 2048, 8, 8].
    """
    for names in (("Conv2d_1a_3x3", "Conv2d_2a_3x3", "Conv2d_2b_3x3"), ("Conv2d_3b_1x1", "Conv2d_4a_3x3")):
        for name in names:
            x = network.get_submodule(name)(x)
        x = F.max_pool2d(x, 3, 2)
    for name in _BLOCKS:
        x = network.get_submodule(name)(x)
        yield name, x


class InceptionV3(nn.Module):
    """94 convolutions with batch norm: regions after `Mixed_6e`, the whole picture after `Mixed_7c`."""

    region_channels = 768
    global_channels = 2048

    def __init__(self) -> None:
        super().__init__()
        add_layers(self)

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Map [B, 768, 17, 17] and vector [B, 2048] of pictures [B, 3, R, R] in [-1, 1].

        They are brought to 299 px with their corners in place, as torch did when DAMSM was published, and are
        not normalised further.
        """
        x = F.interpolate(images, size=(_SIDE, _SIDE), mode="bilinear", align_corners=True)
        maps = dict(run_layers(self, x))
        return maps["Mixed_6e"], maps["Mixed_7c"].mean(dim=(2, 3))


def load_inception_v3(weights: Path) -> InceptionV3:
    """The frozen network with the weights of a file, in evaluation mode.

    Args:
        weights: torchvision's `inception_v3` or a published `image_encoder`, whose batch-norm statistics
            differ; what else is in it (classifier, DAMSM's heads) is left aside.

    Raises:
        TrainingError: The file is missing, damaged or holds another network.
    """
    try:
        state = torch.load(weights, map_location="cpu", weights_only=True)
        given = {name: value for name, value in state.items() if isinstance(value, Tensor)}
    except Exception as error:  # torch.load has no common error for a damaged file
        raise TrainingError(
            f"{weights} holds no weights of a network: give torchvision's Inception-v3 or AttnGAN's"
        ) from error
    network = InceptionV3()
    wanted = network.state_dict()
    for name, value in wanted.items():
        if name.endswith("num_batches_tracked"):  # older files lack it, and it isn't used
            continue
        if name not in given or given[name].shape != value.shape:
            kind = "has no" if name not in given else "has another shape of"
            raise TrainingError(f"{weights} is not an Inception-v3: it {kind} {name}")
        wanted[name] = given[name]
    network.load_state_dict(wanted)
    return network.eval().requires_grad_(False)
