"""Routes that make pictures."""

import base64
import hashlib
import time
from typing import Any
from urllib.parse import urlencode

import numpy as np
from flask import Response, g, request
from flask_openapi3 import OpenAPI, Tag
from numpy.typing import NDArray

from creativeai import __version__
from creativeai.engine import Picture, PictureRequest, validate_request
from creativeai.engine.validation import MAX_SEED, ValidRequest
from creativeai.errors import RequestError
from creativeai.server.encoding import OutputFormat, encode_map, encode_picture
from creativeai.server.errors import describe_errors
from creativeai.server.hosting import HostedModel, ModelHost
from creativeai.server.limits import MAX_URL_LENGTH, MAX_WITH_ATTENTION, Limits
from creativeai.server.making import PictureMaker, find_model
from creativeai.server.metrics import Metrics
from creativeai.server.schemas import (
    GeneratedPicture,
    GenerationRequest,
    GenerationResponse,
    RenderQuery,
    StagePicture,
    WordAttention,
)
from creativeai.server.signing import SIGNED_SECONDS, sign

_TAG = Tag(name="images", description="Text to pictures.")
_FILE = {"schema": {"type": "string", "format": "binary"}}
_RENDER_SECONDS = 24 * 60 * 60


def add_image_routes(
    app: OpenAPI, models: ModelHost, maker: PictureMaker, metrics: Metrics, limits: Limits
) -> None:
    """Add POST /v1/images/generations and GET /v1/images/render."""

    @app.post(
        "/v1/images/generations",
        tags=[_TAG],
        operation_id="createImages",
        description="Follows OpenAI's Images API. Addresses (`response_format` url) hold all that a picture "
        "is made from, so they stay good; the picture is made when it is loaded. A caller in a hurry says so "
        "by `Prefer: wait=SECONDS`.",
        responses={200: GenerationResponse, **describe_errors(400, 404, 413, 415, 429, 503)},
    )
    def generate(body: GenerationRequest) -> Response:
        """Pictures of what a text says."""
        start = time.perf_counter()
        model = find_model(models, body.model)
        if body.attention:
            _check_attention(model, body)
        resolution = _read_size(body.size, model)
        output_format = body.output_format or "png"
        valid = _validate(model, limits, body.prompt, body.n, body.seed, body.truncation)
        if body.response_format == "url":
            data = [_link(model, one, resolution, output_format, body.stages) for one in valid.pictures()]
        else:
            pictures = maker.make(model, valid.pictures(bool(body.attention)))
            encoding_start = time.perf_counter()
            data = [_embed(model, picture, resolution, output_format, body.stages) for picture in pictures]
            observe_encoding(model, encoding_start, len(data))
        if valid.text != body.prompt:
            for picture_data in data:
                picture_data.revised_prompt = valid.text
        answer = GenerationResponse(
            created=int(time.time()),
            data=data,
            model=model.name,
            size=_size(resolution),
            output_format=output_format,
            unknown_words=model.engine.unknown_words(valid.text),
            duration_ms=round((time.perf_counter() - start) * 1000, 2),
        )
        return Response(answer.model_dump_json(exclude_none=True), mimetype="application/json")

    @app.get(
        "/v1/images/render",
        tags=[_TAG],
        operation_id="renderImage",
        responses={
            200: {"content": {f"image/{name}": _FILE for name in ("png", "webp", "jpeg")}},
            304: None,
            **describe_errors(400, 404, 429, 503),
        },
    )
    def render(query: RenderQuery) -> Response:
        """One picture as a file, made from what the address says; caches may keep it."""
        model = find_model(models, query.model)
        resolution = _read_size(query.size, model)
        valid = _validate(model, limits, query.prompt, 1, query.seed, query.truncation)
        made_from = [model.digest, valid.text, valid.seed, valid.truncation, resolution, query.output_format]
        response = Response(mimetype=f"image/{query.output_format}")
        etag = hashlib.sha256(repr([__version__, *made_from]).encode()).hexdigest()[:32]
        response.set_etag(etag)
        # With keys, what one may see is not for a cache that others share.
        if g.api_key is None:
            response.cache_control.public = True
        else:
            response.cache_control.private = True
        response.cache_control.max_age = _RENDER_SECONDS
        if request.if_none_match.contains(etag):
            response.status_code = 304
            return response
        [picture] = maker.make(model, valid.pictures())
        pixels = picture.stages[model.resolutions.index(resolution)]
        encoding_start = time.perf_counter()
        response.data = encode_picture(pixels, query.output_format)
        observe_encoding(model, encoding_start, 1)
        name = f"{model.name}-{valid.seed}.{query.output_format}"
        response.headers["Content-Disposition"] = f'inline; filename="{name}"'
        return response

    def observe_encoding(model: HostedModel, start: float, num_pictures: int) -> None:
        """Tell what the encoding of each picture took, in the mean."""
        observe, seconds = metrics.stage_observer(model.name), time.perf_counter() - start
        for _ in range(num_pictures):
            observe("encode_image", seconds / num_pictures)


