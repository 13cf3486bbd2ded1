import pytest

from creativeai.web.client import ApiClient, ApiError
from web.standin import MODELS, StandIn


def refusal(status: int, message: str = "") -> tuple[int, dict, dict[str, str]]:
    return status, {"error": {"message": message, "type": "t", "param": None, "code": None}}, {}


def generate(api: StandIn, prompt: str = "a bird") -> dict:
    return ApiClient(api.url).generate(prompt, model="birds", n=2, seed=7, truncation=1.0)


def test_models(api: StandIn) -> None:
    assert ApiClient(api.url + "/").models() == MODELS


def test_generate_sends_only_what_is_set(api: StandIn) -> None:
    answer = ApiClient(api.url).generate(
        "a bird", model="birds", n=2, seed=7, truncation=0.5, output_format=None
    )
    assert [item["seed"] for item in answer["data"]] == [7, 8]
    assert api.requests == [
        {
            "prompt": "a bird",
            "response_format": "b64_json",
            "model": "birds",
            "n": 2,
            "seed": 7,
            "truncation": 0.5,
        }
    ]


def test_samples(api: StandIn) -> None:
    api.samples = b"webp"
    assert ApiClient(api.url).samples("birds") == (b"webp", "image/webp")


def test_sample_name_stays_in_its_place(api: StandIn) -> None:
    with pytest.raises(ApiError) as caught:
        ApiClient(api.url).samples("../models")
    assert caught.value.kind == "refused"


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, "refused"),
        (404, "refused"),
        (413, "refused"),
        (429, "busy"),
        (500, "failed"),
        (502, "away"),
        (503, "away"),
    ],
)
def test_errors_carry_the_servers_own_words(api: StandIn, status: int, kind: str) -> None:
    api.errors["a bird"] = refusal(status, "the server's own words")
    with pytest.raises(ApiError) as caught:
        generate(api)
    assert (caught.value.kind, caught.value.message) == (kind, "the server's own words")


@pytest.mark.parametrize("body", [{}, {"error": "text"}, {"error": {}}])
def test_errors_without_words_still_say_something(api: StandIn, body: dict) -> None:
    api.errors["a bird"] = (500, body, {})
    with pytest.raises(ApiError, match=r"The model server failed \(500\)\."):
        generate(api)


@pytest.mark.parametrize(("header", "seconds"), [("3", 3.0), ("Wed, 21 Oct 2026 07:28:00 GMT", None)])
def test_busy_says_when_to_try_again(api: StandIn, header: str, seconds: float | None) -> None:
    status, body, _ = refusal(429)
    api.errors["a bird"] = (status, body, {"Retry-After": header})
    with pytest.raises(ApiError) as caught:
        generate(api)
    assert caught.value.retry_after == seconds


def test_nobody_there() -> None:
    with pytest.raises(ApiError) as caught:
        ApiClient("http://127.0.0.1:9").models()
    assert caught.value.kind == "away"


@pytest.mark.parametrize("body", [[], "text", {}, {"data": None}])
def test_unreadable_answer(api: StandIn, body: object) -> None:
    api.errors["a bird"] = (200, body, {})  # type: ignore[assignment]
    with pytest.raises(ApiError) as caught:
        generate(api)
    assert caught.value.kind == "failed"
