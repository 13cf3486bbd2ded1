import base64
import io
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import parse_qs, urlsplit

import numpy as np
import pytest
from flask.testing import FlaskClient
from flask_openapi3 import OpenAPI
from numpy.typing import NDArray
from PIL import Image

from creativeai.engine import Engine, PictureRequest

URL = "/v1/images/generations"
TEXT = "a small red bird with black wings"


def generate(client: FlaskClient, **fields: Any) -> dict[str, Any]:
    response = client.post(URL, json={"prompt": TEXT, **fields})
    assert response.status_code == 200, response.json
    assert response.json is not None
    return response.json


def pixels_of(data: bytes | str) -> NDArray[np.uint8]:
    """Pixels of a picture file, or of its base64 text."""
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(data) if isinstance(data, str) else data)))


def test_answers_the_pictures_of_the_engine(client: FlaskClient, engine: Engine) -> None:
    answer = generate(client, n=3, seed=7, truncation=0.5)
    expected = engine.generate([PictureRequest(TEXT, seed, 0.5) for seed in (7, 8, 9)])
    assert [item["seed"] for item in answer["data"]] == [7, 8, 9]
    for item, picture in zip(answer["data"], expected, strict=True):
        np.testing.assert_array_equal(pixels_of(item["b64_json"]), picture.pixels)


def test_answer_says_how_it_came_about(client: FlaskClient) -> None:
    answer = generate(client)
    assert answer["model"] == "tiny"
    assert (answer["size"], answer["output_format"]) == ("32x32", "png")
    assert answer["created"] > 1_700_000_000
    assert answer["duration_ms"] > 0
    assert answer["unknown_words"] == []
    assert set(answer["data"][0]) == {"b64_json", "seed"}


def test_default_truncation_is_the_models(client: FlaskClient, engine: Engine) -> None:
    answer = generate(client, seed=1)
    [expected] = engine.generate([PictureRequest(TEXT, 1, engine.manifest.default_truncation)])
    np.testing.assert_array_equal(pixels_of(answer["data"][0]["b64_json"]), expected.pixels)


def test_seed_is_random_when_left_out(client: FlaskClient) -> None:
    assert len({generate(client)["data"][0]["seed"] for _ in range(4)}) == 4


def test_seeds_wrap_around(client: FlaskClient) -> None:
    answer = generate(client, n=2, seed=2**32 - 1)
    assert [item["seed"] for item in answer["data"]] == [2**32 - 1, 0]


def test_each_picture_can_be_made_again_alone(client: FlaskClient) -> None:
    for item in generate(client, n=4, seed=99)["data"]:
        assert generate(client, seed=item["seed"])["data"][0]["b64_json"] == item["b64_json"]


def test_many_callers_get_what_each_would_get_alone(client: FlaskClient, shared_app: OpenAPI) -> None:
    jobs = [{"prompt": f"a {colour} bird", "seed": seed, "n": 1 + seed % 3}
            for seed, colour in enumerate(["red", "blue", "green", "white"] * 6)]  # fmt: skip
    alone = [generate(client, **job)["data"] for job in jobs]
    with ThreadPoolExecutor(16) as pool:
        together = list(pool.map(lambda job: generate(shared_app.test_client(), **job)["data"], jobs))
    assert together == alone


@pytest.mark.parametrize("output_format", ["png", "webp", "jpeg"])
def test_output_formats(client: FlaskClient, output_format: str) -> None:
    answer = generate(client, output_format=output_format)
    image = Image.open(io.BytesIO(base64.b64decode(answer["data"][0]["b64_json"])))
    assert (image.format, image.size) == (output_format.upper(), (32, 32))
    assert answer["output_format"] == output_format


@pytest.mark.parametrize(("size", "side"), [("16x16", 16), ("32x32", 32), ("auto", 32), (None, 32)])
def test_size_picks_the_stage(client: FlaskClient, engine: Engine, size: str | None, side: int) -> None:
    answer = generate(client, size=size, seed=5, truncation=1)
    [picture] = engine.generate([PictureRequest(TEXT, 5, 1.0)])
    expected = next(stage for stage in picture.stages if len(stage) == side)
    np.testing.assert_array_equal(pixels_of(answer["data"][0]["b64_json"]), expected)
    assert answer["size"] == f"{side}x{side}"


