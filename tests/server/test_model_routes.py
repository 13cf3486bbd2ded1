import io
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from PIL import Image

from creativeai.server.app import create_app
from tiny_bundle import make_tiny_bundle


def test_models_are_described(client: FlaskClient) -> None:
    answer = client.get("/v1/models").json
    assert answer is not None
    assert answer["object"] == "list"
    [model] = answer["data"]
    assert model == client.get("/v1/models/tiny").json
    assert model["id"] == "tiny"
    assert model["object"] == "model"
    assert model["created"] == 1_700_000_000
    assert model["title"] == "Tiny test model"
    assert model["dataset"]["num_train"] == 10
    assert model["licence"] == "CC0-1.0"
    assert (model["resolution"], model["stages"], model["attention"]) == (32, [16, 32], [])
    assert model["metrics"]["kid"] == 123.4
    assert model["examples"][0] == "a small red bird with black wings"
    assert model["default_truncation"] == 0.8


def test_first_model_is_the_default(bundle: Path, tmp_path: Path) -> None:
    other = make_tiny_bundle(tmp_path, "other", resolution=16)
    client = create_app({"other": other, "tiny": bundle}, wait_for_models=True).test_client()
    listed = client.get("/v1/models").json
    assert listed is not None
    assert [model["id"] for model in listed["data"]] == ["other", "tiny"]
    answer = client.post("/v1/images/generations", json={"prompt": "a bird"}).json
    assert answer is not None
    assert (answer["model"], answer["size"]) == ("other", "16x16")


def test_samples_are_a_picture(client: FlaskClient) -> None:
    response = client.get("/v1/models/tiny/samples")
    assert response.content_type == "image/webp"
    assert Image.open(io.BytesIO(response.data)).format == "WEBP"
    again = client.get("/v1/models/tiny/samples", headers={"If-None-Match": response.headers["ETag"]})
    assert again.status_code == 304


def test_card_is_markdown(client: FlaskClient) -> None:
    response = client.get("/v1/models/tiny/card")
    assert response.content_type == "text/markdown; charset=utf-8"
    assert response.text.startswith("# Tiny test model")


@pytest.mark.parametrize("path", ["none", "none/card", "none/samples", "..", "%2e%2e%2ftiny"])
def test_unknown_model(client: FlaskClient, path: str) -> None:
    response = client.get(f"/v1/models/{path}")
    assert response.status_code == 404
    assert response.json is not None
    assert response.json["error"]["type"] == "invalid_request_error"
