"""Freed memory goes back to the system, now and then."""

import platform
from pathlib import Path

import pytest

from creativeai.server import memory


def _resident_mb() -> float:
    [line] = [line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmRSS")]
    return int(line.split()[1]) / 1024


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="other C libraries give back by themselves")
def test_what_lies_freed_between_small_blocks_is_given_back_by_the_256th_picture() -> None:
    large, small = [], []
    for _ in range(2000):
        large.append(b"x" * 60_000)  # too small for a mapping of its own
        small.append(b"x" * 2000)
    held = _resident_mb()
    large.clear()

    freed = memory.FreedMemory()
    for _ in range(255):
        freed.note_picture()
    before = _resident_mb()
    freed.note_picture()

    assert before > held - 20
    assert _resident_mb() < held - 80
    assert len(small) == 2000


def test_without_glibc_nothing_happens(monkeypatch: pytest.MonkeyPatch) -> None:
    def none(name: str) -> None:
        raise OSError(name)

    monkeypatch.setattr(memory.ctypes, "CDLL", none)
    memory.give_back_freed_memory()
