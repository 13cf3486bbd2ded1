"""A trained DAMSM as the judge by which AttnGAN's generator learns: does this picture show these words?"""

import io
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from creativeai.errors import TrainingError
from creativeai.models.conditioning import TextTensors
from creativeai.models.damsm import DamsmImageHeads, ImageTrunk, Lite0Trunk, VectorAdapter
from creativeai.models.efficientnet_lite import EfficientNetLite0
from creativeai.models.inception_v3 import load_inception_v3
from creativeai.recipes.encoders.damsm_config import DamsmConfig
from creativeai.recipes.encoders.damsm_loss import DamsmLosses, Gammas, damsm_losses

__all__ = ["GUIDE_NAME", "DamsmGuide", "guide_bytes", "load_damsm_guide"]

GUIDE_NAME = "guide.npz"
"""Its file in the folder of an exported text encoder."""

_SETTINGS = "settings"


@dataclass(frozen=True)
class DamsmGuide:
    """Frozen networks that compare pictures with words; gradient flows to the pictures."""

    text: str
    """Name of the text encoder whose vectors it reads: `damsm` or `minilm`."""
    gammas: Gammas
    trunk: ImageTrunk
    heads: DamsmImageHeads
    adapter: VectorAdapter | None
    """What MiniLM's vectors go through; None for DAMSM's own."""

    def losses(self, images: Tensor, text: TextTensors, labels: Tensor) -> DamsmLosses:
        """DAMSM's losses of pictures and the captions they should show.

        Args:
            images: [B, 3, R, R] pictures in about [-1, 1].
            text: The captions, as the text encoder `self.text` gives them.
            labels: int64 [B] classes, all different where they are unknown.
        """
        words, sentence = text.words, text.sentence
        if self.adapter is not None:
            words, sentence = self.adapter(words, sentence)
        regions, global_code = self.heads(*self.trunk(images))
        return damsm_losses(regions, global_code, words, sentence, text.mask, labels, self.gammas)


def guide_bytes(config: DamsmConfig, heads: DamsmImageHeads, adapter: VectorAdapter | None) -> bytes:
    """What `load_damsm_guide` reads: weights, and how they are to be used."""
    settings = {
        "text": "damsm" if adapter is None else "minilm",
        "gammas": config.gammas,
        "trunk": config.trunk,
        "trunk_resolution": config.trunk_resolution,
    }
    arrays = {_SETTINGS: np.frombuffer(json.dumps(settings).encode(), np.uint8)}
    for prefix, module in (("heads", heads), ("adapter", adapter)):
        for name, value in ({} if module is None else module.state_dict()).items():
            arrays[f"{prefix}.{name}"] = value.cpu().numpy()
    stream = io.BytesIO()
    np.savez(stream, allow_pickle=False, **arrays)
    return stream.getvalue()


def load_damsm_guide(
    file: Path, feature_network: EfficientNetLite0, trunk_weights: Path | None = None
) -> DamsmGuide:
    """A guide from its file, frozen, on the device of the feature network.

    Args:
        file: `guide.npz` of an exported text encoder, or of a run over MiniLM.
        feature_network: Frozen ImageNet features.
        trunk_weights: Inception-v3's weights, where it was trained on them.

    Raises:
        TrainingError: The file is missing or damaged, or Inception-v3's weights are missing.
    """
    try:
        with np.load(file, allow_pickle=False) as arrays:  # zip's checksums find damage
            settings = json.loads(arrays[_SETTINGS].tobytes())
            weights = {
                name: torch.from_numpy(arrays[name].copy()) for name in arrays.files if name != _SETTINGS
            }
        heads_weights, adapter_weights = _with_prefix(weights, "heads"), _with_prefix(weights, "adapter")
        dim, region_channels = heads_weights["emb_features.weight"].shape[:2]
        heads = DamsmImageHeads(region_channels, heads_weights["emb_cnn_code.weight"].shape[1], dim)
        heads.load_state_dict(heads_weights)
        adapter = None
        if adapter_weights:
            adapter = VectorAdapter(adapter_weights["words.weight"].shape[1], dim)
            adapter.load_state_dict(adapter_weights)
        text, gammas = str(settings["text"]), Gammas(*map(float, settings["gammas"]))
        trunk_name, side = settings["trunk"], int(settings["trunk_resolution"])
    except Exception as error:  # zip, JSON and shapes have no error in common
        raise TrainingError(f"{file} is no guide of DAMSM's: export the text encoder again") from error
    device = feature_network.head.weight.device
    if trunk_name == "inception_v3":
        if trunk_weights is None:
            raise TrainingError(
                f"{file} was trained on Inception-v3: give its weights, --set damsm_trunk_weights=FILE"
            )
        trunk: ImageTrunk = load_inception_v3(trunk_weights).to(device)
    else:
        trunk = Lite0Trunk(feature_network, side)
    heads = heads.to(device).eval().requires_grad_(False)
    if adapter is not None:
        adapter = adapter.to(device).eval().requires_grad_(False)
    return DamsmGuide(text, gammas, trunk, heads, adapter)


def _with_prefix(weights: Mapping[str, Any], prefix: str) -> dict[str, Any]:
    return {
        name.removeprefix(f"{prefix}."): value
        for name, value in weights.items()
        if name.startswith(f"{prefix}.")
    }
