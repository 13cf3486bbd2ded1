"""What `creativeai train` does with its options. Imports torch only after the process's manners are set."""

import ctypes
import os
import signal
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from creativeai.errors import TrainingError, UserError

if TYPE_CHECKING:
    from creativeai.training.budget import Budget
    from creativeai.training.run import Run

__all__ = ["TrainCommand", "keep_freed_memory", "run_training", "set_process_policy"]

_M_TRIM_THRESHOLD, _M_MMAP_MAX = -1, -4
"""Parameters of glibc's mallopt, from its malloc.h."""


@dataclass(frozen=True, kw_only=True)
class TrainCommand:
    """The options as given."""

    recipe: str | None
    data: Path | None
    preset: str
    num_steps: int | None
    minutes: float | None
    cpu_minutes: float | None
    settings: tuple[str, ...]
    resume: Path | None
    out: Path | None
    start_from: Path | None
    text_encoder: str
    """Name of a shipped text encoder, or the folder of one's own."""
    first_stage: Path | None
    seed: int
    sample_steps: int
    measure_minutes: float
    use_compile: bool | None


def set_process_policy() -> None:
    """Let waiting threads sleep, for spinning ones slow every other busy process 20 to 50 times; keep memory.

    Raises:
        UserError: torch is not installed.
    """
    keep_freed_memory()
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    try:
        import torch  # noqa: F401
    except ImportError as error:
        raise UserError("this needs PyTorch: pip install 'creativeai[train]'") from error


def keep_freed_memory() -> None:
    """Keep freed memory in the process, where the C library is glibc.

    By default glibc hands large blocks back to the system, which has to clear every page of the next one.
    """
    if sys.platform != "linux":
        return
    libc = ctypes.CDLL(None)
    if hasattr(libc, "gnu_get_libc_version"):
        libc.mallopt(_M_MMAP_MAX, 0)  # no block outside the heap
        libc.mallopt(_M_TRIM_THRESHOLD, -1)  # and the heap is never trimmed


def run_training(command: TrainCommand) -> None:
    """Start or resume a run and train it to its end, or to Ctrl-C.

    Raises:
        UserError: An option is missing or wrong, or the training can't go on.
    """
    set_process_policy()
    from creativeai.training.processes import joined

    with joined():
        _train_together(command)


def _train_together(command: TrainCommand) -> None:
    from rich.console import Console

    from creativeai.training.budget import Budget
    from creativeai.training.fit import Schedule
    from creativeai.training.materials import say
    from creativeai.training.processes import is_first
    from creativeai.training.setup import resume_run, start_run

    console = Console(stderr=True, quiet=not is_first())
    budget = Budget(command.num_steps, command.minutes, command.cpu_minutes)
    schedule = Schedule(sample_steps=command.sample_steps, measure_minutes=command.measure_minutes)
    run = _common_run(command, budget)
    # A run in the background is stopped by SIGTERM, and shells start it with SIGINT ignored.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)
    try:
        if command.resume is not None:
            resume_run(
                run,
                settings=command.settings,
                budget=budget,
                schedule=schedule,
                console=console,
                use_compile=command.use_compile,
            )
        else:
            start_run(
                run,
                schedule=schedule,
                console=console,
                use_compile=command.use_compile,
            )
    except KeyboardInterrupt:
        if is_first() and (run.folder / "run.json").exists():
            say(console, f"stopped, everything is saved: creativeai train --resume {run.folder}")
        sys.exit(130)
    except OSError as error:
        raise TrainingError(f"can't go on with {run.folder}: {error}") from error
    if is_first():
        print(run.folder)


def _common_run(command: TrainCommand, budget: "Budget") -> "Run":
    """What all train: as the first process finds it, on whose machine alone the run's folder must be."""
    from creativeai.training.processes import failing_together, is_first, share
    from creativeai.training.run import run_as_text, run_from_text

    with failing_together():
        run = _asked_for(command, budget) if is_first() else None
    folder = Path(os.fsdecode(share(b"" if run is None else bytes(run.folder))))
    text = share(b"" if run is None else run_as_text(run).encode())
    return run_from_text(text.decode(), folder) if run is None else run


def _asked_for(command: TrainCommand, budget: "Budget") -> "Run":
    from creativeai.training.run import open_run

    if command.resume is None:
        return _new_run(command, budget)
    if command.recipe or command.data or command.out or command.start_from or command.first_stage:
        raise TrainingError(
            "--resume goes on with a run as it is: leave out recipe, --data, --out, --start-from, "
            "--first-stage"
        )
    return open_run(command.resume)


def _new_run(command: TrainCommand, budget: "Budget") -> "Run":
    from creativeai.data import CaptionedImages
    from creativeai.recipes.contract import RecipeEntry
    from creativeai.recipes.registry import find_entry, find_preset, list_encoders, list_recipes
    from creativeai.text.encoder import SHIPPED_NAMES, encoder_name
    from creativeai.training.run import Run, default_folder
    from creativeai.training.settings import apply_settings

    if command.recipe is None:
        raise TrainingError(f"say what to train: one of {', '.join([*list_recipes(), *list_encoders()])}")
    recipe = find_entry(command.recipe)
    config = apply_settings(find_preset(recipe, command.preset), command.settings)
    if command.data is None:
        raise TrainingError("say what to train on: --data FOLDER, made by creativeai data prepare")
    dataset = CaptionedImages.open(command.data)
    builds_on = isinstance(recipe, RecipeEntry) and recipe.builds_on_first_stage
    if builds_on != (command.first_stage is not None):
        wants = "give the run it builds upon" if builds_on else "it builds upon none: leave out"
        raise TrainingError(f"{recipe.name}: {wants} --first-stage RUN")
    text_source = None if command.text_encoder in SHIPPED_NAMES else Path(command.text_encoder).resolve()
    return Run(
        folder=command.out or default_folder(recipe.name, dataset.name),
        recipe=recipe.name,
        preset=command.preset,
        config=config,
        dataset=command.data.resolve(),
        dataset_digest=dataset.meta.digest,
        text_encoder=command.text_encoder if text_source is None else encoder_name(text_source),
        seed=command.seed,
        budget=budget,
        created=time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        start_from=command.start_from and command.start_from.resolve(),
        text_source=text_source,
        first_stage_source=command.first_stage and command.first_stage.resolve(),
    )
