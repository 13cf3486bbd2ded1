"""Ctrl-C and SIGTERM that wait where nothing may stop half-way."""

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

__all__ = ["deferred_interrupt"]


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
