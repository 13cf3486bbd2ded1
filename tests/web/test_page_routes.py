import base64
import hashlib
import io
import re
from typing import Any

import pytest
from flask.testing import FlaskClient
from PIL import Image

from creativeai.web import create_page
from web.standin import MODELS, StandIn, paint

ASKED = {"text": "a bird", "model": "birds", "seed": 7, "truncation": 0.5, "n": 2}
ONE = {"text": "a bird", "model": "birds", "seed": "7", "truncation": "0.5"}


@pytest.fixture
def browser(api: StandIn) -> FlaskClient:
    return create_page(api.url).server.test_client()


def test_status(browser: FlaskClient) -> None:
    assert browser.get("/api/status").json == {"models": MODELS}


def test_pictures(api: StandIn, browser: FlaskClient) -> None:
    answer: Any = browser.post("/api/pictures", json=ASKED).json
    assert [picture["seed"] for picture in answer["pictures"]] == [7, 8]
    assert all(picture["src"].startswith("data:image/jpeg;base64,/9j/") for picture in answer["pictures"])
    assert answer["unknown_words"] == []
    assert answer["duration_ms"] >= 0
    assert api.requests[0]["output_format"] == "jpeg"


def test_the_key_goes_to_the_api_and_to_no_browser(api: StandIn) -> None:
    api.key = "the-pages-own-key"
    page = create_page(api.url, api.key).server.test_client()
    answers = [
        page.get("/api/status"),
        page.post("/api/pictures", json=ASKED),
        page.get("/api/picture.png", query_string=ONE),
        page.get("/api/models/birds/samples"),
        page.get("/"),
        page.get("/_dash-layout"),
    ]
    for answer in answers:
        assert answer.status_code == 200
        assert api.key.encode() not in answer.data
        assert api.key not in str(answer.headers)


def test_a_key_that_is_not_taken_is_no_visitors_matter(api: StandIn, browser: FlaskClient) -> None:
    api.key = "the-pages-own-key"
    answer: Any = browser.post("/api/pictures", json=ASKED)
    assert (answer.status_code, answer.json["error"]["kind"]) == (502, "failed")
    assert answer.json["error"]["message"] == "The model server does not accept this page's key."


def test_security_headers(browser: FlaskClient) -> None:
    for path in ("/", "/api/status", "/nowhere", "/assets/page.js"):
        headers = browser.get(path).headers
        policy = dict(part.split(" ", 1) for part in headers["Content-Security-Policy"].split("; "))
        assert policy["default-src"] == "'self'"
        assert "unsafe" not in policy["script-src"]
        assert policy["frame-ancestors"] == policy["object-src"] == "'none'"
        assert headers["X-Frame-Options"] == "DENY"
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert "camera=()" in headers["Permissions-Policy"]


def test_every_inline_script_is_known_to_the_policy(browser: FlaskClient) -> None:
    answer = browser.get("/")
    scripts = re.findall(r"<script(?![^>]*(?:src=|application/json))[^>]*>(.*?)</script>", answer.text, re.S)
    assert len(scripts) == 2
    for script in scripts:
        digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
        assert f"'sha256-{digest}'" in answer.headers["Content-Security-Policy"]


def test_unknown_words_are_passed_on(browser: FlaskClient) -> None:
    answer: Any = browser.post("/api/pictures", json=ASKED | {"text": "an xqz bird"}).json
    assert answer["unknown_words"] == ["xqz"]


@pytest.mark.parametrize("body", ["", "{", "[1]", "{}", '{"text": 3}'])
def test_wrong_request_is_refused_here(api: StandIn, browser: FlaskClient, body: str) -> None:
    answer: Any = browser.post("/api/pictures", data=body, content_type="application/json")
    assert answer.status_code == 400
    assert answer.json["error"]["kind"] == "refused"
    assert not api.requests


