"""A user's own DAMSM as judge: R-precision as AttnGAN's paper has it."""

import hashlib
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from creativeai.errors import EvaluationError, TextError, TrainingError
from creativeai.evaluation.features import as_saved, to_side
from creativeai.evaluation.protocol import REFERENCE_SIDE
from creativeai.models.efficientnet_lite import load_efficientnet_lite0
from creativeai.models.pixels import pixels_to_tensor
from creativeai.recipes.encoders.damsm_guide import GUIDE_NAME, DamsmGuide, load_damsm_guide
from creativeai.text.encoder import TextEncoder, encoder_name, load_text_encoder

__all__ = ["DamsmJudge", "load_damsm_judge"]


class DamsmJudge:
    """Vectors of whole pictures and of sentences in one space (Xu et al. 2017, arXiv:1711.10485).

    A model that was trained with a DAMSM is flattered by that very one: judge it by another.

    Args:
        guide: The picture's side.
        encoder: The sentence's side.
        digest: SHA-256 of both.
    """

    def __init__(self, guide: DamsmGuide, encoder: TextEncoder, digest: str) -> None:
        self._guide, self._encoder, self.digest = guide, encoder, digest

    @torch.no_grad()
    def __call__(self, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Unit vectors [N, K] of pictures uint8 [N, R, R, 3], seen at the reference size first."""
        images = as_saved(to_side(pixels_to_tensor(pixels), REFERENCE_SIDE))
        # One by one: a batch's layout could change the last digit.
        codes = [self._guide.heads(*self._guide.trunk(image[None]))[1] for image in images]
        return _unit(torch.cat(codes))

    @torch.no_grad()
    def text_codes(self, captions: list[str]) -> NDArray[np.float32]:
        """Unit vectors [N, K] of captions; zeros for one whose every word is unknown."""
        return _unit(torch.stack([self._sentence(caption) for caption in captions]))

    def _sentence(self, caption: str) -> Tensor:
        try:
            features = self._encoder.encode([caption])
        except TextError:
            return torch.zeros(self._guide.heads.emb_cnn_code.out_features)
        sentence = torch.from_numpy(features.sentence)
        if self._guide.adapter is not None:
            _, sentence = self._guide.adapter(torch.from_numpy(features.words), sentence)
        return sentence[0]


def load_damsm_judge(folder: Path) -> DamsmJudge:
    """The judge in the folder that `creativeai export` makes of a DAMSM's run.

    Raises:
        EvaluationError: There is no such folder, it has no picture's side, or one over Inception-v3.
        TextError: The text encoder's files are damaged.
    """
    file = folder / GUIDE_NAME
    if not file.is_file():
        raise EvaluationError(
            f"{folder} has no {GUIDE_NAME}: give the folder that creativeai export makes of a damsm run"
        )
    try:
        guide = load_damsm_guide(file, load_efficientnet_lite0())
    except TrainingError as error:
        reason = str(error).replace(
            "give its weights, --set damsm_trunk_weights=FILE", "train one over Lite0"
        )
        raise EvaluationError(reason) from None
    shipped = guide.text == "minilm"
    encoder = load_text_encoder("minilm") if shipped else load_text_encoder(encoder_name(folder), folder)
    digest = hashlib.sha256(file.read_bytes() + encoder.digest.encode()).hexdigest()
    return DamsmJudge(guide, encoder, digest)


def _unit(codes: Tensor) -> NDArray[np.float32]:
    return F.normalize(codes.float(), dim=1).numpy()
