"""How far long work is, how fast it goes and how long it will take: a bar on a terminal, lines in a log."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, Task, TextColumn
from rich.text import Text

__all__ = ["FIRST_LINE_SECONDS", "LINE_SECONDS", "Tell", "reporting"]

FIRST_LINE_SECONDS = 5.0
"""What is done sooner needs no line in a log."""
LINE_SECONDS = 60.0
"""Between two lines in a log."""
Tell = Callable[[int, int | None], None]
"""Told how many are done and how many there are, if that is known. Any thread may call it."""


@contextmanager
def reporting(
    console: Console, description: str, total: int | None = None, unit: str = "pictures"
) -> Iterator[Tell]:
    """Give a function to tell of progress, which is shown on a console until the block ends.

    Without a terminal the first line comes after five seconds by the clock, even if nothing was told by then,
    and then one a minute. Work that was worth a line ends with one that says how long it took.

    Args:
        console: Where it is shown.
        description: What is done, such as "reading photos".
        total: How many there are, where that is known from the start.
        unit: What is counted, in the plural.
    """
    if not console.is_terminal:
        lines = _Lines(console, description, total, unit)
        try:
            yield lines.tell
        finally:
            lines.end()
        return
    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        _PaceColumn(unit),
    )
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task(description, total=total)
        yield lambda done, total: bar.update(task, completed=done, total=total)


class _PaceColumn(ProgressColumn):
    def __init__(self, unit: str) -> None:
        super().__init__()
        self._unit = unit

    def render(self, task: Task) -> Text:
        if not task.speed:
            return Text("")
        return Text(", ".join(_pace(task.speed, task.remaining, self._unit)))


class _Lines:
    """Lines for a log, by a clock of their own: a single step may take minutes."""

    def __init__(self, console: Console, description: str, total: int | None, unit: str) -> None:
        self._console = console
        self._description = description
        self._unit = unit
        self._start = time.monotonic()
        self._done, self._total = 0, total
        # The first step often takes long for reasons of its own: the pace is measured from its end.
        self._first: tuple[float, int] | None = None
        self._told = False
        self._ended = threading.Event()
        self._clock = threading.Thread(target=self._tick, daemon=True)
        self._clock.start()

    def tell(self, done: int, total: int | None) -> None:
        self._done, self._total = done, total
        if self._first is None and done:
            self._first = (time.monotonic(), done)

    def end(self) -> None:
        self._ended.set()
        self._clock.join()
        if self._told:
            done = f"{self._done:,} {self._unit} in " if self._done else ""
            self._print(f"ended after {done}{_duration(time.monotonic() - self._start)}")

    def _tick(self) -> None:
        wait = FIRST_LINE_SECONDS
        while not self._ended.wait(wait):
            self._told = True
            self._print(self._state())
            wait = LINE_SECONDS

    def _state(self) -> str:
        done, total, first = self._done, self._total, self._first
        if not done or first is None:
            return f"0 of {total:,} {self._unit}" if total else "begun"
        parts = [f"{done:,} of {total:,} {self._unit}" if total else f"{done:,} {self._unit}"]
        since, already = first
        seconds = time.monotonic() - since
        if done > already and seconds > 0:
            speed = (done - already) / seconds
            parts += _pace(speed, None if total is None else total - done, self._unit)
        return ", ".join(parts)

    def _print(self, line: str) -> None:
        # As it is: a name may hold what Rich takes for markup, and lines are not to be broken.
        self._console.print(f"{self._description}: {line}", markup=False, highlight=False, soft_wrap=True)


def _pace(speed: float, remaining: float | None, unit: str) -> list[str]:
    pace = f"{speed:,.0f} {unit}/s" if speed >= 10 else f"{speed:.1f} {unit}/s"
    return [pace] if remaining is None else [pace, f"{_duration(remaining / speed)} left"]


def _duration(seconds: float) -> str:
    """Such as "40 s", "12 min" or "3 h 05 min"."""
    if seconds < 99.5:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 100 else f"{minutes // 60} h {minutes % 60:02d} min"
