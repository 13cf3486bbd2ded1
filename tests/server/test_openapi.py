"""The API keeps to what /openapi.json says of it."""

from collections.abc import Callable
from typing import Any

import pytest
import schemathesis
from flask.testing import FlaskClient
from flask_openapi3 import OpenAPI
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st
from schemathesis import Case, GenerationMode

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
FIELDS = [
    "prompt",
    "model",
    "n",
    "size",
    "seed",
    "truncation",
    "stages",
    "attention",
    "output_format",
    "other",
]
PATHS = [
    "/v1/images/generations",
    "/v1/images/render",
    "/v1/models",
    "/v1/models/{model}",
    "/v1/models/{model}/samples",
    "/v1/models/{model}/card",
    "/healthz",
    "/readyz",
    "/metrics",
    "/openapi.json",
]


def fuzzed(max_examples: int) -> Callable[[Any], Any]:
    """The same examples each time, and nothing kept."""

    def decorate(test: Any) -> Any:
        limits = settings(
            max_examples=max_examples, deadline=None, database=None, suppress_health_check=list(HealthCheck)
        )
        return seed(0)(limits(test))

    return decorate


@pytest.fixture(scope="session")
def document(shared_app: OpenAPI) -> dict[str, Any]:
    answer = shared_app.test_client().get("/openapi.json").json
    assert answer is not None
    return answer


def test_describes_every_route(document: dict[str, Any], shared_app: OpenAPI) -> None:
    routes = {rule.rule.replace("<", "{").replace(">", "}") for rule in shared_app.url_map.iter_rules()}
    assert document["openapi"].startswith("3.1")
    assert document["paths"].keys() == routes == set(PATHS)


def test_every_operation_says_what_it_does_and_how_it_fails(document: dict[str, Any]) -> None:
    error = {"schema": {"$ref": "#/components/schemas/ErrorResponse"}}
    for path, operations in document["paths"].items():
        for operation in operations.values():
            assert operation["summary"], path
            assert operation["operationId"], path
            failures = {status: body for status, body in operation["responses"].items() if status >= "400"}
            assert "500" in failures
            assert all(body["content"]["application/json"] == error for body in failures.values()), path


def test_documents_the_limits(document: dict[str, Any]) -> None:
    fields = document["components"]["schemas"]["GenerationRequest"]
    assert fields["required"] == ["prompt"]
    assert fields["additionalProperties"] is False
    assert (fields["properties"]["n"]["minimum"], fields["properties"]["n"]["maximum"]) == (1, 64)
    assert fields["properties"]["seed"]["maximum"] == 2**32 - 1


def test_documents_the_attention_maps(document: dict[str, Any]) -> None:
    schemas = document["components"]["schemas"]
    [maps] = [
        kind for kind in schemas["GeneratedPicture"]["properties"]["attention"]["anyOf"] if "items" in kind
    ]
    assert maps["items"] == {"$ref": "#/components/schemas/WordAttention"}
    assert schemas["WordAttention"]["required"] == ["word", "resolution", "map", "max_weight"]
    assert "max_weight" in schemas["WordAttention"]["properties"]["map"]["description"]
    assert "attention" in schemas["ModelInfo"]["required"]


@pytest.mark.parametrize("mode", GenerationMode)
@pytest.mark.parametrize("path", PATHS)
def test_keeps_to_its_description(shared_app: OpenAPI, path: str, mode: GenerationMode) -> None:
    schema = schemathesis.openapi.from_wsgi("/openapi.json", shared_app)
    [operation] = schema[path].values()
    if mode is GenerationMode.NEGATIVE and not operation.body and not operation.query:
        return  # nothing to get wrong

    @fuzzed(max_examples=20)
    @given(case=operation.as_strategy(generation_mode=mode))
    def check(case: Case) -> None:
        if mode is GenerationMode.POSITIVE:
            # What a model can do is not for the schema to say.
            for fields in (case.body, case.query):
                if isinstance(fields, dict) and "prompt" in fields:
                    fields |= {"prompt": "a red bird", "model": "tiny", "size": "auto"}
                    fields.pop("attention", None)
        case.call_and_validate()

    check()


@fuzzed(max_examples=100)
@given(fields=st.dictionaries(st.sampled_from(FIELDS), JSON))
def test_no_value_is_more_than_a_bad_request(client: FlaskClient, fields: dict[str, Any]) -> None:
    response = client.post("/v1/images/generations", json=fields)
    assert response.status_code in (200, 400, 404)
    assert response.json is not None
    assert ("error" in response.json) == (response.status_code != 200)
