"""Ctrl-C and SIGTERM that wait where nothing may stop half-way."""

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

__all__ = ["StopWish", "deferred_interrupt", "noted_interrupts"]

_Handler = Callable[[int, Any], object]


@contextmanager
def deferred_interrupt() -> Iterator[None]:
    """Let Ctrl-C and SIGTERM within the block wait for its end, so that nothing stops half-way.

    Where they would kill the process at once, they still do.
    """
    arrived: list[int] = []
    with _handled_by(lambda number, _: arrived.append(number)) as handlers:
        yield
    if arrived:
        handlers[arrived[0]](arrived[0], None)


class StopWish:
    """Whether Ctrl-C or SIGTERM has come."""

    def __init__(self) -> None:
        self.is_there = False
        self._cuts_short = False

    def note(self, number: int, frame: object) -> None:
        """What a signal does."""
        self.is_there = True
        if self._cuts_short:
            self._cuts_short = False
            raise KeyboardInterrupt

    def cutting_short(self, work: Callable[[], None]) -> None:
        """Do what the wish, should it come meanwhile, ends at once; nothing if it is there."""
        self._cuts_short = True
        try:
            if not self.is_there:
                work()
            self._cuts_short = False
        except KeyboardInterrupt:
            self.is_there = True


@contextmanager
def noted_interrupts() -> Iterator[StopWish]:
    """Have Ctrl-C and SIGTERM noted, however often they come, instead of stopping anything.

    Where they would kill the process at once, they still do.
    """
    wish = StopWish()
    with _handled_by(wish.note):
        yield wish


@contextmanager
def _handled_by(handler: _Handler) -> Iterator[dict[int, _Handler]]:
    """Another handler within the block; gives those it takes the place of."""
    handlers: dict[int, _Handler] = {}
    if threading.current_thread() is threading.main_thread():  # signals reach the main thread only
        for stop in (signal.SIGINT, signal.SIGTERM):
            if callable(former := signal.getsignal(stop)):
                handlers[stop] = former
                signal.signal(stop, handler)
    try:
        yield handlers
    finally:
        for number, former in handlers.items():
            signal.signal(number, former)
