"""Serving a WSGI application with gunicorn's threads, and clients that would hold it up."""

import select
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from functools import partial

import pytest

from creativeai import wsgi
from creativeai.errors import UserError

# Reads what it is sent and tells how much that was, after a time that the address names.
SERVER = """
import time
from creativeai import wsgi
from creativeai.logs import log_config

wsgi._SENDING_SECONDS = 1

def app(environ, start_response):
    size = str(len(environ["wsgi.input"].read())).encode()
    time.sleep(float(environ["PATH_INFO"][1:]))
    start_response("200 OK", [("Content-Length", str(len(size)))])
    return [size]

listener = wsgi.listen("127.0.0.1", 0)
print(listener.getsockname()[1], flush=True)
wsgi.serve(lambda: app, listener, 2, log_config("text"))
"""


@pytest.fixture
def port() -> Iterator[int]:
    """Of a server with two threads that gives clients a second to send a request."""
    process = subprocess.Popen([sys.executable, "-c", SERVER], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    yield int(process.stdout.readline())
    process.terminate()
    process.communicate(timeout=60)


def ask(port: int, path: str, body: bytes, length: int | None = None) -> socket.socket:
    connection = socket.create_connection(("127.0.0.1", port), timeout=30)
    head = f"POST {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
    head += f"Content-Length: {length or len(body)}\r\n\r\n"
    connection.sendall(head.encode() + body)
    return connection


def answer_on(connection: socket.socket) -> bytes:
    return b"".join(iter(partial(connection.recv, 4096), b""))


def test_clients_that_trickle_give_their_threads_back(port: int) -> None:
    trickling = [ask(port, "/0", b"a", length=10_000) for _ in range(2)]
    other = ask(port, "/0", b"whole")
    for _ in range(100):
        for connection in trickling:
            with suppress(OSError):  # it may be closed already
                connection.send(b"a")
        if select.select([other], [], [], 0.1)[0]:
            break
    else:
        pytest.fail("who trickles holds both threads")
    assert answer_on(other).endswith(b"\r\n\r\n5")
    for connection in (*trickling, other):
        connection.close()


def test_answers_may_take_longer_than_sending(port: int) -> None:
    with ask(port, "/3", b"whole") as connection:
        assert answer_on(connection).endswith(b"\r\n\r\n5")


def test_port_zero_takes_a_free_one() -> None:
    with wsgi.listen("127.0.0.1", 0) as listener:
        assert wsgi.address(listener) == f"http://127.0.0.1:{listener.getsockname()[1]}"


def test_port_in_use_names_port_and_option() -> None:
    with wsgi.listen("127.0.0.1", 0) as listener:
        port = listener.getsockname()[1]
        with pytest.raises(UserError, match=f"^port {port} on 127.0.0.1 is in use: .* --api-port$"):
            wsgi.listen("127.0.0.1", port, "--api-port")


@pytest.mark.parametrize("port", [-1, 65536])
def test_port_out_of_range(port: int) -> None:
    with pytest.raises(UserError, match=f"^--port must be 0 to 65535, not {port}$"):
        wsgi.listen("127.0.0.1", port)


def test_address_that_is_not_ours() -> None:
    with pytest.raises(UserError, match=r"^can't listen on 192\.0\.2\.1 port 0: "):
        wsgi.listen("192.0.2.1", 0)