def _validate(
    model: HostedModel,
    limits: Limits,
    prompt: str,
    n: int | None,
    seed: int | None,
    truncation: float | None,
) -> ValidRequest:
    if seed is None:
        seed = int(np.random.default_rng().integers(MAX_SEED + 1))
    if truncation is None:
        truncation = model.engine.manifest.default_truncation
    valid = validate_request(prompt, 1 if n is None else n, seed, truncation)
    if valid.num_pictures > limits.max_n:
        message = f"n is {valid.num_pictures}: ask for 1 to {limits.max_n} pictures at a time"
        raise RequestError(message, param="n")
    if len(valid.text) > limits.max_prompt_length:
        message = f"the text has {len(valid.text)} characters: {limits.max_prompt_length} are the most here"
        raise RequestError(message, param="prompt")
    model.engine.check_text(valid.text)
    return valid


def _check_attention(model: HostedModel, body: GenerationRequest) -> None:
    """Refuse to give attention maps that the model doesn't have, or by address, or too many."""
    model.engine.check_attention()
    if body.response_format == "url":
        message = "attention maps have no address: ask for response_format b64_json"
        raise RequestError(message, param="response_format")
    if body.n is not None and body.n > MAX_WITH_ATTENTION:
        message = f"n is {body.n}: ask for at most {MAX_WITH_ATTENTION} pictures with attention maps"
        raise RequestError(message, param="n")


def _read_size(size: str | None, model: HostedModel) -> int:
    """Side of the pictures asked for, in pixels."""
    if size is None or size == "auto":
        return model.resolutions[-1]
    sizes = {_size(resolution): resolution for resolution in model.resolutions}
    if size not in sizes:
        known = ", ".join(sizes)
        raise RequestError(f"size is {size[:40]!r}: the model {model.name} makes {known}", param="size")
    return sizes[size]


def _size(resolution: int) -> str:
    return f"{resolution}x{resolution}"


def _embed(
    model: HostedModel, picture: Picture, resolution: int, output_format: OutputFormat, stages: bool | None
) -> GeneratedPicture:
    def encoded(pixels: NDArray[np.uint8]) -> str:
        return base64.b64encode(encode_picture(pixels, output_format)).decode("ascii")

    by_resolution = dict(zip(model.resolutions, picture.stages, strict=True))
    answer = GeneratedPicture(b64_json=encoded(by_resolution[resolution]), seed=picture.seed)
    if stages:
        answer.stages = [
            StagePicture(size=_size(side), b64_json=encoded(pixels)) for side, pixels in by_resolution.items()
        ]
    if picture.attention:
        answer.attention = [
            _embed_map(word, weights)
            for maps in picture.attention
            for word, weights in zip(picture.words, maps, strict=True)
        ]
    return answer


def _embed_map(word: str, weights: NDArray[np.float32]) -> WordAttention:
    png, max_weight = encode_map(weights)
    encoded = base64.b64encode(png).decode("ascii")
    return WordAttention(word=word, resolution=len(weights), map=encoded, max_weight=round(max_weight, 6))


def _link(
    model: HostedModel, one: PictureRequest, resolution: int, output_format: OutputFormat, stages: bool | None
) -> GeneratedPicture:
    def url(resolution: int) -> str:
        query: dict[str, Any] = {
            "model": model.name,
            "prompt": one.text,
            "seed": one.seed,
            "truncation": one.truncation,
            "size": _size(resolution),
            "output_format": output_format,
        }
        if g.api_key is not None:
            fields = [(name, str(value)) for name, value in query.items()]
            query["token"] = sign(g.api_key, fields, int(time.time()) + SIGNED_SECONDS)
        path = f"v1/images/render?{urlencode(query)}"
        if len(path) > MAX_URL_LENGTH:
            message = "the prompt is too long for an address: ask for response_format b64_json"
            raise RequestError(message, param="response_format")
        return request.url_root + path

    answer = GeneratedPicture(url=url(resolution), seed=one.seed)
    if stages:
        answer.stages = [StagePicture(size=_size(side), url=url(side)) for side in model.resolutions]
    return answer
