"""Attention maps over the API."""

import base64
import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from flask.testing import FlaskClient
from PIL import Image

from creativeai.engine import PictureRequest
from creativeai.server.app import create_app
from creativeai.server.encoding import encode_map

URL = "/v1/images/generations"
TEXT = "a small red bird"


@pytest.fixture(scope="module")
def app(attentive: Path, bundle: Path) -> Any:
    return create_app({"attentive": attentive, "tiny": bundle}, wait_for_models=True)


@pytest.fixture
def client(app: Any) -> FlaskClient:
    client: FlaskClient = app.test_client()
    return client


def data_of(client: FlaskClient, **fields: Any) -> list[dict[str, Any]]:
    answer = client.post(URL, json={"prompt": TEXT, "seed": 3, "truncation": 1, **fields})
    assert answer.status_code == 200, answer.json
    assert answer.json is not None
    data: list[dict[str, Any]] = answer.json["data"]
    return data


def weights_of(entry: dict[str, Any]) -> Any:
    """The weights an entry stands for, as the description says."""
    image = Image.open(io.BytesIO(base64.b64decode(entry["map"])))
    assert (image.format, image.mode, image.size) == ("PNG", "L", (entry["resolution"],) * 2)
    return np.asarray(image) / 255 * entry["max_weight"]


def test_each_picture_has_each_word_of_each_stage(client: FlaskClient, app: Any) -> None:
    pictures = data_of(client, attention=True, n=2)
    engine = app.extensions["models"].get("attentive").engine
    expected = engine.generate([PictureRequest(TEXT, seed, 1.0, attention=True) for seed in (3, 4)])
    for picture, made in zip(pictures, expected, strict=True):
        entries = picture["attention"]
        assert [(entry["resolution"], entry["word"]) for entry in entries] == [
            (side, word) for side in (16, 32) for word in ("a", "small", "red", "bird")
        ]
        weights = [weights_of(entry) for entry in entries]
        for shown, true in zip(weights, [*made.attention[0], *made.attention[1]], strict=True):
            np.testing.assert_allclose(shown, true, atol=true.max() / 500)
        assert {entry["max_weight"] for entry in entries} != {1.0}
        np.testing.assert_allclose(sum(weights[:4]), 1, atol=0.01)


def test_nothing_of_it_unless_asked_for(client: FlaskClient) -> None:
    [asked], [plain], [declined] = (data_of(client, attention=value) for value in (True, None, False))
    assert "attention" in asked and "attention" not in plain
    assert plain == declined == {name: asked[name] for name in ("b64_json", "seed")}


def test_stages_and_attention_together(client: FlaskClient) -> None:
    [picture] = data_of(client, attention=True, stages=True, output_format="jpeg")
    assert [stage["size"] for stage in picture["stages"]] == ["16x16", "32x32", "64x64"]
    assert {entry["resolution"] for entry in picture["attention"]} == {16, 32}


def test_models_say_whether_they_have_it(client: FlaskClient) -> None:
    answer: Any = client.get("/v1/models").json
    assert [(model["id"], model["stages"], model["attention"]) for model in answer["data"]] == [
        ("attentive", [16, 32, 64], [16, 32]),
        ("tiny", [16, 32], []),
    ]


@pytest.mark.parametrize(
    ("fields", "param", "said"),
    [
        ({"model": "tiny"}, "attention", "the model tiny has no attention maps"),
        ({"response_format": "url"}, "response_format", "b64_json"),
        ({"n": 9}, "n", "at most 8"),
        ({"n": 65}, "n", "at most 8"),
    ],
)
def test_what_has_no_maps_is_refused(
    client: FlaskClient, fields: dict[str, Any], param: str, said: str
) -> None:
    answer: Any = client.post(URL, json={"prompt": TEXT, "attention": True, **fields})
    assert answer.status_code == 400
    assert answer.json["error"]["param"] == param
    assert said in answer.json["error"]["message"]


def test_map_without_any_weight_is_black() -> None:
    png, max_weight = encode_map(np.zeros((4, 4), np.float32))
    assert max_weight == 0
    assert np.asarray(Image.open(io.BytesIO(png))).max() == 0
