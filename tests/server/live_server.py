"""A real server in a process of its own."""

import subprocess
import sys
import time
import urllib.error
import urllib.request


def start_server(*options: str) -> tuple[subprocess.Popen[str], str]:
    """Start `creativeai serve` on a free port and wait until it is ready; returns it and its address."""
    command = [sys.executable, "-m", "creativeai.cli", "serve", "--port", "0", *options]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout is not None
    line = process.stdout.readline()
    assert " at http://" in line, process.communicate(timeout=10)[1]
    url = line.split()[-1]
    end = time.monotonic() + 60
    while time.monotonic() < end:
        try:
            with urllib.request.urlopen(f"{url}/readyz", timeout=10):
                return process, url
        except urllib.error.HTTPError:
            time.sleep(0.05)
    raise AssertionError("the server was not ready after 60 s")


def stop_server(process: subprocess.Popen[str]) -> str:
    """Stop it as an init system does; returns its log."""
    process.terminate()
    return process.communicate(timeout=60)[1]
