"""A text encoder in the loop: it stops and goes on bit for bit, and is measured by the captions it finds."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from creativeai.recipes.encoders.registry import find_encoder_recipe
from creativeai.recipes.registry import list_encoders
from creativeai.text.augmentation import PLAIN
from creativeai.training.budget import Budget
from creativeai.training.checkpoints import load_newest
from creativeai.training.encoder_task import EncoderTask, encoder_state
from creativeai.training.feed import CaptionFeed, steps_of_epoch
from creativeai.training.fit import Schedule, fit
from creativeai.training.materials import Materials
from creativeai.training.monitor import Monitor
from creativeai.training.run import Run
from creativeai.training.tasks import build_encoder
from creativeai.training.texts import TrainingTexts, training_texts
from tiny_training import differing, quiet_console

CPU = torch.device("cpu")


@pytest.fixture(params=list_encoders())
def encoder_run(request: pytest.FixtureRequest, run: Run, tmp_path: Path) -> Run:
    config = replace(find_encoder_recipe(request.param).presets["debug"], resolution=32)
    return replace(run, folder=tmp_path / "encoder", recipe=request.param, config=config)


def fresh_task(run: Run, materials: Materials) -> EncoderTask:
    recipe = build_encoder(run, materials)  # type: ignore[arg-type]
    feed = CaptionFeed(
        materials.images,
        training_texts(materials.dataset, run.config.text_augmentation, lambda text: True),
        materials.labels,
        materials.train,
        run.config.batch_size,
        run.seed,
    )
    return EncoderTask(recipe, encoder_state(recipe), feed, materials.held_out, CPU)


def fit_until(num_steps: int, run: Run, materials: Materials) -> dict[str, Any]:
    """The state after so many steps, gone on from the newest checkpoint of the run."""
    task = fresh_task(run, materials)
    if (checkpoint := load_newest(run.checkpoints)) is not None:
        task.state.load_state_dict(checkpoint)
    with Monitor(run.folder, quiet_console()) as monitor:
        fit(task, Budget(num_steps=num_steps), Schedule(), monitor, run.folder)
    return task.state.state_dict()


def test_stop_in_an_epoch_and_resume_is_as_if_unbroken(
    encoder_run: Run, materials: Materials, tmp_path: Path
) -> None:
    length = steps_of_epoch(len(materials.train), encoder_run.config.batch_size)
    unbroken = fit_until(length + 2, replace(encoder_run, folder=tmp_path / "unbroken"), materials)
    for num_steps in (2, length + 1, length + 2):
        resumed = fit_until(num_steps, encoder_run, materials)
    # Every stop measures too, and the best of more measurements may be better.
    assert set(differing(unbroken, resumed)) <= {"/best_score"}
    assert {"encoder", "encoder_optimizer", "step"} < unbroken.keys()


def test_it_learns_and_keeps_the_best(encoder_run: Run, materials: Materials) -> None:
    before = {
        name: x.clone() for name, x in fresh_task(encoder_run, materials).recipe.networks.state_dict().items()
    }
    after = fit_until(3, encoder_run, materials)["encoder"]
    assert any(not torch.equal(after[name], value) for name, value in before.items())
    best = load_newest(encoder_run.checkpoints, "best")
    assert best is not None and 0 <= best["measurement"]["caption_retrieval"] <= 1


def test_measure_is_the_share_of_captions_found(encoder_run: Run, materials: Materials) -> None:
    task = fresh_task(encoder_run, materials)
    place = {materials.dataset.records[i].captions[0]: i for i in materials.held_out}
    pixels = {materials.images[i].tobytes(): i for i in materials.held_out}

    def perfect(images: Tensor, captions: list[str]) -> tuple[Tensor, Tensor]:
        shown = ((images + 1) * 127.5).round().to(torch.uint8).permute(0, 2, 3, 1).numpy()
        owners = torch.tensor([pixels[np.ascontiguousarray(image).tobytes()] for image in shown])
        asked = torch.tensor([place[caption] for caption in captions])
        return tuple(F.one_hot(x, len(materials.images)).float() for x in (owners, asked))  # type: ignore

    task.recipe.codes = perfect  # type: ignore[method-assign]
    finding = task.measure()
    assert (finding.score, finding.figures["caption_retrieval"]) == (0, 1)
    assert finding.line == "right caption of 100 found 100.0%"


def test_mirrored_pictures_come_with_mirrored_captions(materials: Materials) -> None:
    captions = [("a bird facing left",), ("a bird facing right",)] * 12
    texts = TrainingTexts([(written, (), ()) for written in captions], PLAIN, lambda text: True)
    feed = CaptionFeed(materials.images, texts, materials.labels, materials.train, 8, seed=3)
    batch = feed.batch(1, CPU)
    originals = {materials.images[i].tobytes(): captions[i][0] for i in materials.train}
    mirrors = {
        np.ascontiguousarray(materials.images[i][:, ::-1]).tobytes(): captions[i][0] for i in materials.train
    }
    shown = ((batch.images + 1) * 127.5).round().to(torch.uint8).permute(0, 2, 3, 1).numpy()
    kinds = set()
    for image, caption in zip(shown, batch.captions, strict=True):
        pixels = np.ascontiguousarray(image).tobytes()
        kinds.add(pixels in originals)
        assert (originals[pixels] == caption) if pixels in originals else (mirrors[pixels] != caption)
    assert kinds == {True, False}
