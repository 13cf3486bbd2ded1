"""`creativeai demo`: the model server and the page as two processes that start and stop together."""

import signal
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import IO, NoReturn

from creativeai.errors import UserError

HOST = "127.0.0.1"
_START_SECONDS = 120
_STOP_SECONDS = 10
_POLL_SECONDS = 0.1


@dataclass(frozen=True)
class _Part:
    """One of the two processes; what it writes is kept for the error message if it fails."""

    name: str
    process: subprocess.Popen[bytes]
    log: IO[bytes]

    def raise_if_dead(self) -> None:
        code = self.process.poll()
        if code is None:
            return
        self.log.seek(0)
        lines = self.log.read().decode(errors="replace").split("\n")
        last = next((line for line in reversed(lines) if line.strip()), "it wrote nothing")
        raise UserError(f"{self.name} stopped with exit code {code}: {last.removeprefix('creativeai: ')}")


def run_demo(*, port: int, api_port: int, models: Sequence[Path]) -> None:
    """Serve models and page on this machine until Ctrl-C or SIGTERM.

    Args:
        port: Port of the page; 0 takes a free one.
        api_port: Port of the REST API; 0 takes a free one.
        models: Folders of bundles to serve besides the shipped ones.

    Raises:
        UserError: A port is taken, or one of the two processes stopped by itself.
    """
    port = _free_port(port, "--port")
    api_port = _free_port(api_port, "--api-port")
    if port == api_port:
        raise UserError(f"the page and the API can't both have port {port}: choose another with --api-port")
    api_url = f"http://{HOST}:{api_port}"
    folders = [argument for folder in models for argument in ("--models", str(folder))]
    signal.signal(signal.SIGTERM, _interrupt)
    parts: list[_Part] = []
    try:
        parts.append(_start("the model server", "serve", "--port", str(api_port), *folders))
        parts.append(_start("the page", "web", "--port", str(port), "--api", api_url))
        _wait_until_ready(parts, [f"{api_url}/readyz", f"http://{HOST}:{port}/"])
        _announce(f"http://{HOST}:{port}", api_url)
        while True:
            time.sleep(_POLL_SECONDS)
            for part in parts:
                part.raise_if_dead()
    except KeyboardInterrupt:
        return
    finally:
        _stop(parts)


def _free_port(port: int, option: str) -> int:
    """The port itself, or a free one for 0."""
    from creativeai import wsgi

    with wsgi.listen(HOST, port, option) as listener:
        return int(listener.getsockname()[1])


def _start(name: str, *arguments: str) -> _Part:
    log = tempfile.TemporaryFile()  # noqa: SIM115 (closed with its process)
    command = [sys.executable, "-m", "creativeai.cli", *arguments]
    # A session of its own: a terminal's Ctrl-C is for us, who then stop both in order.
    process = subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True)
    return _Part(name, process, log)


def _wait_until_ready(parts: Sequence[_Part], urls: Sequence[str]) -> None:
    deadline = time.monotonic() + _START_SECONDS
    for url in urls:
        while not _answers(url):
            for part in parts:
                part.raise_if_dead()
            if time.monotonic() > deadline:
                raise UserError(f"{url} was not ready after {_START_SECONDS} seconds")
            time.sleep(_POLL_SECONDS)


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def _announce(url: str, api_url: str) -> None:
    from rich.console import Console

    console = Console(highlight=False, soft_wrap=True)
    console.print(
        f"[bold green]●[/] CreativeAI is at [bold cyan link={url}]{url}[/]"
        f"  [dim](API at {api_url}, Ctrl-C stops both)[/]"
    )


def _interrupt(number: int, frame: FrameType | None) -> NoReturn:
    raise KeyboardInterrupt


def _stop(parts: Sequence[_Part]) -> None:
    """Ask every process to finish; end those that do not."""
    for part in parts:
        part.process.terminate()
    deadline = time.monotonic() + _STOP_SECONDS
    for part in parts:
        try:
            part.process.wait(max(0.0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            part.process.kill()
            part.process.wait()
        part.log.close()
