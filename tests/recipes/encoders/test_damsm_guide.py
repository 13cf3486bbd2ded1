from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from creativeai.errors import TrainingError
from creativeai.models.conditioning import TextTensors
from creativeai.models.damsm import DamsmImageHeads
from creativeai.models.efficientnet_lite import EfficientNetLite0
from creativeai.recipes.encoders.contract import CaptionBatch, EncoderContext
from creativeai.recipes.encoders.damsm import ENTRY, PRESETS
from creativeai.recipes.encoders.damsm_guide import guide_bytes, load_damsm_guide
from creativeai.text import load_text_encoder

DEBUG = PRESETS["debug"]


def minilm_tensors(captions: list[str]) -> TextTensors:
    features = load_text_encoder("minilm").encode(captions)
    return TextTensors(*map(torch.from_numpy, (features.sentence, features.words, features.mask)))


@pytest.mark.parametrize("text", ["lstm", "minilm"])
def test_guide_has_the_losses_of_the_recipe_it_is_from(
    text: str,
    encoder_context: EncoderContext,
    caption_batch: Callable[[int], CaptionBatch],
    tmp_path: Path,
) -> None:
    recipe: Any = ENTRY.build(replace(DEBUG, text=text, max_words=14, gamma_words=3.0), encoder_context)
    recipe.networks.eval()
    batch = caption_batch(32)
    _, parts = recipe.loss(batch)
    (tmp_path / "guide.npz").write_bytes(recipe.guide())
    guide = load_damsm_guide(tmp_path / "guide.npz", encoder_context.feature_network)
    assert guide.text == {"lstm": "damsm", "minilm": "minilm"}[text]
    tensors = minilm_tensors(batch.captions)
    if text == "lstm":
        words, sentence, mask = recipe._read(batch.captions, batch.images.device)
        tensors = TextTensors(sentence / sentence.norm(dim=1, keepdim=True), words, mask)
    images = batch.images.clone().requires_grad_()
    losses = guide.losses(images, tensors, batch.labels)
    torch.testing.assert_close(losses.words, parts["words"], rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(losses.sentence, parts["sentence"], rtol=1e-4, atol=1e-5)
    losses.words.backward()
    assert images.grad is not None and images.grad.abs().sum() > 0
    assert not any(weight.requires_grad for weight in guide.heads.parameters())


def test_guide_on_inception_v3_wants_its_weights(feature_network: EfficientNetLite0, tmp_path: Path) -> None:
    config = replace(DEBUG, trunk="inception_v3", trunk_weights="somewhere/inception.pth")
    data = guide_bytes(config, DamsmImageHeads(768, 2048, 8), None)
    assert b"somewhere" not in data
    (tmp_path / "guide.npz").write_bytes(data)
    with pytest.raises(TrainingError, match="was trained on Inception-v3: give its weights, --set damsm_"):
        load_damsm_guide(tmp_path / "guide.npz", feature_network)


def test_damaged_or_missing_guide_is_refused(feature_network: EfficientNetLite0, tmp_path: Path) -> None:
    file = tmp_path / "guide.npz"
    with pytest.raises(TrainingError, match=r"guide\.npz is no guide of DAMSM's"):
        load_damsm_guide(file, feature_network)
    data = bytearray(guide_bytes(DEBUG, DamsmImageHeads(112, 1280, 8), None))
    data[len(data) // 2] ^= 1
    for content in (
        bytes(data),
        bytes(data[: len(data) // 2]),
        b"version https://git-lfs.github.com/spec/v1",
    ):
        file.write_bytes(content)
        with pytest.raises(TrainingError, match=r"guide\.npz is no guide of DAMSM's"):
            load_damsm_guide(file, feature_network)
