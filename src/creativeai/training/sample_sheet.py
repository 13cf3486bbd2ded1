"""Fixed noise and captions that a run draws again and again."""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from creativeai.models.conditioning import TextTensors
from creativeai.models.pixels import tensor_to_pixels
from creativeai.recipes.encoders.attention_grid import attention_grid
from creativeai.training.monitor import picture_grid

__all__ = ["SampleSheet"]


@dataclass(frozen=True)
class SampleSheet:
    """One row a caption, the photo first."""

    noise: Tensor
    """[S * K, Z], K pictures for each of S captions."""
    text: TextTensors
    """Captions [S * K]."""
    photos: Tensor
    """[S, 3, R, R] what the captions describe."""
    captions: list[str]
    words: list[list[str]]
    """The words of each caption, where the generator attends to them."""

    def draw(self, generator: nn.Module, device: torch.device) -> dict[str, NDArray[np.uint8]]:
        """A grid uint8 [H, W, 3] of every stage: the last is `samples`, one before it `samples_RESOLUTION`.

        The photos stand only beside the last, whose size they have. Of a stage that attends to words there
        is `attention_RESOLUTION` too: each caption's first picture, and where each word looks in it.
        """
        text = TextTensors(*(tensor.to(device) for tensor in self.text))
        with torch.no_grad():
            output = generator(self.noise.to(device), text)
        stages = [tensor_to_pixels(images) for images in output.images]
        *earlier, last = stages
        num_columns = len(last) // len(self.photos)
        grids = {f"samples_{stage.shape[1]}": picture_grid(stage, num_columns) for stage in earlier}
        photos = tensor_to_pixels(self.photos)
        rows = np.concatenate([photos[:, None], last.reshape(len(photos), -1, *last.shape[1:])], axis=1)
        grids["samples"] = picture_grid(rows.reshape(-1, *last.shape[1:]), num_columns + 1)
        for stage, attention in zip(reversed(stages), reversed(output.attention), strict=False):
            maps = attention[::num_columns].float().cpu().numpy()
            grids[f"attention_{stage.shape[1]}"] = attention_grid(stage[::num_columns], self.words, maps)
        return grids
