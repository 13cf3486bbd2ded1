"""Every error the API answers is OpenAI's error object: `{"error": {"message", "type", "param", "code"}}`."""

import logging
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from flask import Flask, Response, g, jsonify, request
from pydantic import ValidationError
from werkzeug.exceptions import HTTPException, MethodNotAllowed, NotFound
from werkzeug.routing import RequestRedirect

from creativeai.errors import RequestError, UnknownModelError, UserError
from creativeai.server.metrics import NO_MODEL, Metrics
from creativeai.server.schemas import Error, ErrorResponse, ErrorType

logger = logging.getLogger(__name__)


class ApiError(Exception):
    """An error the API answers as it stands.

    Args:
        status: HTTP status.
        message: One line for the caller; names nothing of the machine's insides.
        code: A word that programs can branch on.
        param: Name of the offending field.
        headers: Extra headers, such as Retry-After.
        reason: For /metrics, why a request was refused that is right in itself.
    """

    def __init__(
        self,
        status: int,
        message: str,
        *,
        code: str,
        param: str | None = None,
        headers: Mapping[str, str] | None = None,
        reason: str | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.code = code
        self.param = param
        self.headers = dict(headers or {})
        self.reason = reason


def _error_type(status: int) -> ErrorType:
    if status == 429:
        return "rate_limit_error"
    return "server_error" if status >= 500 else "invalid_request_error"


def _answer(error: ApiError, metrics: Metrics) -> Response:
    metrics.errors.labels(error.code).inc()
    if error.reason is not None:
        metrics.refused.labels(g.get("model", NO_MODEL), error.reason).inc()
    detail = Error(message=error.message, type=_error_type(error.status), param=error.param, code=error.code)
    response = jsonify(ErrorResponse(error=detail).model_dump())
    response.status_code = error.status
    response.headers.update(error.headers)
    return response


def from_validation_error(error: ValidationError) -> ApiError:
    """The first thing wrong with a request's fields, by the field's name."""
    first = error.errors(include_url=False, include_input=False, include_context=False)[0]
    # A field that should not be there has whatever name the caller gave it.
    param = " ".join(str(first["loc"][0]).split())[:100] if first["loc"] else None
    if first["type"] == "missing":
        message = f"{param} is missing"
    elif first["type"] == "extra_forbidden":
        message = f"{param} is not a parameter of this request"
    else:
        message = f"{param}: {first['msg']}"
    code = "invalid_type" if "type" in first["type"] else "invalid_value"
    return ApiError(400, message, code=code, param=param)


def raise_validation_error(error: ValidationError) -> Response:
    """flask-openapi3's hook: a request that does not fit its schema is a 400, never a 422."""
    raise from_validation_error(error)


def _from_user_error(error: UserError) -> ApiError:
    if isinstance(error, RequestError):
        return ApiError(400, str(error), code="invalid_value", param=error.param)
    if isinstance(error, UnknownModelError):
        return ApiError(404, str(error), code="model_not_found", param="model")
    # A damaged bundle or text encoder: its message names files, which are for the log only.
    logger.error("%s: %s [request %s]", type(error).__name__, error, g.get("request_id"))
    return ApiError(500, "the model can't be used: the server's log says why", code="model_unavailable")


def _from_http_exception(error: HTTPException) -> ApiError:
    status = error.code or 500
    where = f"{quote(request.method)} {quote(request.path)[:200]}"
    headers = {}
    if isinstance(error, NotFound):
        message = f"there is nothing at {where}: /openapi.json describes what there is"
    elif isinstance(error, MethodNotAllowed):
        allowed = ", ".join(sorted(error.valid_methods or ()))
        message = f"{where} is not allowed: use {allowed}"
        headers["Allow"] = allowed
    elif status == 413:
        message = f"the body is too large: at most {request.max_content_length} bytes are read"
    else:
        message = error.description or error.name
    return ApiError(status, message, code=error.name.lower().replace(" ", "_"), headers=headers)


def describe_errors(*statuses: int) -> dict[str | int, Any]:
    """What /openapi.json says of these answers."""
    content = {"application/json": {"schema": {"$ref": "#/components/schemas/ErrorResponse"}}}
    retry_after = {"description": "Seconds after which to try again.", "schema": {"type": "integer"}}
    described: dict[str | int, Any] = dict.fromkeys(statuses, ErrorResponse)
    for status in {429, 503}.intersection(statuses):
        described[status] = {"content": content, "headers": {"Retry-After": retry_after}}
    return described


def add_error_handlers(app: Flask, metrics: Metrics) -> None:
    """Answer whatever is raised while a request is handled, and count it."""

    @app.errorhandler(ApiError)
    def api_error(error: ApiError) -> Response:
        return _answer(error, metrics)

    @app.errorhandler(UserError)
    def user_error(error: UserError) -> Response:
        return _answer(_from_user_error(error), metrics)

    @app.errorhandler(HTTPException)
    def http_exception(error: HTTPException) -> Response | HTTPException:
        if isinstance(error, RequestRedirect):
            return error
        return _answer(_from_http_exception(error), metrics)

    @app.errorhandler(Exception)
    def bug(error: Exception) -> Response:
        logger.exception("unexpected error [request %s]", g.get("request_id"), exc_info=error)
        message = f"the server failed on this request: its log has the details under {g.get('request_id')}"
        return _answer(ApiError(500, message, code="internal_error"), metrics)
