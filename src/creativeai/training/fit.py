"""The one loop. It knows no paper and no kind of network: a task takes the steps, draws and measures."""

import math
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from creativeai.training.checkpoints import save_checkpoint
from creativeai.training.interrupts import deferred_interrupt
from creativeai.training.monitor import Finding, Monitor
from creativeai.training.state import TrainingState

__all__ = ["Budget", "Schedule", "Task", "fit"]


@dataclass(frozen=True)
class Budget:
    """When to stop: at a step, or after minutes of this call; whichever is given and comes first."""

    num_steps: int | None = None
    minutes: float | None = None

    def fraction_done(self, step: int, first_step: int, seconds: float) -> float:
        """From 0 to 1."""
        by_step = (
            (step - first_step) / max(self.num_steps - first_step, 1) if self.num_steps is not None else 0.0
        )
        by_time = seconds / (60 * self.minutes) if self.minutes is not None else 0.0
        return max(by_step, by_time)

    def is_spent(self, step: int, seconds: float) -> bool:
        """Whether no further step should be taken."""
        by_step = self.num_steps is not None and step >= self.num_steps
        return by_step or (self.minutes is not None and seconds >= 60 * self.minutes)


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

    Raises:
        TrainingError: A loss or gradient is not finite. Nothing more is saved then: whatever blew up was on
            its way for some steps, so the last checkpoint is the better one to go on from.
        KeyboardInterrupt: Passed on after saving.
    """
    state = task.state
    start = last_saved = last_measured = time.monotonic()
    first_step, seconds_before = state.step, state.seconds
    saved = (-1, math.inf)
    monitor.captions(task.captions)

    def save() -> None:
        nonlocal last_saved, saved
        if saved != (state.step, state.best_score):
            state.seconds = seconds_before + time.monotonic() - start
            save_checkpoint(folder / "checkpoints", state.state_dict())
            saved = (state.step, state.best_score)
        last_saved = time.monotonic()

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
            monitor.measurement(state.step, state.step * task.batch_size, finding, is_best)
        last_measured = time.monotonic()

    try:
        while not budget.is_spent(state.step, time.monotonic() - start):
            with deferred_interrupt():
                figures = task.step()
            monitor.add(figures, task.batch_size)
            now = time.monotonic()
            monitor.advance(budget.fraction_done(state.step, first_step, now - start))
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
