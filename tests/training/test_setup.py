import json
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from creativeai.data import prepare
from creativeai.errors import DataError, TrainingError
from creativeai.training.budget import Budget
from creativeai.training.checkpoints import load_newest
from creativeai.training.command import run_training
from creativeai.training.fit import Schedule
from creativeai.training.materials import Materials, build_recipe, load_materials
from creativeai.training.run import Run, open_run
from creativeai.training.setup import resume_run, start_run
from creativeai.training.state import Trained
from creativeai.training.tasks import feed_of
from tiny_training import differing, fresh_task, options, quiet_console


@pytest.fixture
def run_copy(trained: Path, tmp_path: Path) -> Path:
    """The trained run, to go on with."""
    return Path(shutil.copytree(trained, tmp_path / "copy"))


@pytest.fixture
def unmeasured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("creativeai.training.tasks.build_judge", lambda *_: None)


def resume(folder: Path, *settings: str, **bounds: float) -> str:
    """Go on with a run; what was printed."""
    console = quiet_console()
    resume_run(
        open_run(folder),
        settings=settings,
        budget=Budget(**bounds),
        schedule=Schedule(),
        console=console,
        use_compile=False,
    )
    return console.file.getvalue()  # type: ignore[attr-defined]


def newest(folder: Path) -> dict[str, Any]:
    checkpoint = load_newest(folder / "checkpoints")
    assert checkpoint is not None
    return checkpoint


def content_of(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and path.name != ".lock"
    }


def test_trained_run_has_all_its_parts(trained: Path) -> None:
    names = {path.name for path in trained.iterdir()}
    assert {
        "run.json",
        "checkpoints",
        "samples",
        "tensorboard",
        "metrics.jsonl",
        "guide.safetensors",
    } <= names
    assert newest(trained)["step"] == 2
    [measured] = [json.loads(line) for line in (trained / "metrics.jsonl").read_text().splitlines()]
    assert measured["step"] == 2 and measured["num_seen"] == 8
    assert np.isfinite([measured["fd_lite2"], measured["diversity"], measured["text_match"]]).all()


@pytest.mark.usefixtures("unmeasured")
def test_resume_goes_on_to_a_new_bound(run_copy: Path) -> None:
    said = resume(run_copy, num_steps=3)
    assert "from step 2" in said
    assert newest(run_copy)["step"] == 3
    assert open_run(run_copy).budget == Budget(num_steps=3)


@pytest.mark.usefixtures("unmeasured")
def test_resume_counts_minutes_from_here_on(run_copy: Path) -> None:
    spent = newest(run_copy)["seconds"]
    resume(run_copy, minutes=0.001)
    assert newest(run_copy)["step"] > 2
    run = open_run(run_copy)
    assert run.budget.minutes == pytest.approx(0.001 + spent / 60) and run.budget.num_steps is None


def test_run_that_did_all_it_was_asked_for_wants_a_new_bound(run_copy: Path) -> None:
    before = content_of(run_copy)
    with pytest.raises(TrainingError, match="has done the 2 steps it was asked for: give --steps, --min"):
        resume(run_copy)
    with pytest.raises(TrainingError, match="has done the 2 steps"):
        resume(run_copy, num_steps=1)
    assert content_of(run_copy) == before


@pytest.mark.usefixtures("unmeasured")
def test_changed_settings_are_kept(run_copy: Path) -> None:
    resume(run_copy, "learning.generator_lr=1e-5", "matching_weight=0", num_steps=3)
    assert open_run(run_copy).config.learning.generator_lr == 1e-5
    assert newest(run_copy)["generator_optimizer"]["param_groups"][0]["lr"] == 1e-5
    assert newest(run_copy)["config"]["learning"]["generator_lr"] == 1e-5


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("channels=(16, 16, 8)", "the checkpoint doesn't fit the configuration"),
        ("learning.batch_size=1", "this configuration can't be"),
        ("colour=red", "no field 'colour'"),
    ],
)
def test_settings_that_do_not_fit_change_nothing(run_copy: Path, setting: str, message: str) -> None:
    before = content_of(run_copy)
    with pytest.raises(TrainingError, match=message):
        resume(run_copy, setting, num_steps=3)
    assert content_of(run_copy) == before


