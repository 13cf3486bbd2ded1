"""The server as a process: `creativeai serve` under gunicorn."""

import http.client
import json
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from creativeai.errors import UserError
from creativeai.server.run import serve
from creativeai.server.settings import ServerSettings
from server.live_server import start_server

PATH = "/v1/images/generations"


def connect(url: str) -> http.client.HTTPConnection:
    return http.client.HTTPConnection(urlsplit(url).netloc, timeout=60)


def post(url: str, **fields: Any) -> tuple[int, dict[str, Any]]:
    connection = connect(url)
    connection.request("POST", PATH, json.dumps(fields), {"Content-Type": "application/json"})
    response = connection.getresponse()
    answer = response.status, json.loads(response.read())
    connection.close()
    return answer


def test_sixteen_clients_get_what_each_would_get_alone(server_url: str) -> None:
    def ask(seed: int) -> Any:
        status, answer = post(server_url, prompt=f"a {['red', 'blue'][seed % 2]} bird", seed=seed, n=2)
        assert status == 200
        return answer["data"]

    alone = [ask(seed) for seed in range(32)]
    with ThreadPoolExecutor(16) as pool:
        assert list(pool.map(ask, range(32))) == alone


def test_a_connection_serves_many_requests_even_after_refusals(server_url: str) -> None:
    connection = connect(server_url)
    for body, status in [
        (b'{"prompt": "a bird"}', 200),
        (b"{", 400),
        (b'{"prompt": "%s"}' % (b"a" * 5_000_000), 413),
        (b'{"prompt": "a bird"}', 200),
    ]:
        connection.request("POST", PATH, body, {"Content-Type": "application/json"})
        response = connection.getresponse()
        answer = json.loads(response.read())
        assert response.status == status
        assert ("error" in answer) == (status != 200)


def test_oversized_body_of_unstated_length(server_url: str) -> None:
    connection = connect(server_url)
    chunks = (b"a" * 10_000 for _ in range(10))
    headers = {"Content-Type": "application/json", "Transfer-Encoding": "chunked"}
    connection.request("POST", PATH, chunks, headers, encode_chunked=True)
    response = connection.getresponse()
    assert response.status == 413
    assert json.loads(response.read())["error"]["code"] == "request_entity_too_large"


def test_longest_address_we_hand_out_is_served(server_url: str) -> None:
    prompt = "a bird " + "é" * 900
    status, answer = post(server_url, prompt=prompt, response_format="url")
    assert status == 200
    url = answer["data"][0]["url"]
    assert url.startswith(server_url)
    connection = connect(url)
    connection.request("GET", url.removeprefix(server_url))
    response = connection.getresponse()
    assert (response.status, response.read(4)) == (200, b"\x89PNG")


def test_health_is_answered_while_pictures_wait(server_url: str) -> None:
    fields = {"prompt": "a bird", "n": 64}
    threads = [threading.Thread(target=post, args=(server_url,), kwargs=fields) for _ in range(4)]
    for thread in threads:
        thread.start()
    connection = connect(server_url)
    connection.request("GET", "/healthz")
    assert connection.getresponse().status == 200
    for thread in threads:
        thread.join()


