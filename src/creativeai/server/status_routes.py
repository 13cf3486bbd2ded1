"""Routes for those who run the server: health, readiness, metrics, the API's own description."""

from typing import Any

from flask import Response
from flask_openapi3 import OpenAPI, Tag
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from creativeai.server.description import describe
from creativeai.server.errors import describe_errors
from creativeai.server.following import StoreFollower
from creativeai.server.hosting import ModelHost
from creativeai.server.metrics import Metrics
from creativeai.server.schemas import Health, Readiness
from creativeai.server.settings import ServerSettings

_TAG = Tag(name="status", description="For those who run the server.")


def add_status_routes(
    app: OpenAPI,
    models: ModelHost,
    metrics: Metrics,
    follower: StoreFollower | None,
    settings: ServerSettings,
) -> None:
    """Add /healthz, /readyz, /metrics and /openapi.json."""

    @app.get("/healthz", tags=[_TAG], operation_id="getHealth", responses={200: Health})
    def health() -> dict[str, Any]:
        """Whether the process is alive; true while models are loading."""
        return Health().model_dump()

    @app.get(
        "/readyz",
        tags=[_TAG],
        operation_id="getReadiness",
        responses={200: Readiness, **describe_errors(503)},
    )
    def readiness() -> dict[str, Any]:
        """Whether the models are loaded; 503 until they are, and if none could be."""
        status = {name: "ready" if ready else "failed" for name, ready in models.status().items()}
        readiness: dict[str, Any] = {"status": "ready", "models": status}
        return readiness if follower is None else {**readiness, "store": follower.state().model_dump()}

    @app.get(
        "/metrics",
        tags=[_TAG],
        operation_id="getMetrics",
        responses={200: {"content": {"text/plain": {"schema": {"type": "string"}}}}},
    )
    def read_metrics() -> Response:
        """Requests, latency, queue depth and the time of pictures, for Prometheus."""
        return Response(generate_latest(metrics.registry), content_type=CONTENT_TYPE_LATEST)

    @app.get(
        "/openapi.json",
        tags=[_TAG],
        operation_id="getOpenApi",
        responses={200: {"content": {"application/json": {"schema": {"type": "object"}}}}},
    )
    def openapi() -> dict[str, Any]:
        """This API's description, OpenAPI 3.1."""
        return describe(app.api_doc, settings)
