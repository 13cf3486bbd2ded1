"""Pictures as a frozen network sees them, for every metric."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256

import numpy as np
import onnxruntime
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from creativeai.evaluation.protocol import REFERENCE_SIDE, RESIZE_PROTOCOL
from creativeai.models.efficientnet_lite import EfficientNetLite
from creativeai.models.efficientnet_lite_graph import IMAGES, efficientnet_lite_graph
from creativeai.models.text_image_matcher import DescriptionLayout, describe_images

__all__ = [
    "FeatureExtractor",
    "PictureFeatures",
    "as_saved",
    "join_features",
    "to_side",
]

_BATCH_SIZE = 32


@dataclass(frozen=True)
class PictureFeatures:
    """What the metrics read of N pictures."""

    pooled: Tensor
    """[N, 1280] vectors for the distances, precision and recall, diversity and memorisation."""
    descriptions: Tensor
    """[N, I] input of the text-image matcher's image tower."""


class FeatureExtractor:
    """Batches pictures through the frozen network.

    Figures of models of different resolution compare, since all pictures are seen alike: clipped to [-1, 1],
    rounded to 8 bits as a saved one would be, brought to one reference size by `to_side`, rounded again, and
    from there to the network's own side. Photos that pictures are compared with must come at the reference
    size or larger, whatever the model's: photos made small first would be blurred.

    On a CPU it is ONNX Runtime that runs the network, one picture at a time, in half of torch's time. Each
    picture is worked on by one thread, so that its features are the same to the last bit whatever pictures
    are beside it and however many threads there are.

    Args:
        network: The frozen network, on any device.
        side: Side in pixels that the network sees pictures at; its native side by default. Figures of
            different sides don't compare.
        reference_side: Side in pixels that pictures are brought to first. Nor do those of different ones.
        layout: What of the feature maps the matcher's input [B, I] has.
    """

    def __init__(
        self,
        network: EfficientNetLite,
        side: int | None = None,
        reference_side: int = REFERENCE_SIDE,
        layout: DescriptionLayout | None = None,
    ) -> None:
        self.network = network
        self.side = network.native_side if side is None else side
        self.reference_side = reference_side
        self.layout = layout or DescriptionLayout()

    @torch.no_grad()
    def __call__(self, images: Tensor) -> PictureFeatures:
        """Features, on the CPU, of pictures [N, 3, R, R] on any device."""
        return join_features([self._batch(batch) for batch in images.split(_BATCH_SIZE)])

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the network's weights."""
        digest = sha256()
        for name, value in sorted(self.network.state_dict().items()):
            digest.update(f"{name} {tuple(value.shape)}\n".encode())
            digest.update(value.float().cpu().contiguous().numpy().tobytes())
        return digest.hexdigest()

    def about(self) -> dict[str, str | int]:
        """All that the features of a picture depend on, for caches and cards."""
        on_cpu = self._device.type == "cpu"
        return {
            "network": f"EfficientNet-Lite{self.network.number}",
            "weights": self.digest,
            "side": self.side,
            "reference_side": self.reference_side,
            "resize": RESIZE_PROTOCOL,
            "description": f"thumbnail {self.layout.thumbnail}, grids {self.layout.grids}, means, deviations",
            "run_by": f"onnxruntime {onnxruntime.__version__}" if on_cpu else f"torch {torch.__version__}",
        }

    @property
    def _device(self) -> torch.device:
        return self.network.head.weight.device

    def _batch(self, images: Tensor) -> PictureFeatures:
        images = as_saved(to_side(as_saved(images.to(self._device)), self.reference_side))
        images = to_side(images, self.side)
        if self._device.type == "cpu":
            *features, pooled = self._run(images)
        else:
            features = self.network(images.contiguous(memory_format=torch.channels_last))
            pooled = self.network.pool(features[-1])
        # One by one: how a sum over a picture is rounded may depend on the batch's layout in memory.
        descriptions = [
            describe_images(images[i : i + 1], [feature[i : i + 1] for feature in features], self.layout)
            for i in range(len(images))
        ]
        return PictureFeatures(pooled.float().cpu(), torch.cat(descriptions).cpu())

    def _run(self, images: Tensor) -> list[Tensor]:
        """The feature maps and pooled features of a batch, each picture by one thread."""

        def run(picture: NDArray[np.float32]) -> list[NDArray[np.float32]]:
            maps: list[NDArray[np.float32]] = self._session.run(None, {IMAGES: picture})
            return maps

        pictures = [picture[None] for picture in images.contiguous().numpy()]
        num_threads = min(torch.get_num_threads(), len(pictures))
        if num_threads < 2:
            results = [run(picture) for picture in pictures]
        else:
            with ThreadPoolExecutor(num_threads) as pool:
                results = list(pool.map(run, pictures))
        return [torch.from_numpy(np.concatenate(maps)) for maps in zip(*results, strict=True)]

    @cached_property
    def _session(self) -> onnxruntime.InferenceSession:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        graph = efficientnet_lite_graph(self.network)
        return onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])


def as_saved(images: Tensor) -> Tensor:
    """Pictures [N, 3, R, R] clipped to [-1, 1] and rounded to the 256 values that a saved picture has."""
    return ((images.clamp(-1, 1) + 1) * 127.5).round() / 127.5 - 1


def to_side(images: Tensor, side: int) -> Tensor:
    """Pictures [N, 3, R, R] in [-1, 1] at another side: bicubic and antialiased down, bilinear up.

    Bicubic enlargement overshoots at every edge. Of generated pictures, whose finest grain is not a photo's,
    the network then sees that grain before all else.
    """
    if images.shape[-2:] == (side, side):
        return images
    if images.shape[-1] < side:
        return F.interpolate(images, size=(side, side), mode="bilinear")
    return F.interpolate(images, size=(side, side), mode="bicubic", antialias=True).clamp(-1, 1)


def join_features(parts: Sequence[PictureFeatures]) -> PictureFeatures:
    """Features of all the parts' pictures, in their order."""
    return PictureFeatures(
        torch.cat([part.pooled for part in parts]), torch.cat([part.descriptions for part in parts])
    )
