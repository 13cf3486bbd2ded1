"""How far the preparing of a dataset is: a bar on a terminal, a line now and then anywhere else."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console
from rich.progress import Progress

from creativeai.data.prepare import Progress as OnProgress
from creativeai.data.show import progress_columns

__all__ = ["FIRST_LINE_SECONDS", "LINE_SECONDS", "shown_progress"]

FIRST_LINE_SECONDS = 1.5
"""What is done sooner needs no line, and a mistake is one line then."""
LINE_SECONDS = 10.0
"""Between two lines in a log."""


@contextmanager
def shown_progress(console: Console, source: str, out: Path) -> Iterator[OnProgress]:
    """Give a function to tell of progress, which is shown on a console until the block ends."""
    if not console.is_terminal:
        lines = _Lines(console, source, out)
        try:
            yield lines.tell
        finally:
            lines.end()
        return
    with Progress(*progress_columns(), console=console, transient=True) as bar:
        task = bar.add_task(f"preparing {out}", total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


class _Lines:
    """Lines for a log. The first comes by the clock: opening a large source takes long by itself."""

    def __init__(self, console: Console, source: str, out: Path) -> None:
        self._console = console
        self._last_line = time.monotonic()
        self._first = threading.Timer(FIRST_LINE_SECONDS, self._print, [f"preparing {out} from {source}"])
        self._first.daemon = True
        self._first.start()

    def tell(self, done: int, total: int) -> None:
        now = time.monotonic()
        if now - self._last_line >= LINE_SECONDS:
            self._last_line = now
            self._print(f"{done:,} of {total:,} pictures")

    def end(self) -> None:
        self._first.cancel()
        self._first.join()

    def _print(self, line: str) -> None:
        self._console.print(line, markup=False, highlight=False, soft_wrap=True)
