"""Gives memory that was freed back to the system."""

import contextlib
import ctypes
import itertools
import os
import platform
import sys

__all__ = ["FreedMemory", "give_back_freed_memory", "restart_without_thread_caches"]

_NUM_PICTURES = 256
_TUNABLES = "GLIBC_TUNABLES"
_THREAD_CACHE = "glibc.malloc.tcache_count"


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


def restart_without_thread_caches() -> None:
    """Start this process anew, with the same process id, so that glibc keeps no freed memory for each thread.

    What it keeps lies among what is used, so that a server of many threads would grow for as long as it is
    overloaded. glibc is told by an environment variable, which it reads when a process starts. Where that
    says already how much to keep, and with another C library, nothing happens. To be called before anything
    is printed: the new program knows nothing of what was not written out.
    """
    tunables = os.environ.get(_TUNABLES, "")
    if _THREAD_CACHE in tunables or platform.libc_ver()[0] != "glibc":
        return
    os.environ[_TUNABLES] = ":".join(filter(None, [tunables, f"{_THREAD_CACHE}=0"]))
    os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:]])
