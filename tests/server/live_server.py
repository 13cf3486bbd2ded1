"""A real server in a process of its own."""

import subprocess
import sys
import time
import urllib.error
import urllib.request

# A machine busy with other things may take long to start one.
PATIENCE_SECONDS = 60


def start_server(*options: str, stderr: int = subprocess.DEVNULL) -> tuple[subprocess.Popen[str], str]:
    """Start `creativeai serve` on a free port and wait until it is ready; returns it and its address."""
    command = [sys.executable, "-m", "creativeai.cli", "serve", "--port", "0", *options]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=stderr, text=True)
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert " at http://" in line
        url = line.split()[-1]
        end = time.monotonic() + PATIENCE_SECONDS
        while not _is_ready(url):
            assert time.monotonic() < end, "the server does not become ready"
            time.sleep(0.05)
    except BaseException:
        process.kill()
        raise
    return process, url


def _is_ready(url: str) -> bool:
    try:
        with urllib.request.urlopen(f"{url}/readyz", timeout=PATIENCE_SECONDS):
            return True
    except urllib.error.HTTPError:
        return False


def stop_server(process: subprocess.Popen[str]) -> None:
    """Stop it as an init system does."""
    process.terminate()
    process.communicate(timeout=PATIENCE_SECONDS)
