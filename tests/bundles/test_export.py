"""From a trained run to a bundle that engine, server and page read."""

import io
import json
import os
import shutil
import signal
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from creativeai import cli
from creativeai.bundles import Bundle, export, read_bundle
from creativeai.bundles.export import ExportOptions, export_run
from creativeai.bundles.onnx_export import ExportedGenerator
from creativeai.engine import Engine, PictureRequest
from creativeai.engine.pictures import noise_of
from creativeai.errors import BundleError, TrainingError
from creativeai.models.conditioning import sentence_tensors
from creativeai.models.pixels import tensor_to_pixels
from creativeai.text import load_text_encoder
from creativeai.training.checkpoints import load_newest, save_checkpoint
from creativeai.training.materials import build_recipe, load_materials
from creativeai.training.run import Run, open_run
from creativeai.training.settings import apply_settings
from tiny_training import measuring_small, quiet_console

EXAMPLES = ("a small red bird with black wings", "a blue bird")


@pytest.fixture(scope="module")
def run(trained: Path, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A copy of the trained run with a best checkpoint of other weights than the newest."""
    folder = Path(shutil.copytree(trained, tmp_path_factory.mktemp("runs") / "copy"))
    checkpoint = load_newest(folder / "checkpoints")
    assert checkpoint is not None
    for value in checkpoint["ema"].values():
        value *= 1.05
    save_checkpoint(folder / "checkpoints", checkpoint | {"step": 1, "images_seen": 4}, best=True)
    return open_run(folder)


@pytest.fixture(scope="module")
def exported(run: Run, tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    """What `creativeai export` makes of it."""
    out = tmp_path_factory.mktemp("bundles") / "toys"
    arguments = ["creativeai", "export", str(run.folder), "-o", str(out), "--title", "Toy birds"]
    arguments += ["--description", "Drawn birds.", "--truncation", "0.7"]
    arguments += [part for example in EXAMPLES for part in ("--example", example)]
    with (
        pytest.MonkeyPatch.context() as patch,
        measuring_small(),
        pytest.raises(SystemExit, match="0"),
    ):
        patch.setattr(sys, "argv", arguments)
        patch.setattr(sys, "stdout", stdout := io.StringIO())
        cli.main()
    assert stdout.getvalue() == f"{out}\n"
    return read_bundle(out)


@pytest.fixture
def unmeasured(exported: Bundle, monkeypatch: pytest.MonkeyPatch) -> None:
    """Exports neither measure nor trace a graph, which takes most of their time."""

    class Judge:
        num_generated = 0
        measure = staticmethod(lambda *_: exported_measurement(exported))
        split_half_distance = real_text_match = staticmethod(lambda: 0.5)

    graph = ExportedGenerator(exported.file("generator.onnx").read_bytes(), (32,), ())
    monkeypatch.setattr(export, "build_judge", lambda *_: Judge)
    monkeypatch.setattr(export, "generator_to_onnx", lambda *_: graph)


def exported_measurement(bundle: Bundle) -> Any:
    from creativeai.evaluation.judge import Measurement

    names = Measurement.__dataclass_fields__
    return Measurement(**{name: bundle.manifest.metrics[name] for name in names})


def export_to(run: Run, out: Path, **changes: Any) -> Bundle:
    return export_run(run, out, replace(ExportOptions(name="toys"), **changes), quiet_console())


def test_bundle_says_what_it_is(exported: Bundle, run: Run, toybirds: Path) -> None:
    manifest = exported.manifest
    assert (manifest.name, manifest.title, manifest.description) == ("toys", "Toy birds", "Drawn birds.")
    assert (manifest.recipe, manifest.preset) == ("projected_gan", "debug")
    assert (manifest.noise_dim, manifest.resolution) == (run.config.noise_dim, 32)
    assert (manifest.examples, manifest.default_truncation) == (EXAMPLES, 0.7)
    dataset = json.loads((toybirds / "dataset.json").read_text())
    assert manifest.dataset.digest == dataset["digest"]
    assert (manifest.dataset.num_train, manifest.dataset.num_val) == (23, 0)
    assert (manifest.training.steps, manifest.training.images_seen) == (1, 4)
    assert manifest.training.hyperparameters["learning"]["batch_size"] == run.config.learning.batch_size
    assert manifest.text_encoder.digest == load_text_encoder("minilm").digest
    assert set(manifest.files) == {"generator.onnx", "MODEL_CARD.md", "samples.webp"}


def torch_pixels(run: Run, ema: dict[str, Any], request: PictureRequest) -> np.ndarray:
    recipe = build_recipe(run, load_materials(run, quiet_console()), quiet_console())
    recipe.generator.load_state_dict(ema)
    sentence = torch.from_numpy(load_text_encoder("minilm").encode([request.text]).sentence)
    noise = torch.from_numpy(noise_of(request.seed, run.config.noise_dim, request.truncation))
    with torch.no_grad():
        [images] = recipe.generator.eval()(noise, sentence_tensors(sentence)).images
    return tensor_to_pixels(images)[0]


def test_engine_draws_what_the_best_averaged_generator_does(exported: Bundle, run: Run) -> None:
    request = PictureRequest("a red bird on a branch", seed=5, truncation=0.8)
    [picture] = Engine(exported).generate([request])
    best, newest = load_newest(run.checkpoints, "best"), load_newest(run.checkpoints)
    assert best is not None and newest is not None
    difference = picture.pixels.astype(int) - torch_pixels(run, best["ema"], request)
    assert np.abs(difference).max() <= 2
    other = picture.pixels.astype(int) - torch_pixels(run, newest["ema"], request)
    assert np.abs(other).max() > 5


def test_card_and_manifest_have_the_measured_figures(exported: Bundle) -> None:
    metrics, card = exported.manifest.metrics, exported.file("MODEL_CARD.md").read_text()
    assert (metrics["num_generated"], metrics["num_real"]) == (69, 23)
    for name, form in {
        "fd_lite0": "{:.1f}",
        "fd_lite0_split_half": "{:.1f}",
        "text_match": "{:.1%}",
        "text_match_of_photos": "{:.1%}",
        "diversity": "{:.2f}",
        "seed_diversity": "{:.2f}",
    }.items():
        assert np.isfinite(metrics[name])
        assert f"| {form.format(metrics[name])} |" in card
    # Only two pictures are held out: the card must not call the training pictures that.
    assert metrics["measured_on"] == "training"
    assert "On 66 pictures of training captions against 22 training photos" in card
    for part in (
        "# Toy birds",
        "Drawn birds.",
        *EXAMPLES,
        "22 pictures to train on, 2 held out",
        "licence: CC0",
    ):
        assert part in card
    assert exported.manifest.dataset.digest in card
    assert "| learning.generator_lr | 0.0002 |" in card


def test_samples_are_a_row_of_each_example(exported: Bundle) -> None:
    with Image.open(exported.file("samples.webp")) as samples:
        assert samples.size == (6 * 32, len(EXAMPLES) * 32)


@pytest.mark.usefixtures("unmeasured")
def test_newest_can_be_exported_with_words_of_its_own(run: Run, tmp_path: Path) -> None:
    bundle = export_to(run, tmp_path / "bundle", use_newest=True)
    assert bundle.manifest.training.steps == 2
    assert bundle.manifest.title == "Text-conditional Projected GAN on Toy birds, drawn by the program"
    records = load_materials(run, quiet_console()).dataset.records
    assert len(bundle.manifest.examples) == 6
    assert set(bundle.manifest.examples) <= {record.captions[0] for record in records}


@pytest.mark.usefixtures("unmeasured")
def test_settings_are_those_the_weights_were_trained_with(run: Run, tmp_path: Path) -> None:
    changed = replace(run, config=apply_settings(run.config, ["learning.generator_lr=0.5"]))
    bundle = export_to(changed, tmp_path / "bundle")
    assert bundle.manifest.training.hyperparameters["learning"]["generator_lr"] == 0.0002


def test_existing_folder_is_refused_and_kept(run: Run, tmp_path: Path) -> None:
    (tmp_path / "toys").mkdir()
    (tmp_path / "toys" / "precious").write_text("mine")
    with pytest.raises(BundleError, match="toys exists already: remove it or choose another folder"):
        export_to(run, tmp_path / "toys")
    assert os.listdir(tmp_path / "toys") == ["precious"]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"name": "My Birds"}, "name is 'My Birds': it must be lower-case letters"),
        ({"title": "two\nlines"}, "title must be one line of 1 to 200 characters"),
        ({"examples": ("",)}, r"examples\[0\] must be one line of 1 to 200 characters"),
    ],
)
def test_wrong_words_are_refused_before_anything_is_measured(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, changes: dict[str, Any], message: str
) -> None:
    def measured_too_early(*_: object) -> None:
        raise AssertionError("measured first")

    monkeypatch.setattr(export, "build_judge", measured_too_early)
    with pytest.raises(BundleError, match=message) as error:
        export_to(run, tmp_path / "toys", **changes)
    assert "\n" not in str(error.value)
    assert os.listdir(tmp_path) == []


def test_run_without_a_checkpoint_is_refused(run: Run, tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="has no checkpoint yet: let it train for some minutes first"):
        export_to(replace(run, folder=tmp_path), tmp_path / "toys")


def test_damaged_checkpoint_is_refused(run: Run, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(run.folder, tmp_path / "copy"))
    (folder / "checkpoints" / "best_00000001.pt").write_bytes(b"")
    with pytest.raises(TrainingError, match=r"best_00000001\.pt is damaged"):
        export_to(replace(run, folder=folder), tmp_path / "toys")


def test_changed_dataset_is_refused(run: Run, tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="toybirds has changed since"):
        export_to(replace(run, dataset_digest="0" * 64), tmp_path / "toys")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["{tmp}", "-o", "{tmp}/bundle"], "{tmp} is no training run: it has no run.json"),
        (["{run}", "-o", "{tmp}"], "{tmp} exists already: remove it or choose another folder"),
        (["{run}", "-o", "{tmp}/b", "--name", "A b"], "the bundle's manifest is not right: name is 'A b'"),
    ],
)
def test_command_prints_one_line(
    run: Run,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    message: str,
) -> None:
    names = {"tmp": tmp_path, "run": run.folder}
    command = ["creativeai", "export", *(argument.format(**names) for argument in arguments)]
    monkeypatch.setattr(sys, "argv", command)
    with pytest.raises(SystemExit) as stop:
        cli.main()
    assert stop.value.code == 2
    stdout, stderr = capsys.readouterr()
    assert stdout == ""
    assert stderr.splitlines()[-1].startswith(f"creativeai: {message.format(**names)}")
    assert "Traceback" not in stderr


@pytest.mark.usefixtures("unmeasured")
@pytest.mark.skipif(not hasattr(os, "fork"), reason="kills a forked process")
@pytest.mark.parametrize("number", [1, 3, 5])
def test_kill_9_in_the_middle_leaves_no_bundle(run: Run, tmp_path: Path, number: int) -> None:
    """A child is killed in its n-th sync to disk; what it leaves behind is in nobody's way."""
    out = tmp_path / "bundle"
    child = os.fork()
    if child == 0:
        calls = 0

        def fsync(descriptor: int) -> None:
            nonlocal calls
            calls += 1
            if calls == number:
                os.kill(os.getpid(), signal.SIGKILL)

        os.fsync = fsync
        try:
            export_to(run, out)
        finally:
            os._exit(0)
    assert os.WIFSIGNALED(os.waitpid(child, 0)[1])
    assert not out.exists()
    with pytest.raises(BundleError):
        read_bundle(out)
    assert export_to(run, out).manifest.name == "toys"
