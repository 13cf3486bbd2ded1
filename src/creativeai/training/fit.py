"""The one loop. It knows no paper and no kind of network: a task takes the steps, draws and measures."""

import time
from pathlib import Path

from creativeai.training.budget import Budget
from creativeai.training.chores import Chores, Schedule, Task
from creativeai.training.interrupts import noted_interrupts
from creativeai.training.monitor import Monitor
from creativeai.training.processes import Meeting, failing_together, meet, on_any, telling_once

__all__ = ["Schedule", "Task", "fit"]


def fit(task: Task, budget: Budget, schedule: Schedule, monitor: Monitor | None, folder: Path) -> None:
    """Train until the budget is spent or Ctrl-C, which waits for the end of a step; then everything is saved.

    The budget is for the whole run, what was trained before included. Several processes stop at the same
    step.

    Args:
        task: What is trained.
        budget: When to stop.
        schedule: How often to do what is not a step.
        monitor: Where figures and pictures go; None in a process that leaves all writing to another one.
        folder: The run's.

    Raises:
        TrainingError: A loss or gradient is not finite. Nothing more is saved then: whatever blew up was on
            its way for some steps, so the last checkpoint is the better one to go on from.
        KeyboardInterrupt: Raised after saving, where it was asked for.
    """
    state = task.state
    before = state.effort()
    spent = state.seconds, state.cpu_seconds
    clock = time.monotonic(), time.process_time()
    chores = None if monitor is None else Chores(task, schedule, monitor, folder)
    is_stopped = False
    with noted_interrupts() as wish:
        while not is_stopped and not budget.is_spent(state.effort()):
            with telling_once():
                figures = task.step()
            state.images_seen += task.batch_size
            seconds, cpu_seconds = time.monotonic() - clock[0], time.process_time() - clock[1]
            is_busy = chores is not None and chores.are_due()
            met = meet(Meeting(wish.is_there, is_busy, seconds, cpu_seconds))
            state.seconds, state.cpu_seconds = spent[0] + met.seconds, spent[1] + met.cpu_seconds
            if monitor is not None:
                monitor.add(figures, task.batch_size)
                monitor.advance(budget.fraction_done(before, state.effort()))
            is_stopped = met.is_stopped
            if met.is_busy and not is_stopped:
                with failing_together():
                    if chores is not None:
                        wish.cutting_short(chores.do)
                is_stopped = on_any(wish.is_there)
        with failing_together():
            if chores is not None:
                if not is_stopped:
                    wish.cutting_short(chores.finish)
                chores.save()
        is_stopped = on_any(wish.is_there)
    if is_stopped:
        raise KeyboardInterrupt
