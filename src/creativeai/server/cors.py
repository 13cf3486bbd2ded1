"""Lets scripts of some pages of other addresses call the API from a browser (CORS).

No cookies are involved: a script sends its key itself, so credentials are never allowed for.
"""

import re
from collections.abc import Collection

from flask import Flask, Response, request

_METHODS = "GET, POST"
_EXPOSED = "X-Request-ID, Retry-After, ETag"
_PREFLIGHT_SECONDS = "600"
_HEADER_NAMES = re.compile(r"[A-Za-z0-9-]{1,64}(\s*,\s*[A-Za-z0-9-]{1,64}){0,63}")


def add_cors(app: Flask, origins: Collection[str]) -> None:
    """Answer preflights, and mark the answers that pages of these origins may read."""
    allowed = frozenset(origins)

    @app.before_request
    def preflight() -> Response | None:
        if request.method != "OPTIONS" or not _is_allowed(allowed):
            return None
        if "Access-Control-Request-Method" not in request.headers:
            return None
        response = Response(status=204)
        response.headers["Access-Control-Allow-Methods"] = _METHODS
        # OpenAI's client sends many of its own.
        if _HEADER_NAMES.fullmatch(asked := request.headers.get("Access-Control-Request-Headers", "")):
            response.headers["Access-Control-Allow-Headers"] = asked
        response.headers["Access-Control-Max-Age"] = _PREFLIGHT_SECONDS
        return response

    @app.after_request
    def mark(response: Response) -> Response:
        if request.path.startswith("/v1/"):
            response.vary.add("Origin")
            if request.method == "OPTIONS":
                response.vary.update(["Access-Control-Request-Method", "Access-Control-Request-Headers"])
        if _is_allowed(allowed):
            response.headers["Access-Control-Allow-Origin"] = request.headers["Origin"]
            response.headers["Access-Control-Expose-Headers"] = _EXPOSED
        return response


def _is_allowed(origins: frozenset[str]) -> bool:
    return request.path.startswith("/v1/") and request.headers.get("Origin") in origins
