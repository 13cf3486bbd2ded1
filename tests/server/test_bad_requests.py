"""Whatever is wrong with a request is answered by OpenAI's error object and the status that fits."""

import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from flask_openapi3 import OpenAPI
from werkzeug.test import TestResponse

from creativeai.engine import Engine, Picture, PictureRequest
from creativeai.server.app import create_app
from creativeai.server.limits import Limits
from creativeai.server.settings import ServerSettings

URL = "/v1/images/generations"


def error_of(response: TestResponse, status: int) -> dict[str, Any]:
    assert response.status_code == status, response.data
    assert response.json is not None
    assert set(response.json) == {"error"}
    error: dict[str, Any] = response.json["error"]
    assert set(error) == {"message", "type", "param", "code"}
    assert error["message"]
    assert "\n" not in error["message"]
    assert response.headers["X-Request-ID"]
    return error


@pytest.mark.parametrize(
    ("fields", "param", "said"),
    [
        ({}, "prompt", "missing"),
        ({"prompt": ""}, "prompt", "empty"),
        ({"prompt": " \n\t"}, "prompt", "empty"),
        ({"prompt": "\x00\x07\x1b"}, "prompt", "empty"),
        ({"prompt": "a bird " * 1430}, "prompt", "1000"),
        ({"prompt": "🐦🐦🔥"}, "prompt", "no word"),
        ({"prompt": "маленькая красная птица"}, "prompt", "no word"),
        ({"prompt": "\ud800"}, "prompt", ""),
        ({"prompt": None}, "prompt", "string"),
        ({"prompt": 7}, "prompt", "string"),
        ({"prompt": ["a bird"]}, "prompt", "string"),
        ({"n": 0}, "n", "1 to 64"),
        ({"n": -1}, "n", "1 to 64"),
        ({"n": 10_000}, "n", "1 to 64"),
        ({"n": "2"}, "n", "integer"),
        ({"n": 1.5}, "n", "integer"),
        ({"n": 1e300}, "n", "1 to 64"),
        ({"n": True}, "n", "integer"),
        ({"seed": -1}, "seed", "4294967295"),
        ({"seed": 2**32}, "seed", "4294967295"),
        ({"seed": "7"}, "seed", "integer"),
        ({"truncation": 1.01}, "truncation", "0 to 1"),
        ({"truncation": -0.1}, "truncation", "0 to 1"),
        ({"truncation": float("nan")}, "truncation", "0 to 1"),
        ({"truncation": "1"}, "truncation", "number"),
        ({"size": "1024x1024"}, "size", "16x16, 32x32"),
        ({"size": 32}, "size", "string"),
        ({"response_format": "jpg"}, "response_format", "b64_json"),
        ({"output_format": "gif"}, "output_format", "png"),
        ({"stages": "yes"}, "stages", "boolean"),
        ({"attention": True}, "attention", "no attention"),
        ({"quality": "hd"}, "quality", "auto"),
        ({"style": "natural"}, "style", "vivid"),
        ({"background": "transparent"}, "background", "opaque"),
        ({"stream": True}, "stream", "False"),
        ({"colour": "red"}, "colour", "not a parameter"),
        ({"a\nb": "red"}, "a b", "not a parameter"),
        ({"x" * 10_000: 1}, "x" * 100, "not a parameter"),
    ],
)
def test_wrong_field(client: FlaskClient, fields: dict[str, Any], param: str, said: str) -> None:
    body = fields if not fields or "prompt" in fields else {"prompt": "a bird", **fields}
    error = error_of(client.post(URL, json=body), 400)
    assert (error["param"], error["type"]) == (param, "invalid_request_error")
    assert said in error["message"]
    assert len(error["message"]) < 200


@pytest.mark.parametrize("model", ["dall-e-3", "", "../tiny", "tiny\0", "x" * 10_000])
def test_unknown_model(client: FlaskClient, model: str) -> None:
    error = error_of(client.post(URL, json={"prompt": "a bird", "model": model}), 404)
    assert (error["code"], error["param"]) == ("model_not_found", "model")
    assert "tiny" in error["message"]
    assert len(error["message"]) < 200


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b'{"prompt": "a bird"',
        b'{"prompt": "a bird"}{}',
        b"\xff\xfe\x00",
        b'"{\\"prompt\\": \\"a bird\\"}"',
        b"[]",
        b"null",
        b"1",
        b"[" * 60_000,
        b'{"prompt": "a bird", "n": ' + b"9" * 10_000 + b"}",
    ],
)
def test_body_that_is_no_json_object(client: FlaskClient, body: bytes) -> None:
    error = error_of(client.post(URL, data=body, content_type="application/json"), 400)
    assert error["code"] == "invalid_json"
    assert len(error["message"]) < 200


