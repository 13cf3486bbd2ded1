"""How far the preparing of a dataset is."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console

from creativeai.data.prepare import Progress as OnProgress
from creativeai.reporting import reporting

__all__ = ["shown_progress"]


@contextmanager
def shown_progress(console: Console, source: str, out: Path) -> Iterator[OnProgress]:
    """Give a function to tell of progress, which is shown on a console until the block ends."""
    with reporting(console, f"preparing {out} from {source}") as tell:
        yield tell
