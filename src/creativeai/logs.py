"""The log of the server and of the page: lines for people, or a JSON object a line for programs."""

import json
import logging
import time
from typing import Any, Literal

from flask import g, has_request_context

from creativeai.errors import UserError

LogFormat = Literal["text", "json"]


class TextFormatter(logging.Formatter):
    """`time LEVEL message`, on one line whatever the message holds; tracebacks follow on marked lines."""

    def format(self, record: logging.LogRecord) -> str:
        """A record as text."""
        moment = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(record.created))
        line = f"{moment},{record.msecs:03.0f} {record.levelname} {escaped(record.getMessage())}"
        if record.exc_info:
            traceback = self.formatException(record.exc_info).splitlines()
            line += "".join(f"\n  | {escaped(part)}" for part in traceback)
        return line


class JsonFormatter(logging.Formatter):
    """One JSON object a line: time, level, logger, message, and what the record has beside."""

    def format(self, record: logging.LogRecord) -> str:
        """A record as JSON."""
        moment = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created))
        entry: dict[str, Any] = {
            "time": f"{moment}.{int(record.msecs):03d}Z",
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
        }
        if has_request_context() and "request_id" in g:
            entry["request_id"] = g.request_id
        entry.update(getattr(record, "fields", {}))
        if record.exc_info:
            entry["exception"] = self.formatException(record.exc_info)
        return json.dumps(entry, default=str)


def escaped(text: str) -> str:
    """Text that can't fake other lines: no line breaks, terminal codes, or marks that turn its direction."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)


def check_log_format(log_format: LogFormat) -> None:
    """Refuse what is no format.

    Raises:
        UserError: With the formats there are.
    """
    if log_format not in ("text", "json"):
        raise UserError(f"--log-format is {log_format!r}: give text or json")


def log_config(log_format: LogFormat) -> dict[str, Any]:
    """What `logging.config.dictConfig` takes: all on stderr, gunicorn's own lines too."""
    formatter = JsonFormatter if log_format == "json" else TextFormatter
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"line": {"()": formatter}},
        "handlers": {
            "stderr": {"class": "logging.StreamHandler", "formatter": "line", "stream": "ext://sys.stderr"}
        },
        "root": {"level": "INFO", "handlers": ["stderr"]},
        "loggers": {
            "gunicorn.error": {"level": "WARNING", "handlers": [], "propagate": True},
            "gunicorn.access": {"level": "WARNING", "handlers": [], "propagate": True},
        },
    }
