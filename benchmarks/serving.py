"""A model server in a process of its own, and clients that keep it busy: for the benchmarks of the server."""

import http.client
import json
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from measuring import different_texts

TEXTS = different_texts(2000)


@contextmanager
def running_server(model: Path, num_threads: int) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Serve a bundle on a free port; gives the process and the address once it is ready."""
    command = [sys.executable, "-m", "creativeai.cli", "serve", "--port", "0"]
    command += ["--models", str(model), "--threads", str(num_threads)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
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
    url: str, model: str, num_clients: int, *, seconds: float = 1e9, num_requests: int = 10**9
) -> list[float]:
    """Ask for one picture after the other from several clients at once, each on a connection of its own.

    Returns:
        Seconds each request took.
    """
    deadline = time.perf_counter() + seconds
    seeds = iter(range(num_requests))
    latencies: list[float] = []

    def run() -> None:
        connection = http.client.HTTPConnection(url.removeprefix("http://"))
        for seed in seeds:
            start = time.perf_counter()
            if start > deadline:
                break
            fields = {"model": model, "prompt": TEXTS[seed % len(TEXTS)], "seed": seed}
            headers = {"Content-Type": "application/json"}
            connection.request("POST", "/v1/images/generations", json.dumps(fields), headers)
            response = connection.getresponse()
            answer = response.read()
            if response.status != 200:
                raise RuntimeError(answer.decode())
            latencies.append(time.perf_counter() - start)
        connection.close()

    threads = [threading.Thread(target=run) for _ in range(num_clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return latencies


def read_metric(url: str, name: str) -> float:
    """Sum of a metric over its labels."""
    with urllib.request.urlopen(f"{url}/metrics") as response:
        lines = response.read().decode().splitlines()
    return sum(float(line.split()[-1]) for line in lines if line.split("{")[0].split(" ")[0] == name)
