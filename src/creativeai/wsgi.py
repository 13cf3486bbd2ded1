"""Serves a WSGI application: gunicorn with one worker process and threads, waitress on Windows."""

import errno
import logging.config
import selectors
import socket
import struct
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any

from creativeai.errors import UserError

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

_GRACEFUL_SECONDS = 15
_KEEP_ALIVE_SECONDS = 30
# After this a new connection that sends nothing is closed, and one that stops midway gives its thread back.
_SILENT_SECONDS = 10
# Nor may one that goes on sending a little now and then: after this what it sent is all there is.
_SENDING_SECONDS = 30
# A connection that was answered for the last time: how long its client may take to read that and hang up.
_LINGER_SECONDS = 2.0
# Connections without a request under way: they hold no thread, only a file.
_NUM_IDLE_CONNECTIONS = 512


def listen(host: str, port: int, option: str = "--port") -> socket.socket:
    """Take the address now, so that a port in use is one line to the user and no retries.

    Args:
        host: Address to listen on.
        port: Port to listen on; 0 takes a free one.
        option: The command line's option for the port, for the message.

    Raises:
        UserError: The address can't be had.
    """
    try:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        listener = socket.create_server((host, port), family=family, backlog=1024)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise UserError(f"port {port} on {host} is in use: choose another with {option}") from None
        raise UserError(f"can't listen on {host} port {port}: {error.strerror}") from None
    except OverflowError:
        raise UserError(f"{option} must be 0 to 65535, not {port}") from None
    if sys.platform == "linux":  # where connections inherit it, and a timeval is two longs
        for direction in (socket.SO_RCVTIMEO, socket.SO_SNDTIMEO):
            listener.setsockopt(socket.SOL_SOCKET, direction, struct.pack("ll", _SILENT_SECONDS, 0))
    return listener


def address(listener: socket.socket) -> str:
    """The URL a listening socket answers at."""
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if listener.family == socket.AF_INET6 else f"http://{host}:{port}"


def serve(
    make_app: Callable[[], "WSGIApplication"],
    listener: socket.socket,
    num_threads: int,
    log_config: dict[str, Any],
) -> None:
    """Serve until Ctrl-C or SIGTERM; requests under way are finished.

    Args:
        make_app: Makes the application, in the process that serves it.
        listener: What `listen` gave.
        num_threads: Requests worked on at once.
        log_config: For `logging.config.dictConfig`.
    """
    logging.config.dictConfig(log_config)
    if sys.platform == "win32":
        import waitress

        waitress.serve(make_app(), sockets=[listener], threads=num_threads)
    else:
        _serve_with_gunicorn(make_app, listener, num_threads, log_config)


def _serve_with_gunicorn(
    make_app: Callable[[], "WSGIApplication"],
    listener: socket.socket,
    num_threads: int,
    log_config: dict[str, Any],
) -> None:
    from gunicorn.app.base import BaseApplication

    settings: dict[str, Any] = {
        "bind": f"fd://{listener.detach()}",
        "worker_class": _worker_class(),
        "workers": 1,
        "threads": num_threads,
        "worker_connections": num_threads + _NUM_IDLE_CONNECTIONS,
        "timeout": 120,
        "graceful_timeout": _GRACEFUL_SECONDS,
        "keepalive": _KEEP_ALIVE_SECONDS,
        "limit_request_line": 8190,
        "loglevel": "warning",
        "logconfig_dict": log_config,
        "control_socket_disable": True,
    }

    class Application(BaseApplication):
        def load_config(self) -> None:
            for name, value in settings.items():
                self.cfg.set(name, value)

        def load(self) -> "WSGIApplication":
            return make_app()

    Application().run()


def _worker_class() -> type:
    """Gunicorn's worker with threads, with a main loop that never waits for a single client."""
    from gunicorn.workers.gthread import TConn, ThreadWorker

    class Worker(ThreadWorker):
        """Silent connections hold no thread, slow ones one for a while, closing ones not the loop.

        A worker that is stopped is held by none at all.
        """

        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__(*args, **kwargs)
            self.sending: dict[Any, float] = {}
            self.closing: dict[Any, float] = {}

        def enqueue_req(self, conn: Any) -> None:
            if conn.initialized or conn.data_ready:
                self.sending[conn] = time.monotonic() + _SENDING_SECONDS
                super().enqueue_req(conn)
                return
            conn.close = partial(self.close, conn)
            conn.sock.setblocking(False)
            conn.timeout = time.monotonic() + _SILENT_SECONDS
            self.pending_conns.append(conn)
            readable = partial(self.on_pending_socket_readable, conn)
            self.poller.register(conn.sock, selectors.EVENT_READ, readable)

        def finish_request(self, conn: Any, result: Any) -> None:
            self.sending.pop(conn, None)
            super().finish_request(conn, result)

        def close(self, conn: Any, graceful: bool = False) -> None:
            """Close a connection, when its client has hung up if gracefully: else it might miss the end."""
            if not graceful:
                TConn.close(conn)
                return
            try:
                conn.sock.shutdown(socket.SHUT_WR)
                conn.sock.setblocking(False)
                self.poller.register(conn.sock, selectors.EVENT_READ, partial(self.drain, conn))
            except (OSError, ValueError):  # the client is gone already
                TConn.close(conn)
                return
            self.closing[conn] = time.monotonic() + _LINGER_SECONDS

        def drain(self, conn: Any, sock: socket.socket) -> None:
            try:
                data = sock.recv(64 * 1024)
            except OSError:
                data = b""
            if not data:
                self.end(conn)

        def end(self, conn: Any) -> None:
            del self.closing[conn]
            self.poller.unregister(conn.sock)
            TConn.close(conn)

        def murder_pending(self) -> None:
            super().murder_pending()
            for conn in _overdue(self.sending):
                del self.sending[conn]
                # Who waits for more reads the end; who has read all and answers is not disturbed.
                with suppress(OSError):
                    conn.sock.shutdown(socket.SHUT_RD)
            for conn in _overdue(self.closing):
                self.end(conn)

        def set_accept_enabled(self, enabled: bool) -> None:
            super().set_accept_enabled(enabled)
            if self.alive:
                return
            # Who connected before the end is answered; who comes later is refused at once instead of waiting
            # for a socket that nobody reads.
            for sock in self.sockets:
                num_before = -1
                while self.nr_conns > num_before:
                    num_before = self.nr_conns
                    self.accept(sock)
                sock.close()

    return Worker


def _overdue(deadlines: dict[Any, float]) -> list[Any]:
    now = time.monotonic()
    return [conn for conn, deadline in deadlines.items() if deadline < now]