@pytest.mark.parametrize("content_type", [None, "text/plain", "multipart/form-data", "application/jsonp"])
def test_wrong_content_type(client: FlaskClient, content_type: str | None) -> None:
    error = error_of(client.post(URL, data=b'{"prompt": "a bird"}', content_type=content_type), 415)
    assert "application/json" in error["message"]


def test_json_with_a_charset_is_json(client: FlaskClient) -> None:
    body = b'{"prompt": "a bird"}'
    assert client.post(URL, data=body, content_type="application/json; charset=utf-8").status_code == 200


def test_oversized_body(client: FlaskClient) -> None:
    error = error_of(client.post(URL, json={"prompt": "a" * 70_000}), 413)
    assert "65536" in error["message"]


@pytest.mark.parametrize("path", ["/", "/v1", "/v2/models", "/v1/models/", "/static/x", "/%0a%00"])
def test_unknown_address(client: FlaskClient, path: str) -> None:
    assert "/openapi.json" in error_of(client.get(path), 404)["message"]


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("GET", URL, "POST"),
        ("DELETE", URL, "POST"),
        ("POST", "/v1/models", "GET"),
        ("PUT", "/healthz", "GET"),
    ],
)
def test_wrong_method(client: FlaskClient, method: str, path: str, allowed: str) -> None:
    response = client.open(path, method=method)
    error_of(response, 405)
    assert allowed in response.headers["Allow"]


def test_a_bug_tells_nothing_of_the_insides(
    bundle: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(self: Engine, requests: Sequence[PictureRequest]) -> list[Picture]:
        raise RuntimeError("/secret/path")

    monkeypatch.setattr(Engine, "generate", fail)
    app = create_app({"tiny": bundle}, wait_for_models=True)
    response = app.test_client().post(URL, json={"prompt": "a bird"}, headers={"X-Request-ID": "abc-1"})
    error = error_of(response, 500)
    assert error["type"] == "server_error"
    assert "secret" not in response.text
    assert "abc-1" in error["message"]
    assert "/secret/path" in caplog.text


@pytest.fixture
def blocked(bundle: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """An app with a short queue whose engine has begun a picture that it does not end before the test."""
    begun, gate = threading.Event(), threading.Event()
    original = Engine.generate

    def generate(self: Engine, requests: Sequence[PictureRequest]) -> list[Picture]:
        begun.set()
        assert gate.wait(20)
        return original(self, requests)

    monkeypatch.setattr(Engine, "generate", generate)
    app = create_app(
        {"tiny": bundle}, settings=ServerSettings(limits=Limits(queue_length=2)), wait_for_models=True
    )
    first = threading.Thread(target=lambda: app.test_client().post(URL, json={"prompt": "a bird", "n": 3}))
    first.start()
    assert begun.wait(20)
    yield app
    gate.set()
    first.join(20)


def test_full_queue(blocked: OpenAPI) -> None:
    response = blocked.test_client().post(URL, json={"prompt": "a bird"})
    error = error_of(response, 429)
    assert (error["type"], error["code"]) == ("rate_limit_error", "rate_limit_exceeded")
    assert int(response.headers["Retry-After"]) >= 1


@pytest.mark.parametrize("headers", [{"Prefer": "wait=0"}, {"X-Stainless-Read-Timeout": "0.01"}])
def test_a_caller_in_a_hurry(bundle: Path, blocked: OpenAPI, headers: dict[str, str]) -> None:
    models = blocked.extensions["models"]
    models.get("tiny").queue._max_waiting = 10
    response = blocked.test_client().post(URL, json={"prompt": "a bird"}, headers=headers)
    error = error_of(response, 503)
    assert error["code"] == "timeout"
    assert models.get("tiny").queue.num_waiting == 2


@pytest.mark.parametrize("said", ["nan", "inf", "-1", "soon", ""])
def test_a_hurry_that_makes_no_sense_is_none(client: FlaskClient, said: str) -> None:
    headers = {"X-Stainless-Read-Timeout": said, "Prefer": f"wait={said}"}
    assert client.post(URL, json={"prompt": "a bird"}, headers=headers).status_code == 200