def test_changed_dataset_is_refused(run_copy: Path, toybirds: Path, tmp_path: Path) -> None:
    other = prepare("toybirds", tmp_path / "other", num_pictures=24, resolutions=(32,), seed=1).path
    run_file = run_copy / "run.json"
    run_file.write_text(run_file.read_text().replace(str(toybirds), str(other)))
    before = content_of(run_copy)
    with pytest.raises(TrainingError, match=r"other has changed since .*copy began: start a new run on it"):
        resume(run_copy, num_steps=3)
    assert content_of(run_copy) == before


def test_missing_dataset_is_refused(run_copy: Path, toybirds: Path) -> None:
    run_file = run_copy / "run.json"
    run_file.write_text(run_file.read_text().replace(str(toybirds), "/nowhere/birds"))
    with pytest.raises(DataError, match="/nowhere/birds: no such folder"):
        resume(run_copy, num_steps=3)


def test_damaged_matcher_is_one_line(run_copy: Path) -> None:
    (run_copy / "guide.safetensors").write_bytes(b"PK\x03\x04")
    with pytest.raises(
        TrainingError, match=r"guide\.safetensors is damaged: delete it, and it is trained again"
    ):
        resume(run_copy, num_steps=3)


@pytest.mark.usefixtures("unmeasured")
def test_damaged_newest_checkpoint_falls_back(run_copy: Path) -> None:
    resume(run_copy, num_steps=3)
    (run_copy / "checkpoints" / "step_00000003.pt").write_bytes(b"")
    with pytest.warns(UserWarning, match=r"step_00000003\.pt is damaged"):
        assert "from step 2" in resume(run_copy, num_steps=4)
    assert newest(run_copy)["step"] == 4


def test_first_weights_follow_from_the_seed_however_the_guide_comes(
    run: Run, materials: Materials, trained: Path
) -> None:
    with_guide = fresh_task(run, materials).state.state_dict()
    guide = run.folder / "guide.safetensors"
    trained_before = guide.read_bytes()
    guide.unlink()
    assert not differing(with_guide, fresh_task(run, materials).state.state_dict())
    assert guide.read_bytes() == trained_before
    assert differing(with_guide, fresh_task(replace(run, seed=1), materials).state.state_dict())


