"""From a command to a training under way: the run's folder, its task and budget, and then the loop."""

import shutil
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace

from rich.console import Console

from creativeai.errors import TrainingError
from creativeai.models.layers.across_processes import num_processes
from creativeai.training.budget import Budget
from creativeai.training.checkpoints import chosen_checkpoint
from creativeai.training.fit import Schedule, Task, fit
from creativeai.training.materials import say
from creativeai.training.monitor import Monitor
from creativeai.training.precision import Precision, choose_precision
from creativeai.training.processes import failing_together, is_first, on_all
from creativeai.training.run import Run, create_run, refuse_existing, sole_trainer, write_run
from creativeai.training.settings import apply_settings
from creativeai.training.tasks import prepare_task

__all__ = ["resume_run", "start_run"]


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
    with failing_together():
        if is_first():
            refuse_existing(run.folder)
            if run.start_from is not None:
                chosen_checkpoint(run.start_from)
    load_task = prepare_task(run, _common_precision(use_compile), console)
    with failing_together():
        if is_first():
            create_run(run)
            _keep_copies(run)
    with _sole_training(run):
        _train(run, load_task(), schedule, console)


def resume_run(
    run: Run,
    *,
    settings: Sequence[str],
    budget: Budget,
    schedule: Schedule,
    console: Console,
    use_compile: bool | None = None,
) -> None:
    """Go on with a run from its newest whole checkpoint.

    Args:
        run: The run, as `open_run` gave it.
        settings: Changes of the configuration from here on.
        budget: Steps in all, minutes from here on; without any bound, what the run was asked for before.
        schedule: How often to log, sample, save and measure.
        console: Where progress is shown.
        use_compile: Force `torch.compile` on or off.

    Raises:
        TrainingError: The dataset has changed, the checkpoint doesn't fit, or there is nothing left to do.
        DataError: The dataset can't be read.
    """
    with failing_together():
        changed = replace(run, config=apply_settings(run.config, settings))
    load_task = prepare_task(changed, _common_precision(use_compile), console)
    with _sole_training(run):
        task = load_task()
        state = task.state
        if budget != Budget():
            changed = replace(changed, budget=budget.from_here_on(state.effort()))
        with failing_together():
            if changed.budget.is_spent(state.effort()):
                raise TrainingError(
                    f"{run.folder} has done the {state.step} steps it was asked for: give --steps, --minutes "
                    "or --cpu-minutes"
                )
            if changed != run and is_first():
                write_run(changed)
        _train(changed, task, schedule, console)


def _common_precision(use_compile: bool | None) -> Precision:
    """This machine's fastest way, in the number format that all processes' machines are fast in."""
    precision = choose_precision(use_compile)
    return replace(precision, use_bfloat16=on_all(precision.use_bfloat16))


@contextmanager
def _sole_training(run: Run) -> Iterator[None]:
    """Keep others than the processes of this training from training the run.

    Raises:
        TrainingError: Somebody else is at it.
    """
    with ExitStack() as stack:
        with failing_together():
            if is_first():
                stack.enter_context(sole_trainer(run))
        yield


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


def _train(run: Run, task: Task, schedule: Schedule, console: Console) -> None:
    if not is_first():
        fit(task, run.budget, schedule, None, run.folder)
        return
    together = f" by {num_processes()} processes" if num_processes() > 1 else ""
    say(
        console,
        f"training {run.recipe} ({run.preset}) on {run.dataset}{together} from step {task.state.step}; "
        f"look with: tensorboard --logdir {run.folder.parent}",
    )
    with Monitor(run.folder, console) as monitor:
        fit(task, run.budget, schedule, monitor, run.folder)
