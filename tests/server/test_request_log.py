"""What the log tells of a request."""

import json
import logging

import pytest
from flask.testing import FlaskClient
from flask_openapi3 import OpenAPI

from creativeai.logs import JsonFormatter


def test_access_log_as_json(client: FlaskClient, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, logger="creativeai.access"):
        client.post(
            "/v1/images/generations", json={"prompt": "a secret bird"}, headers={"X-Request-ID": "job-7"}
        )
    [made] = [made for made in caplog.records if made.name == "creativeai.access"]
    line = JsonFormatter().format(made)
    assert "secret" not in line
    entry = json.loads(line)
    assert entry | {"bytes": 0, "ms": 0, "time": "", "message": ""} == {
        "time": "",
        "level": "INFO",
        "logger": "creativeai.access",
        "message": "",
        "client": "127.0.0.1",
        "method": "POST",
        "path": "/v1/images/generations",
        "route": "/v1/images/generations",
        "status": 200,
        "bytes": 0,
        "ms": 0,
        "request_id": "job-7",
        "model": "tiny",
    }
    assert entry["bytes"] > 100 and entry["ms"] > 0


def test_whatever_is_logged_in_a_request_has_its_id(shared_app: OpenAPI) -> None:
    record = logging.LogRecord("creativeai.test", logging.WARNING, "file", 1, "trouble", (), None)
    with shared_app.test_request_context("/healthz", headers={"X-Request-ID": "job-8"}):
        shared_app.preprocess_request()
        assert json.loads(JsonFormatter().format(record))["request_id"] == "job-8"
        shared_app.process_response(shared_app.response_class())
    assert "request_id" not in json.loads(JsonFormatter().format(record))
