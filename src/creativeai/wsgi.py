"""Serves a WSGI application: gunicorn with one worker process and threads, waitress on Windows."""

import errno
import socket
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from creativeai.errors import UserError

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

_GRACEFUL_SECONDS = 15
_KEEP_ALIVE_SECONDS = 30


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
        return socket.create_server((host, port), family=family, backlog=256)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise UserError(f"port {port} on {host} is in use: choose another with {option}") from None
        raise UserError(f"can't listen on {host} port {port}: {error.strerror}") from None
    except OverflowError:
        raise UserError(f"{option} must be 0 to 65535, not {port}") from None


def address(listener: socket.socket) -> str:
    """The URL a listening socket answers at."""
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if listener.family == socket.AF_INET6 else f"http://{host}:{port}"


def serve(make_app: Callable[[], "WSGIApplication"], listener: socket.socket, num_threads: int) -> None:
    """Serve until Ctrl-C or SIGTERM; requests under way are finished.

    Args:
        make_app: Makes the application, in the process that serves it.
        listener: What `listen` gave.
        num_threads: Requests worked on at once.
    """
    if sys.platform == "win32":
        import waitress

        waitress.serve(make_app(), sockets=[listener], threads=num_threads)
    else:
        _serve_with_gunicorn(make_app, listener, num_threads)


def _serve_with_gunicorn(
    make_app: Callable[[], "WSGIApplication"], listener: socket.socket, num_threads: int
) -> None:
    from gunicorn.app.base import BaseApplication

    settings: dict[str, Any] = {
        "bind": f"fd://{listener.detach()}",
        "worker_class": "gthread",
        "workers": 1,
        "threads": num_threads,
        "worker_connections": 2 * num_threads,
        "timeout": 120,
        "graceful_timeout": _GRACEFUL_SECONDS,
        "keepalive": _KEEP_ALIVE_SECONDS,
        "limit_request_line": 8190,
        "loglevel": "warning",
        "control_socket_disable": True,
    }

    class Application(BaseApplication):
        def load_config(self) -> None:
            for name, value in settings.items():
                self.cfg.set(name, value)

        def load(self) -> "WSGIApplication":
            return make_app()

    Application().run()
