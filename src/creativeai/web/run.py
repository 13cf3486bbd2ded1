"""Serves the page."""

from urllib.parse import urlsplit

from creativeai import wsgi
from creativeai.errors import UserError
from creativeai.logs import LogFormat, check_log_format, log_config
from creativeai.web.page import create_page

# A drawing request holds a thread while the API draws.
NUM_THREADS = 32


def serve_page(
    api_url: str, *, host: str, port: int, api_key: str | None = None, log_format: LogFormat = "text"
) -> None:
    """Serve the page until Ctrl-C or SIGTERM.

    Args:
        api_url: Where the REST API is.
        host: Address to listen on.
        port: Port to listen on; 0 takes a free one.
        api_key: What the API asks for, if it does.
        log_format: Lines for people, or for programs.

    Raises:
        UserError: The API's address is none, the page's can't be had, or there is no such format.
    """
    check_log_format(log_format)
    parts = urlsplit(api_url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise UserError(f"--api must be an address like http://127.0.0.1:8801, not {api_url!r}")
    listener = wsgi.listen(host, port)
    print(f"CreativeAI's page is at {wsgi.address(listener)}", flush=True)
    wsgi.serve(lambda: create_page(api_url, api_key).server, listener, NUM_THREADS, log_config(log_format))
