"""Gives memory that was freed back to the system."""

import contextlib
import ctypes
import itertools

__all__ = ["FreedMemory", "give_back_freed_memory"]

_NUM_PICTURES = 256


class FreedMemory:
    """Gives freed memory back every so many pictures.

    The threads that answer free answers among small blocks that stay, and glibc reuses what lies between
    them so badly that a busy server would grow by 3 KB for every picture.
    """

    def __init__(self) -> None:
        self._numbers = itertools.count(1)

    def note_picture(self) -> None:
        """A picture was made; called from any thread."""
        if next(self._numbers) % _NUM_PICTURES == 0:
            give_back_freed_memory()


def give_back_freed_memory() -> None:
    """Ask glibc to; it keeps what is freed unless told. With another C library nothing happens."""
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL("libc.so.6").malloc_trim(0)
