"""Files that are whole, or as they were before, whatever happens while they are written."""

import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

__all__ = ["deferred_interrupt", "replace_file"]


def replace_file(path: Path, write: Callable[[BinaryIO], object]) -> None:
    """Write a file under a temporary name, sync it to disk and rename it.

    Raises:
        OSError: The disk is full or can't be written; an older file of that name is untouched.
    """
    temporary = path.with_name(f"{path.name}.{os.getpid()}.tmp")  # two runs may share a dataset
    try:
        with open(temporary, "wb") as file:
            write(file)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


@contextmanager
def deferred_interrupt() -> Iterator[None]:
    """Let Ctrl-C and SIGTERM within the block wait for its end, so that nothing stops half-way.

    Where they would kill the process at once, they still do.
    """
    arrived: list[int] = []
    handlers: dict[int, Callable[..., object]] = {}
    if threading.current_thread() is threading.main_thread():  # signals reach the main thread only
        for stop in (signal.SIGINT, signal.SIGTERM):
            if callable(handler := signal.getsignal(stop)):
                handlers[stop] = handler
                signal.signal(stop, lambda number, _: arrived.append(number))
    try:
        yield
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
    if arrived:
        handlers[arrived[0]](arrived[0], None)
