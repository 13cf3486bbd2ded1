"""OpenAI's own client against a real server."""

import base64
import io
from pathlib import Path

import openai
import pytest
import requests
from openai import OpenAI
from PIL import Image

from creativeai.bundles.catalog import find_bundles
from server.live_server import start_server, stop_server


@pytest.fixture
def openai_client(server_url: str) -> OpenAI:
    return OpenAI(base_url=f"{server_url}/v1", api_key="none", max_retries=0)


def test_generates_pictures(openai_client: OpenAI) -> None:
    answer = openai_client.images.generate(
        model="tiny", prompt="a small red bird", n=2, size="auto", quality="auto", user="me"
    )
    assert answer.data is not None
    assert len(answer.data) == 2
    for item in answer.data:
        assert item.b64_json is not None
        assert Image.open(io.BytesIO(base64.b64decode(item.b64_json))).size == (32, 32)
    assert (answer.size, answer.output_format) == ("32x32", "png")
    assert answer.created > 0


KEY = "my-very-own-key-0123"


def test_works_with_a_key_and_not_without(bundle: Path, tmp_path: Path) -> None:
    (tmp_path / "keys").write_text(f"me:{KEY}")
    process, url = start_server("--models", str(bundle), "--api-keys", str(tmp_path / "keys"))
    try:
        client = OpenAI(base_url=f"{url}/v1", api_key=KEY, max_retries=0)
        answer = client.images.generate(prompt="a red bird", response_format="url")
        assert answer.data is not None and answer.data[0].url is not None
        assert requests.get(answer.data[0].url).content.startswith(b"\x89PNG")
        stranger = OpenAI(base_url=f"{url}/v1", api_key="none", max_retries=0)
        with pytest.raises(openai.AuthenticationError) as caught:
            stranger.images.generate(prompt="a red bird")
        assert caught.value.code == "invalid_api_key"
    finally:
        stop_server(process)


def test_our_own_fields_go_both_ways(openai_client: OpenAI) -> None:
    def generate() -> object:
        answer = openai_client.images.generate(
            prompt="a red bird", extra_body={"seed": 7, "truncation": 0.5, "stages": True}
        )
        assert answer.data is not None
        [item] = answer.data
        assert item.model_extra is not None
        assert item.model_extra["seed"] == 7
        assert [stage["size"] for stage in item.model_extra["stages"]] == ["16x16", "32x32"]
        return item

    assert generate() == generate()


def test_addresses_can_be_loaded(openai_client: OpenAI) -> None:
    answer = openai_client.images.generate(prompt="a red bird", response_format="url", output_format="webp")
    assert answer.data is not None
    assert answer.data[0].url is not None
    response = requests.get(answer.data[0].url)
    assert response.headers["Content-Type"] == "image/webp"
    assert Image.open(io.BytesIO(response.content)).size == (32, 32)


def test_lists_models(openai_client: OpenAI) -> None:
    assert [model.id for model in openai_client.models.list()] == ["tiny", *find_bundles()]
    assert openai_client.models.retrieve("tiny").owned_by == "creativeai"


def test_errors_are_openais(openai_client: OpenAI) -> None:
    with pytest.raises(openai.BadRequestError) as bad:
        openai_client.images.generate(prompt="a bird", n=65)
    assert (bad.value.param, bad.value.type, bad.value.code) == (
        "n",
        "invalid_request_error",
        "invalid_value",
    )
    assert bad.value.request_id
    with pytest.raises(openai.NotFoundError) as unknown:
        openai_client.images.generate(prompt="a bird", model="dall-e-3")
    assert unknown.value.code == "model_not_found"
