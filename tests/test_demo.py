"""`creativeai demo` starts and stops with both its processes (tests/e2e looks at the page it serves)."""

import os
import re
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from creativeai import wsgi
from creativeai.demo import run_demo
from creativeai.errors import UserError
from tiny_bundle import make_tiny_bundle


def start_demo(models: Path) -> tuple[subprocess.Popen[str], list[int]]:
    """Start the demo on free ports; returns it and the ports of page and API."""
    command = [sys.executable, "-m", "creativeai.cli", "demo", "--port", "0", "--api-port", "0"]
    process = subprocess.Popen(
        [*command, "--models", str(models)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    line = process.stdout.readline()
    ports = [int(port) for port in re.findall(r"http://127\.0\.0\.1:(\d+)", line)]
    assert len(ports) == 2, line + process.communicate(timeout=20)[1]
    return process, ports


def children(process: subprocess.Popen[str]) -> list[int]:
    """Process ids of model server and page."""
    listed = Path(f"/proc/{process.pid}/task/{process.pid}/children")
    if not listed.exists():
        pytest.skip("needs Linux's /proc")
    return [int(number) for number in listed.read_text().split()]


def is_open(port: int) -> bool:
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", port)) == 0


def test_interrupting_stops_both(tmp_path: Path) -> None:
    process, ports = start_demo(make_tiny_bundle(tmp_path).parent)
    assert all(map(is_open, ports))
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=20)
    assert (process.returncode, errors) == (0, "")
    assert not any(map(is_open, ports))


def test_one_that_dies_takes_the_other_along(tmp_path: Path) -> None:
    process, ports = start_demo(make_tiny_bundle(tmp_path).parent)
    server, _ = children(process)
    os.kill(server, signal.SIGTERM)
    _, errors = process.communicate(timeout=20)
    assert process.returncode == 2
    assert re.fullmatch(r"creativeai: the model server stopped with exit code 0: .*\n", errors)
    assert not any(map(is_open, ports))


def test_server_that_does_not_start_says_why_in_one_line() -> None:
    with pytest.raises(UserError) as caught:
        run_demo(port=0, api_port=0, models=[Path("/nowhere")])
    assert re.fullmatch(r"the model server stopped with exit code 2: .*/nowhere.*", str(caught.value))


def test_ports_in_use_are_named_with_their_options() -> None:
    with wsgi.listen("127.0.0.1", 0) as listener:
        taken = listener.getsockname()[1]
        with pytest.raises(UserError, match=rf"^port {taken} .* in use: choose another with --port$"):
            run_demo(port=taken, api_port=0, models=[])
        with pytest.raises(UserError, match=rf"^port {taken} .* in use: choose another with --api-port$"):
            run_demo(port=0, api_port=taken, models=[])


def test_page_and_api_need_two_ports() -> None:
    with wsgi.listen("127.0.0.1", 0) as listener:
        free = listener.getsockname()[1]
    with pytest.raises(UserError, match="can't both"):
        run_demo(port=free, api_port=free, models=[])