@pytest.mark.parametrize(
    ("status", "kind", "passed_on"),
    [(400, "refused", 400), (429, "busy", 429), (503, "away", 503), (500, "failed", 502)],
)
def test_api_errors_are_passed_on(
    api: StandIn, browser: FlaskClient, status: int, kind: str, passed_on: int
) -> None:
    api.errors["*"] = (status, {"error": {"message": "why"}}, {"Retry-After": "2"})
    answer: Any = browser.post("/api/pictures", json=ASKED)
    assert answer.status_code == passed_on
    assert answer.json["error"]["kind"] == kind
    assert answer.json["error"]["message"] == "why"


def test_page_is_there_without_an_api() -> None:
    browser = create_page("http://127.0.0.1:9").server.test_client()
    assert browser.get("/").status_code == 200
    assert browser.get("/_dash-layout").status_code == 200
    assert browser.get("/api/status").status_code == 503


def test_picture_file_is_the_picture_itself(browser: FlaskClient) -> None:
    answer = browser.get("/api/picture.png", query_string=ONE)
    assert answer.content_type == "image/png"
    picture = Image.open(io.BytesIO(answer.data))
    assert picture.tobytes() == paint("a bird", 7, 0.5).tobytes()


def test_large_picture(browser: FlaskClient) -> None:
    answer = browser.get("/api/picture-large.jpg", query_string=ONE)
    assert answer.content_type == "image/jpeg"
    assert Image.open(io.BytesIO(answer.data)).size == (768, 768)


def test_inside_of_a_picture(api: StandIn, browser: FlaskClient) -> None:
    answer: Any = browser.get(
        "/api/picture-inside", query_string=ONE | {"model": "toys", "attention": "true"}
    )
    sizes = [Image.open(io.BytesIO(content_of(src))).size for src in answer.json["stages"]]
    assert sizes == [(16, 16), (32, 32), (64, 64)]
    looks = [(look["resolution"], look["word"], look["max_weight"]) for look in answer.json["attention"]]
    assert looks == [(side, word, 0.5) for side in (16, 32) for word in ("a", "bird")]
    assert Image.open(io.BytesIO(content_of(answer.json["attention"][1]["src"]))).getpixel((0, 1)) == 255
    assert api.requests[0].items() >= {"stages": True, "attention": True, "n": 1, "seed": 7}.items()


def test_inside_of_a_picture_without_attention(api: StandIn, browser: FlaskClient) -> None:
    answer: Any = browser.get("/api/picture-inside", query_string=ONE | {"model": "toys"})
    assert (len(answer.json["stages"]), answer.json["attention"]) == (3, [])
    assert "attention" not in api.requests[0]


def content_of(data_url: str) -> bytes:
    head, encoded = data_url.split(",")
    assert head == "data:image/png;base64"
    return base64.b64decode(encoded)


@pytest.mark.parametrize("query", [{}, {"seed": "1"}, ONE | {"seed": "x"}, ONE | {"truncation": "much"}])
def test_picture_address_with_something_missing(browser: FlaskClient, query: dict[str, str]) -> None:
    for file in ("picture.png", "picture-inside"):
        assert browser.get(f"/api/{file}", query_string=query).status_code == 400


def test_samples(api: StandIn, browser: FlaskClient) -> None:
    api.samples = b"webp"
    answer = browser.get("/api/models/birds/samples")
    assert (answer.data, answer.content_type) == (b"webp", "image/webp")
    again = browser.get("/api/models/birds/samples", headers={"If-None-Match": answer.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")


def test_nothing_may_come_from_elsewhere(browser: FlaskClient) -> None:
    answer = browser.get("/")
    assert "default-src 'self'" in answer.headers["Content-Security-Policy"]
    assert "http://" not in answer.text and "https://" not in answer.text


def test_scripts_are_compressed(browser: FlaskClient) -> None:
    answer = browser.get("/assets/page.js", headers={"Accept-Encoding": "br"})
    assert answer.headers["Content-Encoding"] == "br"


def test_pictures_are_not_compressed_again(browser: FlaskClient) -> None:
    answer = browser.post("/api/pictures", json=ASKED | {"n": 16}, headers={"Accept-Encoding": "gzip, br"})
    assert "Content-Encoding" not in answer.headers
