"""The Flask app: what surrounds every request, and the routes."""

import logging
import re
import threading
import time
import uuid
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import quote

from flask import Response, g, request
from flask_openapi3 import Info, OpenAPI

from creativeai import __version__
from creativeai.server.body import check_body
from creativeai.server.errors import add_error_handlers, raise_validation_error
from creativeai.server.following import FollowedStore, StoreFollower
from creativeai.server.hosting import ModelHost
from creativeai.server.image_routes import add_image_routes
from creativeai.server.limits import MAX_BODY_BYTES, MAX_WAITING
from creativeai.server.metrics import Metrics
from creativeai.server.model_routes import add_model_routes
from creativeai.server.schemas import ErrorResponse
from creativeai.server.status_routes import add_status_routes

_SECURITY_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
# Labels of /metrics come from a fixed set: a caller can't make new ones.
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")

access_logger = logging.getLogger("creativeai.access")


def create_app(
    bundles: Mapping[str, Path],
    *,
    num_threads: int = 1,
    max_waiting: int = MAX_WAITING,
    wait_for_models: bool = False,
    store: FollowedStore | None = None,
) -> OpenAPI:
    """Make the API over some models.

    Args:
        bundles: Folder of each model, by name; the first is the default.
        num_threads: Pictures each model makes at the same time.
        max_waiting: Most pictures that wait for a model before requests are answered with 429.
        wait_for_models: Load the models before returning, instead of in the background.
        store: Serve the models of this store too, and follow it.

    Returns:
        The app; `app.extensions["models"]` is its `ModelHost`.
    """
    app = OpenAPI(
        __name__,
        info=Info(
            title="CreativeAI",
            version=__version__,
            description="A sentence in, a picture out. OpenAI's Images API, and a little more.",
        ),
        responses={500: ErrorResponse},
        security_schemes={},
        # The library would describe this status by an answer of its own wherever we don't: everywhere we do.
        validation_error_status=500,
        validation_error_model=ErrorResponse,
        validation_error_callback=raise_validation_error,
        doc_ui=False,
        static_folder=None,
    )
    app.config["MAX_CONTENT_LENGTH"] = MAX_BODY_BYTES
    app.json.sort_keys = False  # type: ignore[attr-defined]  # answers in the order of their schemas
    metrics = Metrics()
    models = ModelHost(bundles, num_threads=num_threads, max_waiting=max_waiting, metrics=metrics)
    follower = None if store is None else StoreFollower(models, store)
    app.extensions["models"] = models
    _surround_requests(app, metrics)
    add_error_handlers(app)
    add_image_routes(app, models)
    add_model_routes(app, models)
    add_status_routes(app, models, metrics, follower)

    def load() -> None:
        models.load()
        if follower is not None:
            follower.start()
        models.finish_loading()

    if wait_for_models:
        load()
    else:
        threading.Thread(target=load, name="model loader", daemon=True).start()
    return app


def _surround_requests(app: OpenAPI, metrics: Metrics) -> None:
    @app.before_request
    def begin() -> None:
        g.start = time.perf_counter()
        request_id = request.headers.get("X-Request-ID", "")
        g.request_id = request_id if _REQUEST_ID.fullmatch(request_id) else uuid.uuid4().hex
        if request.method == "POST" and request.routing_exception is None:
            check_body()

    @app.after_request
    def end(response: Response) -> Response:
        seconds = time.perf_counter() - g.start
        response.headers.update(_SECURITY_HEADERS)
        response.headers["X-Request-ID"] = g.request_id
        route = request.url_rule.rule if request.url_rule else "none"
        method = request.method if request.method in _METHODS else "other"
        metrics.requests.labels(method, route, response.status_code).inc()
        metrics.latency.labels(route).observe(seconds)
        # Quoted, since a path may hold line breaks; without the query, since that may hold a prompt.
        access_logger.info(
            "%s %s %s %d %sB %.1fms %s",
            request.remote_addr,
            quote(request.method),
            quote(request.path),
            response.status_code,
            response.content_length,
            seconds * 1000,
            g.request_id,
        )
        return response
