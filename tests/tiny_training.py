"""The shortest training there is: the `debug` preset for some steps on a few pictures, nothing compiled."""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import torch
from rich.console import Console
from torch import Tensor

from creativeai.models.generator_output import noise_dim_of
from creativeai.training.budget import Budget
from creativeai.training.command import TrainCommand
from creativeai.training.fit import Schedule, fit
from creativeai.training.gan_task import GanTask, gan_state
from creativeai.training.materials import Materials, build_recipe
from creativeai.training.monitor import Monitor
from creativeai.training.precision import Precision
from creativeai.training.run import Run
from creativeai.training.tasks import feed_of, sample_sheet
from patches import patch_judges

EXACT = Precision(
    torch.device("cpu"), use_bfloat16=False, use_compile=False, memory_format=torch.channels_last
)


def options(**changes: Any) -> TrainCommand:
    """What `creativeai train projected_gan --preset debug --no-compile` gives, with changes."""
    values: dict[str, Any] = {
        "recipe": "projected_gan",
        "data": None,
        "preset": "debug",
        "num_steps": None,
        "minutes": None,
        "cpu_minutes": None,
        "settings": (),
        "resume": None,
        "out": None,
        "start_from": None,
        "text_encoder": "minilm",
        "first_stage": None,
        "seed": 0,
        "sample_steps": 500,
        "measure_minutes": 15.0,
        "use_compile": False,
    }
    return TrainCommand(**values | changes)


@contextmanager
def measuring_small() -> Iterator[None]:
    """Judges see colours alone: no time, and figures that compare with nothing else."""
    with pytest.MonkeyPatch.context() as patch:
        for place in ("training.judging", "bundles.export", "evaluation.command"):
            patch.setattr(f"creativeai.{place}.load_judges", lambda *_, **__: (patch_judges(), []))
        yield


def quiet_console() -> Console:
    return Console(file=io.StringIO(), width=200)


def fresh_task(run: Run, materials: Materials, judge: Any = None) -> GanTask:
    """The run before its first step, unmeasured unless a judge is given."""
    recipe = build_recipe(run, materials, quiet_console())
    noise_dim = noise_dim_of(recipe.generator)
    return GanTask(
        recipe,
        gan_state(recipe, run.config.learning.ema_half_life, EXACT),
        feed_of(run, materials, noise_dim),
        sample_sheet(run, materials, noise_dim),
        judge,
        EXACT,
    )


def fit_until(
    num_steps: int,
    task: GanTask,
    run: Run,
    *,
    schedule: Schedule | None = None,
    console: Console | None = None,
) -> None:
    """Train up to a step in `run.folder`."""
    with Monitor(run.folder, console or quiet_console()) as monitor:
        fit(task, Budget(num_steps=num_steps), schedule or Schedule(), monitor, run.folder)


def differing(ours: Any, theirs: Any, path: str = "") -> list[str]:
    """Places where two nested states differ in a bit; the seconds spent don't count."""
    if isinstance(ours, Tensor):
        return [] if torch.equal(ours, theirs) else [path]
    if isinstance(ours, dict):
        assert ours.keys() == theirs.keys()
        return [
            place
            for key in ours
            if key not in ("seconds", "cpu_seconds")
            for place in differing(ours[key], theirs[key], f"{path}/{key}")
        ]
    if isinstance(ours, list | tuple):
        assert len(ours) == len(theirs)
        return [
            place
            for index, pair in enumerate(zip(ours, theirs, strict=True))
            for place in differing(*pair, f"{path}/{index}")
        ]
    return [] if ours == theirs else [path]
