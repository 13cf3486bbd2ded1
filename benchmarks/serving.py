"""A model server in a process of its own, and clients that keep it busy: for the benchmarks of the server."""

import json
import os
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO
from urllib.parse import urlsplit

from measuring import different_texts

TEXTS = different_texts(2000)


@contextmanager
def running_server(
    model: Path, num_threads: int, log: Path = Path(os.devnull)
) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Serve a bundle on a free port; gives the process and the address once it is ready.

    Args:
        model: The bundle.
        num_threads: Pictures made at the same time.
        log: File for the server's log.
    """
    command = [sys.executable, "-m", "creativeai.cli", "serve", "--port", "0"]
    command += ["--models", str(model), "--threads", str(num_threads)]
    with open(log, "w") as log_file:
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log_file, text=True)
    try:
        assert process.stdout is not None
        url = process.stdout.readline().split()[-1]
        while not _is_ready(url):
            time.sleep(0.05)
        yield process, url
    finally:
        process.terminate()
        process.wait()


def _is_ready(url: str) -> bool:
    try:
        with urllib.request.urlopen(f"{url}/readyz"):
            return True
    except urllib.error.HTTPError:
        return False


def run_clients(
    url: str, model: str, num_clients: int, seeds: Iterator[int], seconds: float = 1e9
) -> list[float]:
    """Ask for one picture after the other from several clients at once, each on a connection of its own.

    Args:
        url: The server's address.
        model: The model's name.
        num_clients: Clients at once.
        seeds: What seed and text of each picture come from; it ends when they do.
        seconds: The clients end after this.

    Returns:
        Seconds each request took.
    """
    deadline = time.perf_counter() + seconds
    latencies: list[float] = []

    def run() -> None:
        address = urlsplit(url)
        with socket.create_connection((address.hostname, address.port)) as connection:
            answers = connection.makefile("rb")
            while (start := time.perf_counter()) < deadline and (seed := next(seeds, None)) is not None:
                fields = {"model": model, "prompt": TEXTS[seed % len(TEXTS)], "seed": seed}
                connection.sendall(_post(address.netloc, json.dumps(fields)))
                _read_answer(answers)
                latencies.append(time.perf_counter() - start)

    threads = [threading.Thread(target=run) for _ in range(num_clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return latencies


# By hand, since clients take from the cores that the server is measured on: 0.06 ms a request instead of the
# 0.16 ms of http.client.
def _post(host: str, body: str) -> bytes:
    head = f"POST /v1/images/generations HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\n"
    return f"{head}Content-Length: {len(body)}\r\n\r\n{body}".encode("ascii")


def _read_answer(answers: BinaryIO) -> None:
    status = answers.readline()
    length = 0
    while (header := answers.readline().lower()) not in (b"\r\n", b""):
        if header.startswith(b"content-length:"):
            length = int(header.split(b":")[1])
    body = answers.read(length)
    if not length or len(body) < length or status.split()[1] != b"200":
        raise RuntimeError(f"{status!r} {body!r}")


def read_metric(url: str, name: str) -> float:
    """Sum of a metric over its labels."""
    with urllib.request.urlopen(f"{url}/metrics") as response:
        lines = response.read().decode().splitlines()
    return sum(float(line.split()[-1]) for line in lines if line.split("{")[0].split(" ")[0] == name)
