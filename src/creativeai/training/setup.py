"""From a command to a training under way: a run's state, its sample sheet and budget, and then the loop."""

import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from rich.console import Console

from creativeai.errors import TrainingError
from creativeai.models.conditioning import text_tensors
from creativeai.models.generator_output import noise_dim_of
from creativeai.models.pixels import pixels_to_tensor
from creativeai.training.checkpoints import chosen_checkpoint, load_checkpoint, load_newest
from creativeai.training.feed import Feed
from creativeai.training.fit import Budget, Schedule, fit
from creativeai.training.gan_task import GanTask, gan_state
from creativeai.training.materials import Materials, build_judge, build_recipe, load_materials, say
from creativeai.training.monitor import Monitor
from creativeai.training.precision import Precision, choose_precision
from creativeai.training.run import Run, create_run, refuse_existing, sole_trainer, write_run
from creativeai.training.sample_sheet import SampleSheet
from creativeai.training.settings import apply_settings
from creativeai.training.state import TrainingState

__all__ = ["feed_of", "resume_run", "sample_sheet", "start_run"]

_SHEET_ROWS, _SHEET_COLUMNS = 8, 8


def start_run(run: Run, *, schedule: Schedule, console: Console, use_compile: bool | None = None) -> None:
    """Create a run and train it.

    Args:
        run: What to train; its folder must not exist.
        schedule: How often to log, sample, save and measure.
        console: Where progress is shown.
        use_compile: Force `torch.compile` on or off.

    Raises:
        TrainingError: The folder exists, the run to start from has no checkpoint, or the training stopped on
            a loss that isn't finite.
        DataError: The dataset lacks the resolution, or pictures to train on.
    """
    refuse_existing(run.folder)
    if run.start_from is not None:
        chosen_checkpoint(run.start_from)
    precision = choose_precision(use_compile)
    materials = load_materials(run, console, precision.device)
    create_run(run)
    _keep_copies(run)
    with sole_trainer(run):
        task = _load_task(run, materials, precision, console)
        _train(run, task, materials, schedule, console)


def resume_run(
    run: Run,
    *,
    settings: Sequence[str],
    num_steps: int | None,
    minutes: float | None,
    schedule: Schedule,
    console: Console,
    use_compile: bool | None = None,
) -> None:
    """Go on with a run from its newest whole checkpoint.

    Args:
        run: The run, as `open_run` gave it.
        settings: Changes of the configuration from here on.
        num_steps: New bound of steps in all; with neither bound, what the run was asked for before.
        minutes: Minutes from here on.
        schedule: How often to log, sample, save and measure.
        console: Where progress is shown.
        use_compile: Force `torch.compile` on or off.

    Raises:
        TrainingError: The dataset has changed, the checkpoint doesn't fit, or there is nothing left to do.
        DataError: The dataset can't be read.
    """
    changed = replace(run, config=apply_settings(run.config, settings))
    precision = choose_precision(use_compile)
    materials = load_materials(changed, console, precision.device)
    with sole_trainer(run):
        task = _load_task(changed, materials, precision, console)
        state = task.state
        if num_steps is not None or minutes is not None:
            until = None if minutes is None else minutes + state.seconds / 60
            changed = replace(changed, num_steps=num_steps, minutes=until)
        if _budget(changed, state).is_spent(state.step, 0):
            raise TrainingError(
                f"{run.folder} has done the {state.step} steps it was asked for: give --steps or --minutes"
            )
        if changed != run:
            write_run(changed)
        _train(changed, task, materials, schedule, console)


def _keep_copies(run: Run) -> None:
    """Copy what the run builds upon into its folder: it must go on when the originals are gone.

    Raises:
        TrainingError: They can't be copied.
    """
    try:
        if run.text_source is not None:
            shutil.copytree(run.text_source, run.folder / "text")
        if run.first_stage_source is not None:
            copy = run.folder / "first_stage"
            checkpoint = chosen_checkpoint(run.first_stage_source)
            (copy / "checkpoints").mkdir(parents=True)
            for file in (checkpoint, checkpoint.with_suffix(".sha256")):
                shutil.copy(file, copy / "checkpoints")
            for name in ("text", "first_stage"):
                if (run.first_stage_source / name).is_dir():
                    shutil.copytree(run.first_stage_source / name, copy / name)
            shutil.copy(run.first_stage_source / "run.json", copy)
    except OSError as error:
        raise TrainingError(f"can't copy into {run.folder}: {error}") from error


def _load_task(run: Run, materials: Materials, precision: Precision, console: Console) -> GanTask:
    """The run's networks: from its newest whole checkpoint, from the run it starts from, or fresh."""
    recipe = build_recipe(run, materials, console)
    state = gan_state(recipe, run.config.ema_half_life, precision)
    checkpoint = load_newest(run.checkpoints)
    if checkpoint is not None:
        state.load_state_dict(checkpoint)
    elif run.start_from is not None:
        _start_from(state, run.start_from, console)
    noise_dim = noise_dim_of(recipe.generator)
    return GanTask(
        recipe,
        state,
        feed_of(run, materials, noise_dim),
        sample_sheet(run, materials, noise_dim),
        build_judge(run, materials, console),
        precision,
    )


def _train(run: Run, task: GanTask, materials: Materials, schedule: Schedule, console: Console) -> None:
    say(
        console,
        f"training {run.recipe} ({run.preset}) on {len(materials.train)} pictures of "
        f"{materials.dataset.name} from step {task.state.step}; "
        f"look with: tensorboard --logdir {run.folder.parent}",
    )
    with Monitor(run.folder, console) as monitor:
        fit(task, _budget(run, task.state), schedule, monitor, run.folder)


def _budget(run: Run, state: TrainingState) -> Budget:
    return Budget(run.num_steps, None if run.minutes is None else run.minutes - state.seconds / 60)


def _start_from(state: TrainingState, other: Path, console: Console) -> None:
    """Take over the networks of another run where names and shapes agree."""
    file = chosen_checkpoint(other)
    source = load_checkpoint(file)
    taken = skipped = 0
    for name, network in state.networks.items():
        saved = source.get("ema" if name == "generator" else name, {})
        own = network.state_dict()
        fitting = {k: v for k, v in saved.items() if k in own and own[k].shape == v.shape}
        network.load_state_dict({**own, **fitting})
        taken, skipped = taken + len(fitting), skipped + len(own) - len(fitting)
    if state.ema is not None:
        state.ema.network.load_state_dict(state.networks["generator"].state_dict())
    say(console, f"starting from {file}: {taken} tensors taken over, {skipped} new")


def feed_of(run: Run, materials: Materials, noise_dim: int) -> Feed:
    """The batches of a run."""
    return Feed(
        materials.images,
        materials.captions,
        materials.labels,
        materials.train,
        run.config.batch_size,
        noise_dim,
        run.seed,
    )


def sample_sheet(run: Run, materials: Materials, noise_dim: int) -> SampleSheet:
    """Eight held-out captions with eight noises each, fixed for the whole run."""
    pictures = np.random.default_rng(run.seed).permutation(materials.held_out)[:_SHEET_ROWS]
    text = text_tensors(materials.captions.features(materials.captions.rows(pictures)))
    random = torch.Generator().manual_seed(run.seed)
    return SampleSheet(
        noise=torch.randn(len(pictures) * _SHEET_COLUMNS, noise_dim, generator=random),
        text=text.repeated(_SHEET_COLUMNS),
        photos=pixels_to_tensor(materials.images[pictures]),
        captions=[materials.dataset.records[i].captions[0] for i in pictures],
    )
