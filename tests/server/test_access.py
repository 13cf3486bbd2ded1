"""A server with API keys: who is let in where."""

import json
import logging
import time
from pathlib import Path
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest
import schemathesis
from flask.testing import FlaskClient
from flask_openapi3 import OpenAPI
from hypothesis import given
from hypothesis import strategies as st

from creativeai.server import access
from creativeai.server.app import create_app
from creativeai.server.keys import ApiKey, KeyFile
from creativeai.server.settings import ServerSettings
from creativeai.server.signing import sign, signer
from server.test_bad_requests import error_of

URL = "/v1/images/generations"
ALICE, BOB = "alices-own-key-0123", "bobs-own-key-45678"
HEADERS = {"Authorization": f"Bearer {ALICE}"}


@pytest.fixture
def key_file(tmp_path: Path) -> Path:
    path = tmp_path / "keys"
    path.write_text(f"alice:{ALICE}\nbob:{BOB}\n")
    return path


@pytest.fixture
def keyed_app(bundle: Path, key_file: Path) -> OpenAPI:
    settings = ServerSettings(keys=KeyFile(key_file))
    return create_app({"tiny": bundle}, settings=settings, wait_for_models=True)


@pytest.fixture
def keyed(keyed_app: OpenAPI) -> FlaskClient:
    return keyed_app.test_client()


@pytest.mark.parametrize("path", ["/v1/models", "/v1/models/tiny", "/v1/images/render", "/metrics"])
def test_needs_a_key(keyed: FlaskClient, path: str) -> None:
    response = keyed.get(path)
    error = error_of(response, 401)
    assert (error["code"], error["type"]) == ("invalid_api_key", "invalid_request_error")
    assert response.headers["WWW-Authenticate"] == 'Bearer realm="CreativeAI"'
    assert keyed.get(path, headers=HEADERS).status_code in (200, 400)


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/openapi.json"])
def test_needs_none(keyed: FlaskClient, path: str) -> None:
    assert keyed.get(path).status_code == 200


@pytest.mark.parametrize(
    "header", ["", "Bearer", "Bearer ", f"Basic {ALICE}", ALICE, f"Bearer {ALICE}x", "Bearer \xff\xfe"]
)
def test_wrong_key(keyed: FlaskClient, header: str) -> None:
    response = keyed.get("/v1/models", headers={"Authorization": header})
    error_of(response, 401)
    assert ALICE not in response.text


def test_the_key_is_asked_for_before_the_body_is_looked_at(keyed: FlaskClient) -> None:
    error_of(keyed.post(URL, data=b"{", content_type="application/json"), 401)


def test_a_key_that_was_withdrawn(keyed: FlaskClient, key_file: Path) -> None:
    assert keyed.get("/v1/models", headers=HEADERS).status_code == 200
    key_file.write_text(f"bob:{BOB}\n")
    response = keyed.get("/v1/models", headers=HEADERS)
    error_of(response, 401)
    assert 'error="invalid_token"' in response.headers["WWW-Authenticate"]


def test_metrics_may_be_open(bundle: Path, key_file: Path) -> None:
    settings = ServerSettings(keys=KeyFile(key_file), open_metrics=True)
    client = create_app({"tiny": bundle}, settings=settings, wait_for_models=True).test_client()
    assert client.get("/metrics").status_code == 200
    assert client.get("/v1/models").status_code == 401


