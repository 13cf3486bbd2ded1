"""From a command to a training under way: a run's state, its sample sheet and budget, and then the loop."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from rich.console import Console

from creativeai.errors import TrainingError
from creativeai.models.conditioning import sentence_tensors
from creativeai.models.pixels import pixels_to_tensor
from creativeai.training.checkpoints import list_checkpoints, load_checkpoint, load_newest
from creativeai.training.feed import Feed
from creativeai.training.fit import Budget, SampleSheet, Schedule, TrainingState, fit
from creativeai.training.materials import Materials, build_judge, build_recipe, load_materials, say
from creativeai.training.monitor import Monitor
from creativeai.training.precision import Precision, choose_precision
from creativeai.training.run import Run, create_run, refuse_existing, sole_trainer, write_run
from creativeai.training.settings import apply_settings

__all__ = ["resume_run", "start_run"]

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
        _first_weights(run.start_from)
    precision = choose_precision(use_compile)
    materials = load_materials(run, console, precision.device)
    create_run(run)
    with sole_trainer(run):
        state = _load_state(run, materials, precision, console)
        _train(run, state, materials, schedule, precision, console)


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
        state = _load_state(changed, materials, precision, console)
        if num_steps is not None or minutes is not None:
            until = None if minutes is None else minutes + state.seconds / 60
            changed = replace(changed, num_steps=num_steps, minutes=until)
        if _budget(changed, state).is_spent(state.step, 0):
            raise TrainingError(
                f"{run.folder} has done the {state.step} steps it was asked for: give --steps or --minutes"
            )
        if changed != run:
            write_run(changed)
        _train(changed, state, materials, schedule, precision, console)


def _load_state(run: Run, materials: Materials, precision: Precision, console: Console) -> TrainingState:
    """The run's state: from its newest whole checkpoint, from the run it starts from, or fresh."""
    recipe = build_recipe(run, materials, console)
    state = TrainingState.start(recipe, run.config.ema_half_life, precision)
    checkpoint = load_newest(run.checkpoints)
    if checkpoint is not None:
        state.load_state_dict(checkpoint)
    elif run.start_from is not None:
        _start_from(state, run.start_from, console)
    return state


def _train(
    run: Run,
    state: TrainingState,
    materials: Materials,
    schedule: Schedule,
    precision: Precision,
    console: Console,
) -> None:
    judge = build_judge(run, materials, console)
    feed = Feed(
        materials.images,
        materials.captions,
        materials.train,
        run.config.batch_size,
        run.config.noise_dim,
        run.seed,
    )
    sheet = _sample_sheet(run, materials)
    say(
        console,
        f"training {run.recipe} ({run.preset}) on {len(materials.train)} pictures of "
        f"{materials.dataset.name} from step {state.step}; "
        f"look with: tensorboard --logdir {run.folder.parent}",
    )
    with Monitor(run.folder, console) as monitor:
        fit(state, feed, judge, sheet, precision, _budget(run, state), schedule, monitor, run.folder)


def _budget(run: Run, state: TrainingState) -> Budget:
    return Budget(run.num_steps, None if run.minutes is None else run.minutes - state.seconds / 60)


def _first_weights(other: Path) -> Path:
    folder = other / "checkpoints"
    found = list_checkpoints(folder, "best") or list_checkpoints(folder)
    if not found:
        raise TrainingError(f"{other} has no checkpoint to start from")
    return found[-1]


def _start_from(state: TrainingState, other: Path, console: Console) -> None:
    """Take over the generator and discriminator of another run where names and shapes agree."""
    file = _first_weights(other)
    source = load_checkpoint(file)
    taken = skipped = 0
    for network, name in ((state.recipe.generator, "ema"), (state.recipe.discriminator, "discriminator")):
        own = network.state_dict()
        fitting = {k: v for k, v in source[name].items() if k in own and own[k].shape == v.shape}
        network.load_state_dict({**own, **fitting})
        taken, skipped = taken + len(fitting), skipped + len(own) - len(fitting)
    state.ema.network.load_state_dict(state.recipe.generator.state_dict())
    say(console, f"starting from {file}: {taken} tensors taken over, {skipped} new")


def _sample_sheet(run: Run, materials: Materials) -> SampleSheet:
    pictures = np.random.default_rng(run.seed).permutation(materials.held_out)[:_SHEET_ROWS]
    sentences = torch.from_numpy(materials.captions.of(pictures)).repeat_interleave(_SHEET_COLUMNS, 0)
    random = torch.Generator().manual_seed(run.seed)
    return SampleSheet(
        noise=torch.randn(len(sentences), run.config.noise_dim, generator=random),
        text=sentence_tensors(sentences),
        photos=pixels_to_tensor(materials.images[pictures]),
        captions=[materials.dataset.records[i].captions[0] for i in pictures],
    )
