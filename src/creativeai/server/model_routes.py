"""Routes that tell what models there are."""

from typing import Any

from flask import Response, send_file
from flask_openapi3 import OpenAPI, Tag

from creativeai.server.errors import ApiError, describe_errors
from creativeai.server.hosting import HostedModel, ModelHost
from creativeai.server.making import find_model
from creativeai.server.schemas import ModelInfo, ModelList, ModelPath

_TAG = Tag(name="models", description="What models there are.")


def add_model_routes(app: OpenAPI, models: ModelHost) -> None:
    """Add /v1/models and what lies below it."""

    @app.get(
        "/v1/models",
        tags=[_TAG],
        operation_id="listModels",
        responses={200: ModelList, **describe_errors(503)},
    )
    def list_models() -> dict[str, Any]:
        """Every model; the first is the default."""
        return ModelList(data=[_describe(model) for model in models.all()]).model_dump()

    @app.get(
        "/v1/models/<model>",
        tags=[_TAG],
        operation_id="retrieveModel",
        responses={200: ModelInfo, **describe_errors(404, 503)},
    )
    def retrieve_model(path: ModelPath) -> dict[str, Any]:
        """One model: what it is, what it was trained on, how well it does."""
        return _describe(find_model(models, path.model)).model_dump()

    @app.get(
        "/v1/models/<model>/samples",
        tags=[_TAG],
        operation_id="getModelSamples",
        responses={
            200: {"content": {"image/webp": {"schema": {"type": "string", "format": "binary"}}}},
            **describe_errors(404, 503),
        },
    )
    def samples(path: ModelPath) -> Response:
        """A grid of the model's pictures."""
        return _send(find_model(models, path.model), "samples.webp", "image/webp")

    @app.get(
        "/v1/models/<model>/card",
        tags=[_TAG],
        operation_id="getModelCard",
        responses={
            200: {"content": {"text/markdown": {"schema": {"type": "string"}}}},
            **describe_errors(404, 503),
        },
    )
    def card(path: ModelPath) -> Response:
        """The model's card, in Markdown."""
        return _send(find_model(models, path.model), "MODEL_CARD.md", "text/markdown")


def _describe(model: HostedModel) -> ModelInfo:
    manifest = model.engine.manifest
    return ModelInfo(
        id=model.name,
        created=manifest.created,
        title=manifest.title,
        description=manifest.description,
        dataset=manifest.dataset,
        licence=manifest.dataset.licence,
        recipe=manifest.recipe,
        preset=manifest.preset,
        resolution=model.resolutions[-1],
        stages=model.resolutions,
        attention=[map.resolution for map in manifest.attention],
        metrics=manifest.metrics,
        examples=list(manifest.examples),
        default_truncation=manifest.default_truncation,
        version=model.version,
    )


def _send(model: HostedModel, file_name: str, mimetype: str) -> Response:
    file = model.path / file_name
    if not file.is_file():
        raise ApiError(404, f"the model {model.name} has no {file_name}", code="not_found", param="model")
    return send_file(file.resolve(), mimetype=mimetype, max_age=3600)
