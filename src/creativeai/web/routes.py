"""The few addresses the page's script calls on its own server, which passes them on to the REST API.

Drawing goes over these rather than over Dash callbacks: an answer keeps its HTTP status, carries nothing but
the pictures, and can be told from a stale one by the script before it touches the page.
"""

import base64
import io
from typing import Any

from flask import Blueprint, Response, jsonify, request
from PIL import Image

from creativeai.web.client import ApiClient, ApiError

STATUS = {"away": 503, "busy": 429, "refused": 400, "failed": 502}
LARGE_PIXELS = 768


def picture_routes(api: ApiClient) -> Blueprint:
    """Return the routes under `/api`: status, pictures, one picture's file or inside, a model's samples."""
    routes = Blueprint("pictures", __name__, url_prefix="/api")

    @routes.errorhandler(ApiError)
    def refuse(error: ApiError) -> tuple[Response, int]:
        body = {"kind": error.kind, "message": error.message, "retry_after": error.retry_after}
        return jsonify(error=body), STATUS[error.kind]

    @routes.get("/status")
    def status() -> Response:
        return jsonify(models=api.models())

    @routes.post("/pictures")
    def pictures() -> Response:
        asked = request.get_json(silent=True)
        if not isinstance(asked, dict):
            raise ApiError("refused", "The request is not a JSON object.")
        # JPEG at this size encodes ten times as fast as PNG and is a third as long; files below are PNG.
        answer = _draw(api, asked, n=asked.get("n"), output_format="jpeg")
        return jsonify(
            pictures=[{"src": _data_url(item["b64_json"]), "seed": item["seed"]} for item in answer["data"]],
            model=answer.get("model"),
            unknown_words=answer.get("unknown_words") or [],
            duration_ms=answer.get("duration_ms"),
        )

    @routes.get("/picture.png")
    def picture() -> Response:
        return _file(base64.b64decode(_draw_one(api)["b64_json"]), "image/png")

    @routes.get("/picture-large.jpg")
    def picture_large() -> Response:
        return _file(_enlarged(base64.b64decode(_draw_one(api)["b64_json"])), "image/jpeg")

    @routes.get("/picture-inside")
    def picture_inside() -> Response:
        """A picture's stages, and its attention to each word where that is asked for."""
        attention = request.args.get("attention") == "true" or None
        item = _draw_one(api, stages=True, attention=attention)
        return jsonify(
            stages=[_data_url(stage["b64_json"]) for stage in item.get("stages") or []],
            attention=[
                {
                    "word": entry["word"],
                    "resolution": entry["resolution"],
                    "src": _data_url(entry["map"]),
                    "max_weight": entry["max_weight"],
                }
                for entry in item.get("attention") or []
            ],
        )

    @routes.get("/models/<name>/samples")
    def samples(name: str) -> Response:
        return _file(*api.samples(name))

    return routes


def _draw(api: ApiClient, asked: dict[str, Any], **settings: Any) -> dict[str, Any]:
    prompt = asked.get("text")
    if not isinstance(prompt, str):
        raise ApiError("refused", "The request has no text.")
    names = ("model", "seed", "truncation")
    return api.generate(prompt, **{name: asked.get(name) for name in names}, **settings)


def _draw_one(api: ApiClient, **settings: Any) -> dict[str, Any]:
    """Draw the picture the query names; it is a function of text, model, seed and truncation."""
    try:
        seed = int(request.args["seed"])
        truncation = float(request.args.get("truncation", 1))
    except (KeyError, ValueError):
        raise ApiError("refused", "A picture's address needs text, seed and truncation.") from None
    asked = {**request.args.to_dict(), "seed": seed, "truncation": truncation}
    answer = _draw(api, asked, n=1, output_format="png", **settings)
    item: dict[str, Any] = answer["data"][0]
    return item


def _data_url(encoded: str) -> str:
    """Return a data URL for base64 text, its type told by the first bytes (an API may know PNG only)."""
    kinds = {"/9j/": "jpeg", "UklG": "webp"}
    return f"data:image/{kinds.get(encoded[:4], 'png')};base64,{encoded}"


def _enlarged(content: bytes) -> bytes:
    """Return a picture file enlarged smoothly for a look from near (browsers only interpolate linearly)."""
    large = Image.open(io.BytesIO(content)).convert("RGB")
    large = large.resize((LARGE_PIXELS, LARGE_PIXELS), Image.Resampling.LANCZOS)
    file = io.BytesIO()
    large.save(file, "JPEG", quality=92, subsampling=0)
    return file.getvalue()


def _file(content: bytes, content_type: str) -> Response:
    answer = Response(content, content_type=content_type)
    # A model may be trained again under its name: ask each time, and send the same picture only once.
    answer.headers["Cache-Control"] = "private, no-cache"
    answer.add_etag()
    answer.make_conditional(request)
    return answer
