"""What is done between steps by the process that writes: log, draw samples, measure, save."""

import math
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from creativeai.errors import TrainingError
from creativeai.training.checkpoints import save_checkpoint
from creativeai.training.monitor import Finding, Monitor
from creativeai.training.state import TrainingState

__all__ = ["Chores", "Schedule", "Task"]


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


class Chores:
    """What the schedule asks for at a task's present step.

    Args:
        task: What is trained.
        schedule: How often to do what.
        monitor: Where figures and pictures go.
        folder: The run's.
    """

    def __init__(self, task: Task, schedule: Schedule, monitor: Monitor, folder: Path) -> None:
        self._task, self._schedule, self._monitor, self._folder = task, schedule, monitor, folder
        self._last_saved = self._last_measured = time.monotonic()
        self._saved = (-1, math.inf)
        self._told = ""
        monitor.captions(task.captions)

    def are_due(self) -> bool:
        """Whether there is anything to do now."""
        step, schedule = self._task.state.step, self._schedule
        by_step = step % schedule.log_steps == 0 or step % schedule.sample_steps == 0
        return by_step or self._is_time_to_measure() or self._is_time_to_save()

    def do(self) -> None:
        """Do what is due; the time it takes is left out of the log's rate."""
        start = time.monotonic()
        state, schedule = self._task.state, self._schedule
        if state.step % schedule.log_steps == 0:
            with self._going_on():
                self._monitor.flush(state.step, state.learning_rates())
        if state.step % schedule.sample_steps == 0:
            with self._going_on():
                self._sample()
        is_time_to_save = self._is_time_to_save()
        if self._is_time_to_measure():
            is_time_to_save = True  # the best one's figure is in every later checkpoint
            with self._going_on():
                self._measure()
        if is_time_to_save:
            with self._going_on():
                self.save()
        self._monitor.leave_out(time.monotonic() - start)

    def finish(self) -> None:
        """What a run ends with: samples and a measurement."""
        for chore in (self._sample, self._measure):
            with self._going_on():
                chore()

    def save(self) -> None:
        """Write a checkpoint, if there is anything new.

        Raises:
            TrainingError: It can't be written; the one before it is as it was.
        """
        state = self._task.state
        self._last_saved = time.monotonic()
        if self._saved != (state.step, state.best_score):
            save_checkpoint(self._folder / "checkpoints", state.state_dict())
            self._saved = (state.step, state.best_score)

    @contextmanager
    def _going_on(self) -> Iterator[None]:
        """Tell what can't be written, once, and train on: the disk may have room again before the end."""
        try:
            yield
        except (TrainingError, OSError) as error:
            if self._told != str(error):
                self._told = str(error)
                self._monitor.trouble(f"{error}; the training goes on, and tries again later")

    def _sample(self) -> None:
        step = self._task.state.step
        for name, grid in self._task.samples().items():
            self._monitor.samples(step, grid, self._folder / name / f"step_{step:08d}.png", name)

    def _measure(self) -> None:
        state = self._task.state
        finding = self._task.measure()
        self._last_measured = time.monotonic()
        if finding is None:
            return
        is_best = finding.score < state.best_score and finding.alarm is None
        if is_best:
            save_checkpoint(self._folder / "checkpoints", _with_measurement(state, finding), best=True)
            state.best_score = finding.score
        self._monitor.measurement(state.step, state.images_seen, finding, is_best)

    def _is_time_to_measure(self) -> bool:
        return time.monotonic() - self._last_measured >= 60 * self._schedule.measure_minutes

    def _is_time_to_save(self) -> bool:
        return time.monotonic() - self._last_saved >= 60 * self._schedule.checkpoint_minutes


def _with_measurement(state: TrainingState, finding: Finding) -> dict[str, Any]:
    return {**state.state_dict(), "best_score": finding.score, "measurement": finding.figures}
