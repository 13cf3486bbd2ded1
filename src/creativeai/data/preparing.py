"""How far the preparing of a dataset is: a bar on a terminal, a line now and then anywhere else."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.progress import Progress

from creativeai.data.prepare import Progress as OnProgress
from creativeai.data.show import progress_columns

__all__ = ["FIRST_LINE_SECONDS", "LINE_SECONDS", "Shown", "shown_progress"]

FIRST_LINE_SECONDS = 1.5
"""What is done sooner needs no line, and a mistake is one line then."""
LINE_SECONDS = 10.0
"""Between two lines in a log."""


@dataclass(frozen=True, slots=True)
class Shown:
    """Functions to tell of progress, one for each of the two long steps."""

    pictures: OnProgress
    search: OnProgress
    """For near-duplicates."""


@contextmanager
def shown_progress(console: Console, source: str, out: Path) -> Iterator[Shown]:
    """Give functions to tell of progress, which is shown on a console until the block ends."""
    if not console.is_terminal:
        lines = _Lines(console, source, out)
        try:
            yield Shown(
                lambda done, total: lines.tell(done, total, "pictures"),
                lambda done, total: lines.tell(done, total, "pictures compared with all others"),
            )
        finally:
            lines.end()
        return
    with Progress(*progress_columns(), console=console, transient=True) as bar:
        task = bar.add_task(f"preparing {out}", total=None)
        search = bar.add_task("looking for near-duplicates", total=None, visible=False)
        yield Shown(
            lambda done, total: bar.update(task, completed=done, total=total),
            lambda done, total: bar.update(search, completed=done, total=total, visible=True),
        )


class _Lines:
    """Lines for a log. The first comes by the clock: opening a large source takes long by itself."""

    def __init__(self, console: Console, source: str, out: Path) -> None:
        self._console = console
        self._last_line = time.monotonic()
        self._what = ""
        self._started = (self._last_line, 0)
        self._first = threading.Timer(FIRST_LINE_SECONDS, self._print, [f"preparing {out} from {source}"])
        self._first.daemon = True
        self._first.start()

    def tell(self, done: int, total: int, what: str) -> None:
        now = time.monotonic()
        if what != self._what:  # a rate is that of one step
            self._what, self._started = what, (now, done)
        if now - self._last_line >= LINE_SECONDS:
            self._last_line = now
            self._print(f"{done:,} of {total:,} {what}{self._speed(now, done, total)}")

    def end(self) -> None:
        self._first.cancel()
        self._first.join()

    def _speed(self, now: float, done: int, total: int) -> str:
        start, before = self._started
        if now <= start or done <= before:
            return ""
        rate = (done - before) / (now - start)
        minutes, seconds = divmod(round((total - done) / rate), 60)
        return f", {rate:,.0f} a second, {minutes}:{seconds:02} left"

    def _print(self, line: str) -> None:
        self._console.print(line, markup=False, highlight=False, soft_wrap=True)
