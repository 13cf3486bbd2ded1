from pathlib import Path

import pytest
from flask.testing import FlaskClient

from creativeai.server.app import create_app
from creativeai.server.keys import KeyFile
from creativeai.server.settings import ServerSettings

URL = "/v1/images/generations"
PAGE = "https://pictures.example"
ASKS = {
    "Origin": PAGE,
    "Access-Control-Request-Method": "POST",
    "Access-Control-Request-Headers": "authorization,content-type,x-stainless-os",
}


@pytest.fixture(scope="module")
def opened(bundle: Path, tmp_path_factory: pytest.TempPathFactory) -> FlaskClient:
    """A server with keys that a page of another address may call."""
    path = tmp_path_factory.mktemp("keys") / "keys"
    path.write_text("alices-own-key-0123")
    settings = ServerSettings(keys=KeyFile(path), cors_origins=(PAGE, "http://localhost:3000"))
    return create_app({"tiny": bundle}, settings=settings, wait_for_models=True).test_client()


def test_preflight_needs_no_key(opened: FlaskClient) -> None:
    response = opened.options(URL, headers=ASKS)
    assert response.status_code == 204
    assert response.headers["Access-Control-Allow-Origin"] == PAGE
    assert "POST" in response.headers["Access-Control-Allow-Methods"]
    assert response.headers["Access-Control-Allow-Headers"] == ASKS["Access-Control-Request-Headers"]
    assert int(response.headers["Access-Control-Max-Age"]) > 0
    assert "Origin" in response.headers["Vary"]
    assert response.headers["X-Request-ID"]


def test_answers_may_be_read_errors_too(opened: FlaskClient) -> None:
    key = {"Authorization": "Bearer alices-own-key-0123"}
    for headers, status in ((key, 200), ({}, 401)):
        response = opened.post(URL, json={"prompt": "a bird"}, headers={"Origin": PAGE, **headers})
        assert response.status_code == status
        assert response.headers["Access-Control-Allow-Origin"] == PAGE
        assert "Retry-After" in response.headers["Access-Control-Expose-Headers"]
        assert "Access-Control-Allow-Credentials" not in response.headers


@pytest.mark.parametrize(
    "origin",
    ["https://evil.example", "https://pictures.example.evil.example", PAGE + "/", PAGE.upper(), "null", "*"],
)
def test_other_origins_may_not(opened: FlaskClient, origin: str) -> None:
    for response in (
        opened.options(URL, headers=ASKS | {"Origin": origin}),
        opened.get("/v1/models", headers={"Origin": origin}),
    ):
        assert not [name for name, _ in response.headers if name.startswith("Access-Control")]
        assert "Origin" in response.headers["Vary"], "a cache must not give this answer to our page"


def test_headers_that_are_no_names_are_not_echoed(opened: FlaskClient) -> None:
    response = opened.options(URL, headers=ASKS | {"Access-Control-Request-Headers": "<script>"})
    assert "Access-Control-Allow-Headers" not in response.headers


def test_status_routes_stay_closed(opened: FlaskClient) -> None:
    headers = opened.get("/healthz", headers={"Origin": PAGE}).headers
    assert not [name for name, _ in headers if name.startswith("Access-Control")]
