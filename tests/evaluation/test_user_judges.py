"""Judges of files that the user gives: the Inception network of 2015, and a DAMSM."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from creativeai.bundles.text_export import export_text_encoder
from creativeai.errors import EvaluationError
from creativeai.evaluation.card import Figure
from creativeai.evaluation.damsm_judge import load_damsm_judge
from creativeai.evaluation.frechet import frechet_distance
from creativeai.evaluation.inception_judge import InceptionJudge, load_inception_judge
from creativeai.evaluation.inception_score import inception_score
from creativeai.evaluation.photos import see_photos_of
from creativeai.evaluation.protocol import STANDARD
from creativeai.evaluation.questions import make_questions
from creativeai.evaluation.realism import Reference, inception_figures
from creativeai.models.efficientnet_lite import load_efficientnet_lite0
from creativeai.models.inception_fid import InceptionFid
from creativeai.recipes.encoders.contract import EncoderContext
from creativeai.recipes.encoders.damsm import ENTRY
from creativeai.recipes.encoders.damsm_guide import GUIDE_NAME
from patches import patch_judges, patches
from tiny_training import quiet_console

PIXELS = np.random.default_rng(0).integers(0, 256, (3, 32, 32, 3), np.uint8)
CAPTIONS = ["a red bird", "a blue bird", "a small green bird with a red head"]


def test_inception_file_of_another_layout_or_digest_is_refused(tmp_path: Path) -> None:
    torch.save({"fc.weight": torch.zeros(2)}, tmp_path / "other.pth")
    for name, message in (("other.pth", "not the network of FID and IS"), ("none.pth", "can't read")):
        with pytest.raises(EvaluationError, match=message) as error:
            load_inception_judge(tmp_path / name)
        assert "\n" not in str(error.value)


def test_inception_sees_features_and_probabilities() -> None:
    network = InceptionFid().eval().requires_grad_(False)
    network.digest = "6726825d" + "0" * 56
    judge = InceptionJudge(network)
    seen = judge(PIXELS)
    assert seen.shape == (3, 2048 + 1008) and judge.digest == network.digest
    np.testing.assert_allclose(seen[:, 2048:].sum(1), 1, rtol=1e-5)
    np.testing.assert_array_equal(judge(PIXELS[1:2]), seen[1:2])


def test_fid_and_score_are_of_their_own_columns() -> None:
    rng = np.random.default_rng(0)

    def seen(num: int, shift: float) -> np.ndarray:
        probabilities = rng.random((num, 5)) ** 4
        return np.hstack(
            [rng.normal(shift, 1, (num, 3)), probabilities / probabilities.sum(1, keepdims=True)]
        )

    photos, others, pictures = seen(40, 0), seen(30, 0), seen(30, 2)
    constants = replace(STANDARD, num_slow_resamples=3)
    reference = Reference(photos=photos, others=others, groups=np.arange(30), constants=constants, seed=0)
    figures = inception_figures(pictures, reference, 3)
    assert figures["fid"].value == frechet_distance(pictures[:, :3], photos[:, :3])
    assert figures["fid"].floor == frechet_distance(others[:, :3], photos[:, :3])
    score = inception_score(pictures[:, 3:])
    assert (figures["inception_score"].value, figures["inception_score"].error) == score
    few: Figure = inception_figures(pictures[:9], replace(reference, groups=np.arange(9)), 3)[
        "inception_score"
    ]
    assert few.value is None and "at least 10" in few.reason


def test_floor_of_the_fid_is_seen_by_the_inception_network_too(toybirds: Path) -> None:
    class Inception:
        digest, num_features = "7" * 64, 2

        def __call__(self, pixels: Any) -> Any:
            return pixels.reshape(len(pixels), -1)[:, :4].astype(np.float32)

    judges = patch_judges(inception=Inception())
    dataset = patches(toybirds)
    questions = make_questions(dataset, dataset.indices("test"), STANDARD, None, 0)
    photos = see_photos_of(dataset, questions, judges, quiet_console(), 1)
    assert photos.floor is not None and photos.floor.inception is not None
    assert photos.floor.inception.shape == (60, 4)
    np.testing.assert_array_equal(photos.floor.pooled, photos.training[:60])
    assert judges.digests()["inception"] == "7" * 64


@pytest.mark.parametrize("text", ["lstm", "minilm"])
def test_damsm_judges_by_its_own_pictures_and_sentences(tmp_path: Path, text: str) -> None:
    network = load_efficientnet_lite0()
    config = replace(ENTRY.presets["debug"], text=text)
    recipe: Any = ENTRY.build(config, EncoderContext(network, CAPTIONS * 9))
    export_text_encoder(recipe.graph(), tmp_path / "damsm", "DAMSM", "CC0", {})
    judge = load_damsm_judge(tmp_path / "damsm")
    codes = judge(PIXELS)
    assert codes.shape == (3, config.dim)
    np.testing.assert_allclose(np.linalg.norm(codes, axis=1), 1, rtol=1e-5)
    np.testing.assert_array_equal(judge(PIXELS[2:]), codes[2:])
    _, expected = recipe.codes(torch.zeros(3, 3, 32, 32), CAPTIONS)
    np.testing.assert_allclose(judge.text_codes(CAPTIONS), expected.numpy(), atol=5e-3)
    again = load_damsm_judge(tmp_path / "damsm")
    assert again.digest == judge.digest and len(judge.digest) == 64


def test_folder_that_is_no_damsm_is_refused(tmp_path: Path) -> None:
    with pytest.raises(EvaluationError, match=f"has no {GUIDE_NAME}"):
        load_damsm_judge(tmp_path)
    (tmp_path / GUIDE_NAME).write_bytes(b"x")
    with pytest.raises(EvaluationError, match="no guide of DAMSM's"):
        load_damsm_judge(tmp_path)