def test_log_names_the_key_and_never_shows_it(keyed: FlaskClient, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        keyed.post(URL, json={"prompt": "a bird"}, headers=HEADERS)
    assert "model=tiny key=alice" in caplog.text
    assert ALICE not in caplog.text


def test_refusals_are_counted(keyed: FlaskClient) -> None:
    keyed.get("/v1/models")
    text = keyed.get("/metrics", headers=HEADERS).text
    assert 'creativeai_refused_requests_total{model="",reason="no_key"} 1.0' in text


def picture_url(client: FlaskClient) -> str:
    fields = {"prompt": "a red bird", "response_format": "url", "seed": 7, "stages": True}
    answer = client.post(URL, json=fields, headers=HEADERS).json
    assert answer is not None
    url: str = answer["data"][0]["url"]
    return url


def test_addresses_work_without_the_key(keyed: FlaskClient) -> None:
    response = keyed.get(picture_url(keyed))
    assert (response.status_code, response.data[:4]) == (200, b"\x89PNG")
    assert response.cache_control.private and not response.cache_control.public


@pytest.mark.parametrize(
    "change",
    [
        {"seed": "8"},
        {"prompt": "a blue bird"},
        {"output_format": "webp"},
        {"token": ""},
        {"token": "bob.99999999999.00"},
        {"token": "alice.é.00"},
        {"token": "x"},
    ],
)
def test_addresses_that_were_changed(keyed: FlaskClient, change: dict[str, str]) -> None:
    fields = dict(parse_qsl(urlsplit(picture_url(keyed)).query))
    error_of(keyed.get("/v1/images/render", query_string=urlencode(fields | change)), 401)


def test_an_address_is_for_its_picture_only(keyed: FlaskClient) -> None:
    error_of(keyed.get("/v1/models", query_string=urlsplit(picture_url(keyed)).query), 401)


def test_addresses_end_with_time(keyed: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    url = picture_url(keyed)
    now = time.time()
    monkeypatch.setattr(access.time, "time", lambda: now + 3700)
    assert "ended" in error_of(keyed.get(url), 401)["message"]


def test_addresses_end_with_their_key(keyed: FlaskClient, key_file: Path) -> None:
    url = picture_url(keyed)
    key_file.write_text(f"bob:{BOB}\n")
    error_of(keyed.get(url), 401)


def test_a_server_without_keys_signs_nothing(client: FlaskClient) -> None:
    assert "token" not in picture_url(client)


FIELDS = st.lists(st.tuples(st.text(max_size=8), st.text(max_size=8)), max_size=4)


@given(FIELDS, FIELDS, st.text(max_size=40))
def test_only_what_was_signed_is_let_through(
    tmp_path_factory: pytest.TempPathFactory,
    fields: list[tuple[str, str]],
    others: list[tuple[str, str]],
    forged: str,
) -> None:
    path = tmp_path_factory.getbasetemp() / "signing-keys"
    path.write_text(f"a.b:{ALICE}\n")
    keys = KeyFile(path)
    key = keys.find(ALICE)
    assert isinstance(key, ApiKey)
    token = sign(key, fields, 1000)
    assert signer(keys, fields, token, 999) == key
    assert signer(keys, fields, token, 1001) is None
    assert signer(keys, fields, forged, 0) is None
    if sorted(fields) != sorted(others):
        assert signer(keys, others, token, 999) is None


def test_description_has_keys_only_where_they_are_asked_for(keyed_app: OpenAPI, shared_app: OpenAPI) -> None:
    document = keyed_app.test_client().get("/openapi.json").json
    assert document is not None
    [(scheme, kind)] = document["components"]["securitySchemes"].items()
    assert kind == {"type": "http", "scheme": "bearer"}
    for path, operations in document["paths"].items():
        for operation in operations.values():
            is_open = path in ("/healthz", "/readyz", "/openapi.json")
            assert ("401" not in operation["responses"]) == is_open
            assert operation.get("security", []) == ([] if is_open else [{scheme: []}])
    without = json.dumps(shared_app.test_client().get("/openapi.json").json)
    assert '"401"' not in without and '"bearer"' not in without


def test_refusal_keeps_to_the_description(keyed_app: OpenAPI) -> None:
    schema = schemathesis.openapi.from_wsgi("/openapi.json", keyed_app)
    for path in ("/v1/models", "/metrics"):
        case = schema[path]["GET"].Case()
        assert case.call_and_validate().status_code == 401
        assert case.call_and_validate(headers=HEADERS).status_code == 200
