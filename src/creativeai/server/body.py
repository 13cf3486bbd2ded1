"""Looks at a request's body before its fields are looked at."""

from flask import request
from werkzeug.exceptions import BadRequest, RequestEntityTooLarge

from creativeai.server.errors import ApiError
from creativeai.server.limits import MAX_DISCARDED_BYTES

_PART_BYTES = 64 * 1024


def check_body(max_bytes: int) -> None:
    """Refuse a body that is not a JSON object of a sensible size.

    Raises:
        RequestEntityTooLarge: It is larger than `max_bytes`.
        ApiError: It is no JSON, or no object.
    """
    if _is_too_large(max_bytes):
        _discard()
        raise RequestEntityTooLarge
    if not request.is_json:
        message = f"the body is {request.mimetype or 'of no stated type'}: send application/json"
        raise ApiError(415, message, code="unsupported_media_type")
    try:
        body = request.get_json()
    except BadRequest as error:
        # Flask hides the reason, which is the sender's to know, in the error before.
        reason = getattr(error.__cause__, "description", None) or "it can't be read"
        raise ApiError(400, f"the body is not valid JSON: {reason}", code="invalid_json") from None
    except RecursionError:
        raise ApiError(400, "the body is not valid JSON: too deeply nested", code="invalid_json") from None
    if not isinstance(body, dict):
        raise ApiError(400, "the body must be a JSON object", code="invalid_json")


def _is_too_large(max_bytes: int) -> bool:
    if request.content_length is not None:
        return request.content_length > max_bytes
    # A body sent in chunks is cut off at the limit without a word.
    return len(request.get_data()) >= max_bytes


def _discard() -> None:
    """Read on, since most clients send everything before they listen: hung up on, they'd never hear why."""
    stream = request.environ["wsgi.input"]
    num_left = MAX_DISCARDED_BYTES
    while num_left > 0 and (data := stream.read(_PART_BYTES)):
        num_left -= len(data)
