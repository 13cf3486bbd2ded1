"""How far the preparing of a dataset is."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from creativeai.data.prepare import Progress as OnProgress
from creativeai.reporting import Tell, reporting

__all__ = ["Shown", "shown_progress"]


@dataclass(frozen=True, slots=True)
class Shown:
    """Functions to tell of progress, one for each of the two long steps."""

    pictures: OnProgress
    search: OnProgress
    """For near-duplicates."""


@contextmanager
def shown_progress(console: Console, source: str, out: Path) -> Iterator[Shown]:
    """Give functions to tell of progress, which is shown on a console until the block ends."""
    with ExitStack() as stack:
        pictures = stack.enter_context(reporting(console, f"preparing {out} from {source}"))
        searching: list[Tell] = []

        def search(done: int, total: int) -> None:
            if not searching:  # the first step has ended by now
                stack.close()
                searching.append(stack.enter_context(reporting(console, "looking for near-duplicates")))
            searching[0](done, total)

        yield Shown(pictures, search)
