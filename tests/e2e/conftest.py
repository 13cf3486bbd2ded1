"""The page in a browser: over the real server with tiny bundles, and over a stand-in where trouble is needed.

All visits without settings of their own share a context, so that Dash's scripts are compiled once; what a
visit keeps is in its tab.
"""

import os
import re
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, expect, sync_playwright
from werkzeug.serving import WSGIRequestHandler, make_server

from creativeai.web import create_page
from tiny_bundle import make_tiny_bundle
from web.standin import StandIn

CHROMIUM = Path("/usr/bin/chromium")
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]

expect.set_options(timeout=20_000)


class _Quiet(WSGIRequestHandler):
    def log(self, *args: object) -> None:
        pass


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    if not CHROMIUM.exists():
        message = f"the page's tests need Chromium at {CHROMIUM} (Debian: apt-get install chromium)"
        if os.environ.get("CI"):
            pytest.fail(message)
        pytest.skip(message)
    with sync_playwright() as playwright:
        yield playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)


@pytest.fixture(scope="session")
def shared_context(browser: Browser) -> BrowserContext:
    return browser.new_context()


@pytest.fixture(scope="session")
def demo_url(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """`creativeai demo` with three tiny models, as a user starts it: of one, of two and of three stages."""
    folder = tmp_path_factory.mktemp("models")
    make_tiny_bundle(folder, "alpha", title="Alpha", default_truncation=0.8, num_stages=1)
    make_tiny_bundle(folder, "beta", title="Beta", examples=["a green bird"], default_truncation=0.5)
    make_tiny_bundle(folder, "gamma", 64, num_stages=3, attends=True, title="Gamma", default_truncation=0.8)
    command = [sys.executable, "-m", "creativeai.cli", "demo", "--port", "0", "--api-port", "0"]
    process = subprocess.Popen([*command, "--models", str(folder)], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    line = process.stdout.readline()
    address = re.search(r"http://127\.0\.0\.1:\d+", line)
    assert address, f"the demo said {line!r}"
    yield address[0]
    process.terminate()
    assert process.wait(20) == 0


@pytest.fixture(scope="session")
def _standin_site() -> Iterator[tuple[StandIn, str]]:
    api = StandIn()
    api.start()
    server = make_server("127.0.0.1", 0, create_page(api.url).server, threaded=True, request_handler=_Quiet)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield api, f"http://127.0.0.1:{server.port}"
    server.shutdown()


@pytest.fixture
def standin(browser: Browser, _standin_site: tuple[StandIn, str]) -> Iterator[StandIn]:
    """A stand-in for the REST API; `standin_url` is the page over it."""
    api, _ = _standin_site
    yield api
    api.__dict__.update(StandIn(port=api.port, _server=api._server).__dict__)


@pytest.fixture
def standin_url(_standin_site: tuple[StandIn, str]) -> str:
    return _standin_site[1]


@dataclass
class Visit:
    """A page in a browser of its own, and what it did behind the scenes."""

    page: Page
    console: list[str]
    requested: list[str]
    expects_failures: bool = False
    """Whether refused or lost requests, which browsers write to the console, are part of the test."""

    def errors(self) -> list[str]:
        lost = "Failed to load resource"
        return [line for line in self.console if not (self.expects_failures and lost in line)]

    def asked_elsewhere(self) -> list[str]:
        hosts = {urlsplit(url).hostname for url in self.requested if not url.startswith(("data:", "blob:"))}
        return sorted(str(host) for host in hosts - {"127.0.0.1"})


@pytest.fixture
def visit(browser: Browser, shared_context: BrowserContext) -> Iterator[Callable[..., Visit]]:
    """Open an address in a new tab; afterwards nothing may have gone wrong or gone elsewhere."""
    visits: list[Visit] = []
    with ExitStack() as stack:

        def open_page(url: str, *, expects_failures: bool = False, **settings: Any) -> Visit:
            context = browser.new_context(**settings) if settings else shared_context
            page = context.new_page()
            stack.callback(context.close if settings else page.close)
            opened = Visit(page, [], [], expects_failures)

            def listen(message: ConsoleMessage) -> None:
                if message.type == "error":
                    opened.console.append(message.text)

            page.on("console", listen)
            page.on("pageerror", lambda error: opened.console.append(str(error)))
            page.on("request", lambda request: opened.requested.append(request.url))
            page.goto(url)
            visits.append(opened)
            return opened

        yield open_page
        for opened in visits:
            assert opened.errors() == []
            assert opened.asked_elsewhere() == []
