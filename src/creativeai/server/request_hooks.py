"""What surrounds every request: its id, its key, security headers, the access log and the metrics."""

import logging
import re
import time
import uuid
from typing import Any
from urllib.parse import quote

from flask import Flask, Response, g, request

from creativeai.server.access import check_key
from creativeai.server.body import check_body
from creativeai.server.cors import add_cors
from creativeai.server.metrics import NO_MODEL, Metrics
from creativeai.server.settings import ServerSettings

access_logger = logging.getLogger("creativeai.access")

_SECURITY_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
# Labels of /metrics come from a fixed set: a caller can't make new ones.
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")


def surround_requests(app: Flask, metrics: Metrics, settings: ServerSettings) -> None:
    """Do for each request what does not depend on its route; refuse those without a key or a proper body."""

    @app.before_request
    def begin() -> None:
        metrics.in_progress.inc()
        g.start = time.perf_counter()
        g.api_key = None
        request_id = request.headers.get("X-Request-ID", "")
        g.request_id = request_id if _REQUEST_ID.fullmatch(request_id) else uuid.uuid4().hex

    # After `begin` and before keys: browsers send no key along to ask whether they may.
    if settings.cors_origins:
        add_cors(app, settings.cors_origins)

    @app.before_request
    def check() -> None:
        check_key(settings)
        if request.method == "POST" and request.routing_exception is None:
            check_body(settings.limits.max_body_bytes)

    @app.after_request
    def end(response: Response) -> Response:
        seconds = time.perf_counter() - g.start
        response.headers.update(_SECURITY_HEADERS)
        response.headers["X-Request-ID"] = g.request_id
        route = request.url_rule.rule if request.url_rule else "none"
        method = request.method if request.method in _METHODS else "other"
        metrics.in_progress.dec()
        metrics.requests.labels(method, route, response.status_code).inc()
        metrics.latency.labels(route, g.get("model", NO_MODEL)).observe(seconds)
        _log(response, route, seconds)
        return response


def _log(response: Response, route: str, seconds: float) -> None:
    # Quoted, since a path may hold line breaks; without the query, since that may hold a prompt.
    fields: dict[str, Any] = {
        "client": request.remote_addr,
        "method": quote(request.method),
        "path": quote(request.path),
        "route": route,
        "status": response.status_code,
        "bytes": response.content_length or 0,
        "ms": round(seconds * 1000, 1),
        "request_id": g.request_id,
    }
    line = "{client} {method} {path} {status} {bytes}B {ms}ms {request_id}".format(**fields)
    if model := g.get("model"):
        fields["model"] = model
        line += f" model={model}"
    if g.api_key is not None:
        fields["key"] = g.api_key.name
        line += f" key={g.api_key.name}"
    access_logger.info("%s", line, extra={"fields": fields})
