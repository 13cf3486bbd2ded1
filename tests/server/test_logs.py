import json
import logging
import logging.config
import sys
from typing import Any

import pytest
from flask.testing import FlaskClient
from flask_openapi3 import OpenAPI
from hypothesis import given
from hypothesis import strategies as st

from creativeai.server.logs import JsonFormatter, TextFormatter, escaped, log_config


def record(message: str, *, error: BaseException | None = None, **fields: Any) -> logging.LogRecord:
    made = logging.LogRecord("creativeai.test", logging.WARNING, "file", 1, message, (), None)
    if error is not None:
        try:
            raise error
        except type(error):
            made.exc_info = sys.exc_info()
    made.fields = fields
    return made


@given(st.text(), st.text())
def test_text_is_one_line_that_nobody_can_fake(message: str, trouble: str) -> None:
    made = record(message.replace("%", "%%"), error=ValueError(trouble))
    first, *others = TextFormatter().format(made).split("\n")
    assert " WARNING " in first
    assert first.isprintable()
    assert others
    assert all(line.startswith("  | ") and line.isprintable() for line in others)


@given(st.text())
def test_json_is_one_line_with_all_of_it(message: str) -> None:
    made = record(message.replace("%", "%%"), error=ValueError(message), status=200)
    line = JsonFormatter().format(made)
    assert line.isascii() and line.isprintable()
    entry = json.loads(line)
    assert entry["message"] == made.getMessage()
    assert (entry["level"], entry["logger"], entry["status"]) == ("WARNING", "creativeai.test", 200)
    assert "ValueError" in entry["exception"]


def test_escaped_shows_what_was_there() -> None:
    assert escaped("a\nb\x1b[31m\u2028\u202e é") == r"a\nb\x1b[31m\u2028\u202e é"


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
    with shared_app.test_request_context("/healthz", headers={"X-Request-ID": "job-8"}):
        shared_app.preprocess_request()
        assert json.loads(JsonFormatter().format(record("trouble")))["request_id"] == "job-8"
        shared_app.process_response(shared_app.response_class())
    assert "request_id" not in json.loads(JsonFormatter().format(record("trouble")))


@pytest.mark.parametrize("log_format", ["text", "json"])
def test_config_is_one(log_format: Any) -> None:
    formatter = logging.config.DictConfigurator(log_config(log_format))
    made = formatter.configure_formatter(log_config(log_format)["formatters"]["line"])
    assert isinstance(made, logging.Formatter)
