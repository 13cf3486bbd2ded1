"""The Inception network of the user's file as judge, for FID and Inception Score."""

from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from creativeai.errors import EvaluationError, TrainingError
from creativeai.evaluation.features import as_saved, to_side
from creativeai.evaluation.protocol import REFERENCE_SIDE
from creativeai.models.inception_fid import InceptionFid, load_inception_fid
from creativeai.models.pixels import pixels_to_tensor

__all__ = ["InceptionJudge", "load_inception_judge"]


class InceptionJudge:
    """Features and classes of pictures, which come to the reference size first as everywhere here.

    The classes' probabilities are of the logits without the bias, as in the original evaluation.
    """

    num_features = 2048

    def __init__(self, network: InceptionFid) -> None:
        self._network = network
        self.digest = network.digest

    @torch.no_grad()
    def __call__(self, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
        """[N, 2048 + 1008] features, then probabilities, of pictures uint8 [N, R, R, 3]."""
        images = as_saved(to_side(pixels_to_tensor(pixels), REFERENCE_SIDE))
        rows = []
        for image in images:  # one by one: a batch's layout could change the last digit
            output = self._network(image[None])
            rows.append(torch.cat([output.pooled, output.logits_without_bias.softmax(1)], 1))
        return torch.cat(rows).numpy()


def load_inception_judge(file: Path) -> InceptionJudge:
    """The judge of a weights file.

    Raises:
        EvaluationError: The file is missing, damaged, or of another network.
    """
    try:
        return InceptionJudge(load_inception_fid(file))
    except TrainingError as error:
        raise EvaluationError(str(error)) from None
