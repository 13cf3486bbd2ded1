"""Refusals for load: what they cost the client, and what the metrics say."""

import threading
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from creativeai.engine import Engine, Picture, PictureRequest
from creativeai.server.app import create_app
from creativeai.server.limits import Limits
from creativeai.server.settings import ServerSettings
from server.test_bad_requests import error_of

URL = "/v1/images/generations"
OURS = {"X-Forwarded-For": "203.0.113.1"}
THEIRS = {"X-Forwarded-For": "203.0.113.2"}


@pytest.fixture
def gate(monkeypatch: pytest.MonkeyPatch) -> Iterator[threading.Event]:
    """What every picture waits for."""
    opened = threading.Event()
    original = Engine.generate

    def generate(self: Engine, requests: Sequence[PictureRequest]) -> list[Picture]:
        assert opened.wait(20)
        return original(self, requests)

    monkeypatch.setattr(Engine, "generate", generate)
    yield opened
    opened.set()


def busy_client(bundle: Path, settings: ServerSettings, max_requests: int) -> FlaskClient:
    """A client of a server that works on another's request and has two of its pictures left to do."""
    app = create_app({"tiny": bundle}, settings=settings, max_requests=max_requests, wait_for_models=True)
    body = {"prompt": "a bird", "n": 3}
    client = app.test_client()
    threading.Thread(target=lambda: app.test_client().post(URL, json=body, headers=THEIRS)).start()
    while app.extensions["models"].get("tiny").queue.num_waiting != 2:
        pass
    return client


def refused(client: FlaskClient) -> list[str]:
    lines = client.get("/metrics").text.splitlines()
    counts = [line for line in lines if line.startswith("creativeai_refused_requests_total")]
    return [line for line in counts if not line.endswith(" 0.0")]


def test_more_requests_than_threads_are_refused(bundle: Path, gate: threading.Event) -> None:
    client = busy_client(bundle, ServerSettings(), max_requests=1)
    error = error_of(client.post(URL, json={"prompt": "a bird"}), 429)
    assert (error["code"], error["type"]) == ("rate_limit_exceeded", "rate_limit_error")
    assert refused(client) == ['creativeai_refused_requests_total{model="tiny",reason="server_full"} 1.0']
    gate.set()


def test_a_full_queue_takes_nothing_from_ones_rate(bundle: Path, gate: threading.Event) -> None:
    settings = ServerSettings(limits=Limits(queue_length=2, rate_limit=3), trusted_proxies=1)
    client = busy_client(bundle, settings, max_requests=9)
    for _ in range(3):
        error = error_of(client.post(URL, json={"prompt": "a bird", "n": 3}, headers=OURS), 429)
        assert "the model tiny" in error["message"]
    assert refused(client) == ['creativeai_refused_requests_total{model="tiny",reason="queue_full"} 3.0']
    gate.set()
    while client.application.extensions["models"].get("tiny").queue.num_waiting:
        pass
    assert client.post(URL, json={"prompt": "a bird", "n": 3}, headers=OURS).status_code == 200


def test_a_deadline_is_counted(bundle: Path, gate: threading.Event) -> None:
    settings = ServerSettings(limits=Limits(max_wait=0.1))
    client = busy_client(bundle, settings, max_requests=9)
    assert error_of(client.post(URL, json={"prompt": "a bird"}), 503)["code"] == "timeout"
    [line] = refused(client)  # the other one's may be among them by now
    assert line.startswith('creativeai_refused_requests_total{model="tiny",reason="deadline"}')
    gate.set()
