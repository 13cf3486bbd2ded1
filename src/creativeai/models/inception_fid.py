"""The Inception network of FID and Inception Score, for a weights file of the user's.

It is TensorFlow's of 2015-12-05 (`inception-2015-12-05.tgz`), which Salimans et al. 2016
(arXiv:1606.03498) and Heusel et al. 2017 (arXiv:1706.08500) measured by, in the conversion to PyTorch that
is published as `pt_inception-2015-12-05-6726825d.pth`. It differs from torchvision's Inception-v3 in its
weights, in how three kinds of blocks pool, in 1,008 outputs, and in how pictures are enlarged. Figures by
any other network are neither.
"""

from hashlib import file_digest
from pathlib import Path
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from creativeai.errors import TrainingError
from creativeai.models.inception_v3 import add_layers, run_layers

__all__ = ["InceptionFid", "InceptionOutput", "load_inception_fid", "resize_like_tensorflow_1"]

_FILE = "pt_inception-2015-12-05-6726825d.pth"
_DIGEST_PREFIX = "6726825d"
_SIDE = 299
_NUM_CLASSES = 1008


class InceptionOutput(NamedTuple):
    """What the network gives of B pictures."""

    pooled: Tensor
    """[B, 2048] features: FID is their Frechet distance, KID their kernel distance."""
    logits: Tensor
    """[B, 1008]: ImageNet's classes in TensorFlow's order, and eight that mean nothing."""
    logits_without_bias: Tensor
    """[B, 1008], by which the original evaluation of the Inception Score takes the softmax."""


class InceptionFid(nn.Module):
    """Inception-v3 as TensorFlow had it in 2015.

    Attributes:
        digest: SHA-256 of the weights file, as hexadecimal digits; empty before one is loaded.
    """

    def __init__(self) -> None:
        super().__init__()
        averaged = {
            f"Mixed_{name}": _average_within for name in ("5b", "5c", "5d", "6b", "6c", "6d", "6e", "7b")
        }
        add_layers(self, averaged | {"Mixed_7c": _max_pool})
        self.fc = nn.Linear(2048, _NUM_CLASSES)
        self.digest = ""

    def forward(self, images: Tensor) -> InceptionOutput:
        """Features and logits of pictures [B, 3, R, R] in [-1, 1] of any size.

        They are rounded to 8 bits first, as saved pictures are.
        """
        pixels = ((images.float().clamp(-1, 1) + 1) * 127.5).round()
        # TensorFlow's graph has these constants, which leave white a little short of 1.
        x = (resize_like_tensorflow_1(pixels, _SIDE) - 128) / 128
        # In this layout a CPU takes two thirds of the time.
        for _, maps in run_layers(self, x.contiguous(memory_format=torch.channels_last)):
            x = maps
        pooled = x.mean(dim=(2, 3))
        without_bias = F.linear(pooled, self.fc.weight)
        return InceptionOutput(pooled, without_bias + self.fc.bias, without_bias)


def _average_within(x: Tensor) -> Tensor:
    """Mean over the part of 3 x 3 that is within the map: what is beyond the edge doesn't count."""
    return F.avg_pool2d(x, 3, 1, 1, count_include_pad=False)


def _max_pool(x: Tensor) -> Tensor:
    """Maximum over 3 x 3: the last block's, by a slip of 2015 that FID has kept since."""
    return F.max_pool2d(x, 3, 1, 1)


def resize_like_tensorflow_1(images: Tensor, side: int) -> Tensor:
    """Pictures [B, C, H, W] at another side as TensorFlow 1's `resize_bilinear` makes them.

    Pixel i of the result is at i * H / side of the source, without the shift by half a pixel that torch's
    `interpolate` has, and what lies beyond the last pixel is the last pixel. Where pictures are small, FID
    changes by more than 1 with it. Nothing is smoothed where pictures shrink.
    """
    for dim in (3, 2):
        size = images.shape[dim]
        place = torch.arange(side, dtype=torch.float32, device=images.device) * (size / side)
        lower = place.floor().long().clamp(max=size - 1)
        upper = (lower + 1).clamp(max=size - 1)
        weight = (place - lower).to(images.dtype).view(-1, *([1] * (3 - dim)))
        low = images.index_select(dim, lower)
        images = low + (images.index_select(dim, upper) - low) * weight
    return images


def load_inception_fid(weights: Path) -> InceptionFid:
    """The frozen network with the weights of the user's file, in evaluation mode.

    Raises:
        TrainingError: The file is missing, or is not the published conversion: figures by other weights must
            not bear these names.
    """
    try:
        with weights.open("rb") as file:
            digest = file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise TrainingError(f"can't read {weights}: {error.strerror or error}") from None
    if not digest.startswith(_DIGEST_PREFIX):
        raise TrainingError(
            f"{weights} is not the network of FID and IS, or is damaged: its SHA-256 begins with "
            f"{digest[:8]}, not {_DIGEST_PREFIX}; give the published {_FILE}"
        )
    try:
        state = torch.load(weights, map_location="cpu", weights_only=True)
        given = {name: value for name, value in state.items() if isinstance(value, Tensor)}
    except Exception as error:  # torch.load has no common error for a damaged file
        raise TrainingError(f"{weights} holds no weights of a network: give the published {_FILE}") from error
    network = InceptionFid()
    wanted = network.state_dict()
    for name, value in wanted.items():
        if name.endswith("num_batches_tracked"):  # isn't used, and the published file may lack it
            continue
        if name not in given or given[name].shape != value.shape:
            shape = list(given[name].shape) if name in given else "missing"
            raise TrainingError(
                f"{weights} has another layout than the network of FID and IS: {name} is {shape}, not "
                f"{list(value.shape)}; give the published {_FILE}"
            )
        wanted[name] = given[name]
    network.load_state_dict(wanted)
    network.digest = digest
    network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    return network.eval().requires_grad_(False)
