"""Freed memory goes back to the system, now and then."""

import json
import os
import platform
import subprocess
import sys
from pathlib import Path

import pytest

from creativeai.server import memory
from server.live_server import start_server, stop_server

# In a process of its own: in an old heap the small blocks would lie elsewhere.
FREE_AND_MAKE_PICTURES = """
import json
from pathlib import Path
from creativeai.server.memory import FreedMemory

def resident_mb():
    [line] = [line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmRSS")]
    return int(line.split()[1]) / 1024

def blocks(size, num):
    return [b"x" * size for _ in range(num)]

small = blocks(2000, 5000)  # where they fit between what imports have freed
large = []
for _ in range(2000):
    large += blocks(60_000, 1)  # too small for a mapping of its own
    small += blocks(2000, 1)
found = [resident_mb()]
large.clear()
freed = FreedMemory()
for _ in range(255):
    freed.note_picture()
found.append(resident_mb())
freed.note_picture()
found.append(resident_mb())
print(json.dumps(found))
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="other C libraries give back by themselves")
def test_what_lies_freed_between_small_blocks_is_given_back_by_the_256th_picture() -> None:
    done = subprocess.run(
        [sys.executable, "-c", FREE_AND_MAKE_PICTURES], capture_output=True, text=True, check=True
    )
    held, before, after = json.loads(done.stdout)
    assert before > held - 20
    assert after < held - 80


def test_without_glibc_nothing_happens(monkeypatch: pytest.MonkeyPatch) -> None:
    def none(name: str) -> None:
        raise OSError(name)

    monkeypatch.setattr(memory.ctypes, "CDLL", none)
    memory.give_back_freed_memory()


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("", "glibc.malloc.tcache_count=0"),
        ("glibc.malloc.arena_max=1", "glibc.malloc.arena_max=1:glibc.malloc.tcache_count=0"),
        ("glibc.malloc.tcache_count=3", None),
    ],
)
def test_restart_with_the_same_words_and_what_the_environment_had(
    given: str, expected: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    starts = []
    monkeypatch.setattr(
        os, "execv", lambda path, words: starts.append((path, words, os.environ["GLIBC_TUNABLES"]))
    )
    monkeypatch.setattr(platform, "libc_ver", lambda: ("glibc", "2.36"))
    monkeypatch.setattr(sys, "orig_argv", ["python3", "-X", "dev", "script", "serve"])
    monkeypatch.setenv("GLIBC_TUNABLES", given)
    memory.restart_without_thread_caches()
    command = [sys.executable, "-X", "dev", "script", "serve"]
    assert starts == ([] if expected is None else [(sys.executable, command, expected)])


def test_no_restart_with_another_c_library(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GLIBC_TUNABLES", "")
    monkeypatch.setattr(platform, "libc_ver", lambda: ("", ""))
    memory.restart_without_thread_caches()
    assert os.environ["GLIBC_TUNABLES"] == ""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc has such caches")
def test_server_runs_without_caches_of_threads(bundle: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GLIBC_TUNABLES", "")
    process, _ = start_server("--models", str(bundle))
    environment = Path(f"/proc/{process.pid}/environ").read_bytes().split(b"\0")
    stop_server(process)
    assert b"GLIBC_TUNABLES=glibc.malloc.tcache_count=0" in environment