def test_stages_are_answered_coarse_to_fine(client: FlaskClient) -> None:
    [item] = generate(client, stages=True)["data"]
    assert [stage["size"] for stage in item["stages"]] == ["16x16", "32x32"]
    assert [pixels_of(stage["b64_json"]).shape for stage in item["stages"]] == [(16, 16, 3), (32, 32, 3)]
    assert item["stages"][-1]["b64_json"] == item["b64_json"]


def test_text_as_read_is_told_where_it_differs(client: FlaskClient) -> None:
    assert generate(client, prompt=" a  red\x07bird\n")["data"][0]["revised_prompt"] == "a red bird"


def test_words_of_no_use_are_told(client: FlaskClient) -> None:
    assert generate(client, prompt="a red птица")["unknown_words"] == ["птица"]


def test_fields_that_change_nothing_are_taken(client: FlaskClient) -> None:
    fields = {
        "n": None,
        "user": "me",
        "safety_identifier": "me",
        "quality": "auto",
        "style": None,
        "background": "auto",
        "moderation": "auto",
        "attention": False,
        "stream": False,
    }
    assert generate(client, seed=3, **fields)["data"] == generate(client, seed=3)["data"]


def test_address_gives_the_same_picture(client: FlaskClient) -> None:
    fields: dict[str, Any] = {"prompt": "a red & blue bird?", "n": 2, "seed": 11, "truncation": 0.25}
    for embedded, linked in zip(
        generate(client, **fields, stages=True)["data"],
        generate(client, **fields, stages=True, response_format="url")["data"],
        strict=True,
    ):
        assert linked["url"].startswith("http://localhost/v1/images/render?")
        assert client.get(linked["url"]).data == base64.b64decode(embedded["b64_json"])
        for one, other in zip(embedded["stages"], linked["stages"], strict=True):
            assert client.get(other["url"]).data == base64.b64decode(one["b64_json"])


def test_address_says_all_the_picture_is_made_from(client: FlaskClient) -> None:
    answer = generate(client, seed=3, response_format="url", output_format="webp", size="16x16")
    assert parse_qs(urlsplit(answer["data"][0]["url"]).query) == {
        "model": ["tiny"],
        "prompt": [TEXT],
        "seed": ["3"],
        "truncation": ["0.8"],
        "size": ["16x16"],
        "output_format": ["webp"],
    }


def test_loaded_picture_may_be_kept(client: FlaskClient) -> None:
    url = "/v1/images/render?model=tiny&prompt=a+bird&seed=1"
    response = client.get(url)
    assert response.content_type == "image/png"
    assert response.headers["Content-Disposition"] == 'inline; filename="tiny-1.png"'
    assert response.cache_control.public
    again = client.get(url, headers={"If-None-Match": response.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")
    other = client.get(url.replace("seed=1", "seed=2"), headers={"If-None-Match": response.headers["ETag"]})
    assert other.status_code == 200


@pytest.mark.parametrize(
    ("query", "status", "param"),
    [
        ("model=tiny&prompt=a+bird", 400, "seed"),
        ("model=tiny&prompt=a+bird&seed=x", 400, "seed"),
        ("model=tiny&prompt=a+bird&seed=-1", 400, "seed"),
        ("model=tiny&prompt=&seed=1", 400, "prompt"),
        ("model=tiny&prompt=a+bird&seed=1&truncation=nan", 400, "truncation"),
        ("model=tiny&prompt=a+bird&seed=1&size=1x1", 400, "size"),
        ("model=tiny&prompt=a+bird&seed=1&output_format=gif", 400, "output_format"),
        ("model=tiny&prompt=a+bird&seed=1&quality=best", 400, "quality"),
        ("model=none&prompt=a+bird&seed=1", 404, "model"),
    ],
)
def test_address_with_a_wrong_part(client: FlaskClient, query: str, status: int, param: str) -> None:
    response = client.get(f"/v1/images/render?{query}")
    assert response.status_code == status
    assert response.json is not None
    assert response.json["error"]["param"] == param


def test_prompt_too_long_for_an_address(client: FlaskClient) -> None:
    fields = {"prompt": "bird " + "é😀" * 490, "response_format": "url"}
    response = client.post(URL, json=fields)
    assert response.status_code == 400
    assert response.json is not None
    assert response.json["error"]["param"] == "response_format"
