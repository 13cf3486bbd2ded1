"""A stand-in for the REST API, for tests of the page: pictures of one colour, and trouble on demand."""

import base64
import hashlib
import io
import json
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from PIL import Image

MODELS: list[dict[str, Any]] = [
    {
        "id": "birds",
        "object": "model",
        "title": "Birds",
        "description": "Draws birds.",
        "recipe": "projected_gan",
        "preset": "compact",
        "resolution": 128,
        "stages": [128],
        "attention": [],
        "dataset": {"name": "birds525", "title": "Birds 525", "licence": "CC0", "num_train": 1834},
        "licence": "CC0",
        "metrics": {
            "kid": 41.27,
            "kid_low": 40.0,
            "kid_of_photos": 0.2,
            "precision": 0.34,
            "precision_of_photos": 0.82,
            "text_match": 0.22,
            "text_match_of_photos": 0.88,
        },
        "examples": [
            "a small red bird with black wings",
            "a yellow bird on a branch",
            "a white bird over the sea",
        ],
        "default_truncation": 0.8,
    },
    {
        "id": "toys",
        "object": "model",
        "title": "Toy birds",
        "description": "Draws drawings.",
        "recipe": "gan_cls",
        "preset": "debug",
        "resolution": 64,
        "stages": [16, 32, 64],
        "attention": [16, 32],
        "dataset": {"name": "toybirds", "title": "Toy birds", "licence": "Apache-2.0"},
        "metrics": {},
        "examples": ["a blue toy bird"],
        "default_truncation": 1.0,
    },
]


def paint(text: str, seed: int, truncation: float) -> Image.Image:
    """A picture whose colour is a function of what a picture is a function of."""
    digest = hashlib.sha256(f"{text}|{seed}|{truncation:.3f}".encode()).digest()
    return Image.new("RGB", (64, 64), tuple(digest[:3]))


def look(word: str, index: int, side: int) -> dict[str, Any]:
    """A word's attention: all of it in one row of the picture, which its index tells; half at the most."""
    image = Image.new("L", (side, side))
    image.paste(255, (0, index, side, index + 1))
    return {"word": word, "resolution": side, "map": encoded(image, "png"), "max_weight": 0.5}


def encoded(image: Image.Image, output_format: str) -> str:
    file = io.BytesIO()
    image.save(file, output_format.upper())
    return base64.b64encode(file.getvalue()).decode()


@dataclass
class StandIn:
    """The API's answers; tests change the fields while it runs."""

    models: list[dict[str, Any]] = field(default_factory=lambda: [dict(model) for model in MODELS])
    held: dict[str, threading.Event] = field(default_factory=dict)
    """What the answer to a sentence, or to a model's sentence as `model: sentence`, waits for."""
    errors: dict[str, tuple[int, dict[str, Any], dict[str, str]]] = field(default_factory=dict)
    """Status, body and headers instead of pictures, by sentence or model; "*" is any."""
    requests: list[dict[str, Any]] = field(default_factory=list)
    paint: Callable[[str, int, float], Image.Image] = paint
    samples: bytes = base64.b64decode(encoded(Image.new("RGB", (64, 32), "teal"), "webp"))
    key: str | None = None
    """What every request must have, if any."""
    port: int = 0
    _server: ThreadingHTTPServer | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def prompts(self) -> list[str]:
        return [request["prompt"] for request in self.requests]

    @property
    def prompts_of_models(self) -> list[str]:
        return [f"{request['model']}: {request['prompt']}" for request in self.requests]

    def hold(self, *prompts: str) -> None:
        """Don't answer these sentences until `release`."""
        self.held.update({prompt: threading.Event() for prompt in prompts})

    def release(self, prompt: str) -> None:
        self.held[prompt].set()

    def wait_for(self, prompt: str) -> None:
        """Wait until a sentence has arrived."""
        end = time.monotonic() + 20
        while prompt not in self.prompts + self.prompts_of_models:
            assert time.monotonic() < end, f"{prompt!r} was never asked for"
            time.sleep(0.01)

    def start(self) -> None:
        handler = type("Handler", (_Handler,), {"api": self})
        self._server = ThreadingHTTPServer(("127.0.0.1", self.port), handler)
        self._server.daemon_threads = True
        self.port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def stop(self) -> None:
        """Go away; `start` comes back at the same port."""
        assert self._server is not None
        self._server.shutdown()
        self._server.server_close()

    def generate(self, request: dict[str, Any]) -> tuple[int, dict[str, Any], dict[str, str]]:
        self.requests.append(request)
        prompt, model = request["prompt"], request["model"]
        trouble = self.errors.get(prompt) or self.errors.get(model) or self.errors.get("*")
        for name in (prompt, f"{model}: {prompt}"):
            if name in self.held:
                self.held[name].wait(30)
        if trouble:
            return trouble
        started = time.perf_counter()
        seeds = [(request["seed"] + i) % 2**32 for i in range(request["n"])]
        truncation = request["truncation"]
        output_format = request.get("output_format", "png")
        data: list[dict[str, Any]] = [
            {"b64_json": encoded(self.paint(prompt, seed, truncation), output_format), "seed": seed}
            for seed in seeds
        ]
        known = next((entry for entry in self.models if entry["id"] == model), {})
        for item, seed in zip(data, seeds, strict=True):
            if request.get("stages"):
                picture = self.paint(prompt, seed, truncation)
                item["stages"] = [
                    {
                        "size": f"{side}x{side}",
                        "b64_json": encoded(picture.resize((side, side)), output_format),
                    }
                    for side in known["stages"]
                ]
            if request.get("attention"):
                item["attention"] = [
                    look(word, index, side)
                    for side in known["attention"]
                    for index, word in enumerate(prompt.split())
                ]
        unknown = [word for word in prompt.split() if word.startswith("xq")]
        duration = 1000 * (time.perf_counter() - started)
        body = {"data": data, "model": request["model"], "unknown_words": unknown, "duration_ms": duration}
        return 200, body, {}


class _Handler(BaseHTTPRequestHandler):
    api: StandIn
    # HTTP/1.0: no connection outlives `stop`.

    def do_GET(self) -> None:
        if not self._has_key():
            return
        if self.path == "/v1/models":
            self._send(200, {"object": "list", "data": self.api.models})
        elif self.path in {f"/v1/models/{model['id']}/samples" for model in self.api.models}:
            self._send_bytes(200, self.api.samples, "image/webp", {})
        else:
            self._send(404, {"error": {"message": "not found"}})

    def do_POST(self) -> None:
        request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if not self._has_key():
            return
        self._send(*self.api.generate(request))

    def _has_key(self) -> bool:
        if self.api.key is None or self.headers["Authorization"] == f"Bearer {self.api.key}":
            return True
        self._send(401, {"error": {"message": "there is no API key", "code": "invalid_api_key"}})
        return False

    def _send(self, status: int, body: dict[str, Any], headers: dict[str, str] | None = None) -> None:
        self._send_bytes(status, json.dumps(body).encode(), "application/json", headers or {})

    def _send_bytes(self, status: int, content: bytes, content_type: str, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in {
            "Content-Type": content_type,
            "Content-Length": str(len(content)),
            **headers,
        }.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *args: object) -> None:
        pass