def test_text_inputs_are_standardised_by_the_texts_shown_first(run: Run, materials: Materials) -> None:
    recipe = build_recipe(run, materials, quiet_console())
    feed = feed_of(run, materials, 8)
    batches = [feed.batch(step, torch.device("cpu")) for step in range(2000 // feed.batch_size)]
    sentences = torch.cat([batch.text.sentence for batch in batches])
    for network in (recipe.generator, recipe.discriminator):
        standard = network.text(sentences)  # type: ignore[operator]
        assert standard.mean(0).abs().max() < 1e-3
        assert standard.square().mean().item() == pytest.approx(1, rel=1e-3)


@pytest.mark.usefixtures("unmeasured")
def test_start_from_takes_over_what_fits(trained: Path, toybirds: Path, tmp_path: Path) -> None:
    run_training(
        options(
            data=toybirds,
            out=tmp_path / "same",
            num_steps=1,
            start_from=trained,
            settings=["learning.generator_lr=1e-30"],
        )
    )
    source, taken = newest(trained)["ema"], newest(tmp_path / "same")["generator"]
    assert all(torch.allclose(taken[name], value, atol=1e-6) for name, value in source.items())
    assert open_run(tmp_path / "same").start_from == trained
    source, same = newest(trained), newest(tmp_path / "same")
    assert same["earlier"] == {
        "steps": source["step"],
        "images_seen": source["images_seen"],
        "seconds": source["seconds"],
        "cpu_seconds": source["cpu_seconds"],
    }
    assert Trained.of(same).steps == source["step"] + 1
    source = source["ema"]

    wider = ["channels=(32, 16, 12)", "learning.generator_lr=1e-30"]
    run_training(
        options(data=toybirds, out=tmp_path / "wider", num_steps=1, start_from=trained, settings=wider)
    )
    taken = newest(tmp_path / "wider")["generator"]
    fitting = [name for name, value in source.items() if taken[name].shape == value.shape]
    assert "mapping.0.weight" in fitting and 0 < len(fitting) < len(source)
    assert all(torch.allclose(taken[name], source[name], atol=1e-6) for name in fitting)


def test_start_from_survives_a_kill_before_the_first_checkpoint(
    run: Run, materials: Materials, trained: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("creativeai.training.tasks.build_judge", interrupt)
    run = replace(run, start_from=trained, folder=run.folder / "new")
    with pytest.raises(KeyboardInterrupt):
        start_run(run, schedule=Schedule(), console=quiet_console(), use_compile=False)
    monkeypatch.setattr("creativeai.training.tasks.build_judge", lambda *_: None)
    assert f"starting from {trained}" in resume(run.folder, num_steps=1)


def interrupt(*_: object) -> None:
    raise KeyboardInterrupt


@pytest.fixture
def new_folder(tmp_path: Path) -> Iterator[Path]:
    """Where no run must have been begun after the test."""
    yield tmp_path / "new"
    assert not (tmp_path / "new").exists()


def start(run: Run, folder: Path, **changes: Any) -> None:
    run = replace(run, folder=folder, **changes)
    start_run(run, schedule=Schedule(), console=quiet_console(), use_compile=False)


def test_start_from_what_has_no_checkpoint_begins_nothing(run: Run, new_folder: Path, tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="empty has no checkpoint yet"):
        start(run, new_folder, start_from=tmp_path / "empty")


def test_too_few_pictures_begin_nothing(run: Run, new_folder: Path, tmp_path: Path) -> None:
    few = prepare("toybirds", tmp_path / "few", num_pictures=3, resolutions=(32,))
    with pytest.raises(TrainingError, match="few has 3 pictures to train on: at least 4 are needed"):
        start(run, new_folder, dataset=few.path, dataset_digest=few.info.digest)


def test_missing_resolution_begins_nothing(run: Run, new_folder: Path) -> None:
    config = replace(run.config, resolution=64, channels=(8, 8, 8, 8), num_blocks=(1, 1, 1, 1))
    with pytest.raises(DataError, match=r"no pictures at 64 x 64 \(it has 32\): prepare it again with"):
        start(run, new_folder, config=config)


def test_few_held_out_pictures_are_said_to_flatter(run: Run) -> None:
    console = quiet_console()
    materials = load_materials(run, console)
    num_held_out = len(materials.dataset.indices("validation"))
    assert num_held_out < 16
    assert f"only {num_held_out} pictures are held out" in console.file.getvalue()  # type: ignore[attr-defined]
    np.testing.assert_array_equal(materials.held_out, materials.train)


def test_pictures_whose_captions_no_encoder_can_read_are_left_out(
    run: Run, toybirds: Path, tmp_path: Path
) -> None:
    dataset = Path(shutil.copytree(toybirds, tmp_path / "birds", ignore=shutil.ignore_patterns("text-*")))
    lines = [json.loads(line) for line in (dataset / "captions.jsonl").read_text().splitlines()]
    silent = next(i for i, line in enumerate(lines) if line["split"] == "train")
    lines[silent] |= {"captions": ["红色的小鸟"], "short_captions": [], "name_captions": []}
    (dataset / "captions.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    console = quiet_console()
    materials = load_materials(replace(run, dataset=dataset), console)
    assert silent not in materials.train
    assert len(materials.train) == sum(line["split"] == "train" for line in lines) - 1
    told = console.file.getvalue().splitlines()[-1]  # type: ignore[attr-defined]
    assert "minilm can read no word of 1 of" in told and "'红色的小鸟' of" in told
