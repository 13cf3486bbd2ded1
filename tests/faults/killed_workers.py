"""Kills a model server under load at random moments: python tests/faults/killed_workers.py

In turn its worker, which gunicorn must start again, and the server as a whole, which is started again here as
systemd or compose would. Whatever was answered must be whole and right, and after each kill the server must
come back by itself and draw the same pictures.
"""

import http.client
import json
import os
import random
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from tiny_bundle import make_tiny_bundle

_NUM_CLIENTS = 4
_NUM_SEEDS = 8
_PATIENCE_SECONDS = 120
_PATH = "/v1/images/generations"


@dataclass
class Outcome:
    """What came of it."""

    num_workers_killed: int = 0
    num_servers_killed: int = 0
    num_pictures: int = 0
    """Answers with their picture, each compared with what it should be."""
    num_refused: int = 0
    """Whole answers that the server is loading, or busy."""
    num_lost: int = 0
    """Requests without an answer, which their client knows."""
    seconds_to_recover: list[float] = field(default_factory=list)


class Supervisor:
    """Starts the server, and again whenever it ends.

    Args:
        bundle: The model to serve.
        port: Where.
    """

    def __init__(self, bundle: Path, port: int) -> None:
        options = ["--models", str(bundle), "--port", str(port), "--threads", "1"]
        self._command = [sys.executable, "-m", "creativeai.cli", "serve", *options]
        self._is_stopped = threading.Event()
        self.process = self._start()
        self._thread = threading.Thread(target=self._watch)
        self._thread.start()

    def _start(self) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            self._command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
        )

    def _watch(self) -> None:
        while not self._is_stopped.is_set():
            self.process.wait()
            if not self._is_stopped.wait(0.2):
                self.process = self._start()

    def workers(self) -> list[int]:
        pid = self.process.pid
        try:
            return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
        except FileNotFoundError:
            return []

    def stop(self) -> None:
        self._is_stopped.set()
        self.process.terminate()
        self._thread.join()


def kill_workers(folder: Path, num_kills: int, seed: int) -> Outcome:
    """Kill the worker and the whole server so many times each.

    Raises:
        AssertionError: An answer was wrong or half, or the server did not come back.
    """
    choice = random.Random(seed)
    bundle = make_tiny_bundle(folder)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    supervisor = Supervisor(bundle, port)
    outcome, problems, stop = Outcome(), list[str](), threading.Event()
    clients: list[threading.Thread] = []
    try:
        _wait_until_ready(port)
        pictures = [_picture(port, seed) for seed in range(_NUM_SEEDS)]
        for index in range(_NUM_CLIENTS):
            arguments = (port, pictures, random.Random(seed + index), outcome, problems, stop)
            clients.append(threading.Thread(target=_ask, args=arguments))
            clients[-1].start()
        for victim in ["worker", "server"] * num_kills:
            time.sleep(choice.uniform(0.2, 1.5))
            [worker] = supervisor.workers()
            killed = time.monotonic()
            if victim == "worker":
                os.kill(worker, signal.SIGKILL)
                outcome.num_workers_killed += 1
            else:
                os.killpg(supervisor.process.pid, signal.SIGKILL)
                outcome.num_servers_killed += 1
            _wait_until_replaced(supervisor, worker)
            _wait_until_ready(port)
            outcome.seconds_to_recover.append(time.monotonic() - killed)
            assert _picture(port, 0) == pictures[0]
            assert not problems, problems[0]
    finally:
        stop.set()
        for client in clients:
            client.join()
        supervisor.stop()
    assert not problems, problems[0]
    return outcome


def _ask(
    port: int,
    pictures: list[str],
    choice: random.Random,
    outcome: Outcome,
    problems: list[str],
    stop: threading.Event,
) -> None:
    """Ask for one picture after the other, and compare."""
    while not stop.is_set():
        seed = choice.randrange(_NUM_SEEDS)
        try:
            status, body = _post(port, seed)
        except (OSError, http.client.HTTPException):
            outcome.num_lost += 1
            time.sleep(0.02)
            continue
        try:
            answer = json.loads(body)
        except ValueError:
            problems.append(f"an answer of status {status} is half: {body[-100:]!r}")
            return
        if status == 200 and answer["data"][0]["b64_json"] == pictures[seed]:
            outcome.num_pictures += 1
        elif status in (429, 503) and answer["error"]["message"]:
            outcome.num_refused += 1
            time.sleep(0.02)
        else:
            problems.append(f"an answer of status {status} is wrong: {body[:200]!r}")
            return


def _post(port: int, seed: int) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=_PATIENCE_SECONDS)
    try:
        body = json.dumps({"prompt": "a red bird", "seed": seed})
        connection.request("POST", _PATH, body, {"Content-Type": "application/json"})
        response = connection.getresponse()
        return response.status, response.read()  # a body cut short is an IncompleteRead
    finally:
        connection.close()


def _picture(port: int, seed: int) -> str:
    status, body = _post(port, seed)
    assert status == 200, body
    picture: str = json.loads(body)["data"][0]["b64_json"]
    return picture


def _wait_until_replaced(supervisor: Supervisor, worker: int) -> None:
    end = time.monotonic() + _PATIENCE_SECONDS
    while supervisor.workers() in ([], [worker]):
        assert time.monotonic() < end, "no new worker was started"
        time.sleep(0.02)


def _wait_until_ready(port: int) -> None:
    end = time.monotonic() + _PATIENCE_SECONDS
    while True:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=_PATIENCE_SECONDS)
        try:
            connection.request("GET", "/readyz")
            if connection.getresponse().status == 200:
                return
        except (OSError, http.client.HTTPException):
            pass
        finally:
            connection.close()
        assert time.monotonic() < end, "the server did not come back"
        time.sleep(0.05)


if __name__ == "__main__":
    num_kills = int(sys.argv[1]) if len(sys.argv) > 1 else 50
    with tempfile.TemporaryDirectory() as name:
        outcome = kill_workers(Path(name), num_kills, random.SystemRandom().randrange(2**32))
        slowest = max(outcome.seconds_to_recover)
        print(outcome)
        print(f"it was back after {slowest:.1f} s at the latest")
