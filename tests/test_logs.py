import json
import logging
import logging.config
import sys
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from creativeai.logs import JsonFormatter, TextFormatter, escaped, log_config


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


@pytest.mark.parametrize("log_format", ["text", "json"])
def test_config_is_one(log_format: Any) -> None:
    formatter = logging.config.DictConfigurator(log_config(log_format))
    made = formatter.configure_formatter(log_config(log_format)["formatters"]["line"])
    assert isinstance(made, logging.Formatter)
