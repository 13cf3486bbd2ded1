import platform
import subprocess
import sys

import pytest

LARGE = 64 << 20
PROGRAM = f"""
import sys
from creativeai.training.command import keep_freed_memory

def resident():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1])

if sys.argv[1] == "keep":
    keep_freed_memory()
before = resident()
block = b"x" * {LARGE}
del block
import resource
print((resident() - before) * resource.getpagesize())
"""


def grown(how: str) -> int:
    """Bytes by which a process has grown after it has made and freed a large block."""
    return int(subprocess.check_output([sys.executable, "-c", PROGRAM, how]))


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc can be told")
def test_freed_memory_is_kept() -> None:
    assert grown("keep") > 0.9 * LARGE
    assert grown("as it is") < LARGE / 2