@pytest.fixture
def own_server(bundle: Path) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A server for one test, which may stop it."""
    process, url = start_server("--models", str(bundle), stderr=subprocess.PIPE)
    yield process, url
    process.kill()
    process.communicate()


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_stops_cleanly(own_server: tuple[subprocess.Popen[str], str], how: signal.Signals) -> None:
    process, url = own_server
    assert post(url, prompt="a bird")[0] == 200
    process.send_signal(how)
    _, log = process.communicate(timeout=60)
    assert process.returncode == 0
    assert "Traceback" not in log
    assert "SIGSEGV" not in log
    assert "POST /v1/images/generations 200" in log


def test_requests_under_way_are_finished(own_server: tuple[subprocess.Popen[str], str]) -> None:
    process, url = own_server
    connection = connect(url)
    connection.request("GET", "/healthz")
    connection.getresponse().read()
    body = json.dumps({"prompt": "a bird", "n": 64})
    connection.request("POST", PATH, body, {"Content-Type": "application/json"})
    process.terminate()
    assert len(json.loads(connection.getresponse().read())["data"]) == 64
    connection.close()
    assert process.wait(60) == 0


def test_stopping_under_load_answers_all_that_was_accepted(
    own_server: tuple[subprocess.Popen[str], str],
) -> None:
    process, url = own_server
    statuses: list[int] = []
    lost: list[Exception] = []

    def ask() -> None:
        while True:
            try:
                statuses.append(post(url, prompt="a bird", n=4)[0])
            except ConnectionRefusedError:
                return
            except (OSError, http.client.HTTPException) as error:
                lost.append(error)

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    while len(statuses) < 16:
        time.sleep(0.01)
    process.terminate()
    for thread in threads:
        thread.join(60)
    assert process.wait(60) == 0
    assert set(statuses) == {200}
    assert len(lost) <= 1, "the kernel may accept one between the server's last look and its end"


def test_stopping_refuses_new_connections_at_once(own_server: tuple[subprocess.Popen[str], str]) -> None:
    process, url = own_server
    kept = connect(url)  # which the server gives two seconds more
    kept.request("GET", "/healthz")
    kept.getresponse().read()
    process.terminate()
    address = urlsplit(url)
    while True:
        assert process.poll() is None, "new connections should be refused before the end"
        with socket.socket() as late:
            if late.connect_ex((address.hostname, address.port)):
                break
        time.sleep(0.01)
    kept.request("GET", "/healthz")
    assert kept.getresponse().status == 200
    kept.close()
    assert process.wait(60) == 0


def test_silent_connections_hold_up_nobody(own_server: tuple[subprocess.Popen[str], str]) -> None:
    _, url = own_server
    address = urlsplit(url)
    silent = [socket.create_connection((address.hostname, address.port)) for _ in range(300)]
    started = time.monotonic()
    assert post(url, prompt="a bird")[0] == 200
    assert time.monotonic() - started < 4, "they hold threads for five seconds"
    for connection in silent:
        connection.close()


def test_clients_that_do_not_hang_up_hold_up_nobody(own_server: tuple[subprocess.Popen[str], str]) -> None:
    _, url = own_server
    address = urlsplit(url)
    request = b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    lingering = [socket.create_connection((address.hostname, address.port)) for _ in range(20)]
    started = time.monotonic()
    for connection in lingering:
        connection.sendall(request)
    for connection in lingering:
        answer = b"".join(iter(partial(connection.recv, 4096), b""))
        assert answer.startswith(b"HTTP/1.1 200 ") and answer.endswith(b'{"status":"ok"}\n')
    assert post(url, prompt="a bird")[0] == 200
    assert time.monotonic() - started < 20, "each would hold up all others for two seconds"
    for connection in lingering:
        connection.close()


def test_log_as_json(bundle: Path) -> None:
    process, url = start_server("--models", str(bundle), "--log-format", "json", stderr=subprocess.PIPE)
    post(url, prompt="a secret bird")
    process.terminate()
    _, log = process.communicate(timeout=60)
    entries = [json.loads(line) for line in log.splitlines()]
    assert {"time", "level", "logger", "message"} <= set.intersection(*map(set, entries))
    [entry] = [entry for entry in entries if entry.get("route") == PATH]
    assert (entry["status"], entry["model"]) == (200, "tiny")
    assert "secret" not in log


def run_serve(*options: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "creativeai.cli", "serve", *options]
    return subprocess.run(command, capture_output=True, text=True, timeout=30)


def test_port_in_use_is_one_line(bundle: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        result = run_serve("--port", port, "--models", str(bundle))
    assert result.returncode == 2
    assert result.stderr == f"creativeai: port {port} on 127.0.0.1 is in use: choose another with --port\n"


def test_no_models_is_one_line() -> None:
    with pytest.raises(UserError, match="no models"):
        serve({}, host="127.0.0.1", port=0, settings=ServerSettings())


@pytest.mark.parametrize(("host", "port"), [("127.0.0.1", 70_000), ("203.0.113.1", 0), ("no host", 0)])
def test_address_that_cant_be_had(bundle: Path, host: str, port: int) -> None:
    with pytest.raises(UserError):
        serve({"tiny": bundle}, host=host, port=port, settings=ServerSettings())


def test_models_folder_that_is_missing(tmp_path: Path) -> None:
    result = run_serve("--models", str(tmp_path / "none"))
    assert result.returncode == 2
    assert len(result.stderr.splitlines()) == 1
