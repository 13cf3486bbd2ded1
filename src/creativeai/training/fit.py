"""The one loop. It knows no paper and no kind of network: a task takes the steps, draws and measures."""

import math
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from creativeai.training.budget import Budget
from creativeai.training.checkpoints import save_checkpoint
from creativeai.training.interrupts import deferred_interrupt
from creativeai.training.monitor import Finding, Monitor
from creativeai.training.state import TrainingState

__all__ = ["Schedule", "Task", "fit"]


@dataclass(frozen=True, kw_only=True)
class Schedule:
    """How often the loop does what is not a step."""

    log_steps: int = 50
    """Steps between two lines of figures."""
    sample_steps: int = 500
    """Steps between two sample grids."""
    checkpoint_minutes: float = 3.0
    """Minutes between two checkpoints."""
    measure_minutes: float = 15.0
    """Minutes between two measurements on held-out captions."""


class Task(Protocol):
    """What is trained: how to take a step, what to look at, what to measure."""

    @property
    def state(self) -> TrainingState:
        """Everything that changes."""

    @property
    def batch_size(self) -> int:
        """Real pictures a step."""

    @property
    def captions(self) -> list[str]:
        """Captions of the samples, row by row."""

    def step(self) -> dict[str, float]:
        """Take one step and count it; the figures for the log.

        Raises:
            TrainingError: A loss or gradient is not finite. The networks have not moved by it.
        """

    def samples(self) -> dict[str, NDArray[np.uint8]]:
        """Pictures uint8 [H, W, 3] to look at, by name."""

    def measure(self) -> Finding | None:
        """How good it is on what was held out; None where nobody wants to know."""


def fit(task: Task, budget: Budget, schedule: Schedule, monitor: Monitor, folder: Path) -> None:
    """Train until the budget is spent or Ctrl-C, which waits for the end of a step; then everything is saved.

    The budget is for the whole run, what was trained before included.

    Raises:
        TrainingError: A loss or gradient is not finite. Nothing more is saved then: whatever blew up was on
            its way for some steps, so the last checkpoint is the better one to go on from.
        KeyboardInterrupt: Passed on after saving.
    """
    state = task.state
    last_saved = last_measured = time.monotonic()
    before = state.effort()
    clock = [time.monotonic() - state.seconds, time.process_time() - state.cpu_seconds]
    saved = (-1, math.inf)
    monitor.captions(task.captions)

    def save() -> None:
        nonlocal last_saved, saved
        if saved != (state.step, state.best_score):
            save_checkpoint(folder / "checkpoints", state.state_dict())
            saved = (state.step, state.best_score)
        last_saved = time.monotonic()

    def count_time() -> None:
        state.seconds = time.monotonic() - clock[0]
        state.cpu_seconds = time.process_time() - clock[1]

    def sample() -> None:
        for name, grid in task.samples().items():
            monitor.samples(state.step, grid, folder / name / f"step_{state.step:08d}.png", name)

    def measure() -> None:
        nonlocal last_measured
        finding = task.measure()
        if finding is not None:
            is_best = finding.score < state.best_score and finding.alarm is None
            if is_best:
                state.best_score = finding.score
                save_checkpoint(folder / "checkpoints", _with_measurement(state, finding), best=True)
            monitor.measurement(state.step, state.images_seen, finding, is_best)
        last_measured = time.monotonic()

    try:
        while not budget.is_spent(state.effort()):
            with deferred_interrupt():
                figures = task.step()
                state.images_seen += task.batch_size
            monitor.add(figures, task.batch_size)
            count_time()
            monitor.advance(budget.fraction_done(before, state.effort()))
            now = time.monotonic()
            if state.step % schedule.log_steps == 0:
                monitor.flush(state.step, state.learning_rates())
            if state.step % schedule.sample_steps == 0:
                sample()
            if now - last_measured >= 60 * schedule.measure_minutes:
                measure()
                save()  # the best one's figure is in every later checkpoint
            elif now - last_saved >= 60 * schedule.checkpoint_minutes:
                save()
            monitor.leave_out(time.monotonic() - now)
        sample()
        measure()
    except KeyboardInterrupt:
        save()
        raise
    save()


def _with_measurement(state: TrainingState, finding: Finding) -> dict[str, Any]:
    return {**state.state_dict(), "measurement": finding.figures}
