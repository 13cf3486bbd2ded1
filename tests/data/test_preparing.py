"""Who prepares data sees that something is going on, with and without a terminal."""

import io
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from rich.console import Console

from creativeai import reporting
from creativeai.data import preparing


def lines_of(console: Console) -> list[str]:
    file = console.file
    assert isinstance(file, io.StringIO)
    return file.getvalue().splitlines()


def test_quick_work_says_nothing() -> None:
    console = Console(file=io.StringIO())
    with preparing.shown_progress(console, "toybirds", Path("out")) as shown:
        shown.pictures(1, 2)
        shown.pictures(2, 2)
    assert lines_of(console) == []


def test_slow_work_says_what_and_how_far(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reporting, "FIRST_LINE_SECONDS", 0.0)
    monkeypatch.setattr(reporting, "LINE_SECONDS", 0.01)
    console = Console(file=io.StringIO(), width=20)
    with preparing.shown_progress(console, "toybirds", Path("a [b] long name")) as shown:
        shown.pictures(3, 5000)
        end = time.monotonic() + 30
        while not any("3 of" in line for line in lines_of(console)) and time.monotonic() < end:
            time.sleep(0.01)
    assert "preparing a [b] long name from toybirds: 3 of 5,000 pictures" in lines_of(console)


def test_terminal_has_a_bar() -> None:
    console = Console(file=io.StringIO(), force_terminal=True, width=120)
    with preparing.shown_progress(console, "toybirds", Path("out")) as shown:
        shown.pictures(3, 4)
        time.sleep(0.3)
    assert "preparing out" in console.file.getvalue()  # type: ignore[attr-defined]


def test_bare_environment_of_a_container(tmp_path: Path) -> None:
    """No home, no variables, no folder for temporary files, one processor."""
    out = tmp_path / "birds"
    code = (
        "import os, sys\n"
        "if hasattr(os, 'sched_setaffinity'): os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})\n"
        f"sys.argv = ['creativeai', 'data', 'prepare', 'toybirds', {str(out)!r}, '--num', '3']\n"
        "import creativeai.cli; creativeai.cli.main()"
    )
    environment = {"HOME": "/nonexistent", "TMPDIR": "/nonexistent", "PYTHONPATH": os.pathsep.join(sys.path)}
    result = subprocess.run(
        [sys.executable, "-c", code], env=environment, cwd=tmp_path.root, capture_output=True, text=True
    )
    assert result.returncode == 0, result.stderr
    assert result.stdout.startswith(f"{out}: 3 pictures")
