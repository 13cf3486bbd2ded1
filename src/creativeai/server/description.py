"""What /openapi.json says of this server beside what its routes and schemas say: limits and keys as set."""

import copy
from typing import Any

from creativeai.server.access import needs_key
from creativeai.server.settings import ServerSettings

_SCHEME = "ApiKey"
_CHALLENGE = {"description": "How to send a key.", "schema": {"type": "string"}}


def describe(document: dict[str, Any], settings: ServerSettings) -> dict[str, Any]:
    """The OpenAPI document of a server with these settings; the one given stays as it is."""
    described = copy.deepcopy(document)
    _describe_limits(described, settings)
    if settings.keys is not None:
        _describe_keys(described, settings)
    return described


def _describe_limits(document: dict[str, Any], settings: ServerSettings) -> None:
    limits = settings.limits
    fields = document["components"]["schemas"]["GenerationRequest"]["properties"]
    fields["n"]["maximum"] = limits.max_n
    render = document["paths"]["/v1/images/render"]["get"]["parameters"]
    [prompt] = [parameter for parameter in render if parameter["name"] == "prompt"]
    for described in (fields["prompt"], prompt):
        described["description"] = f"What the picture shows, 1 to {limits.max_prompt_length} characters."


def _describe_keys(document: dict[str, Any], settings: ServerSettings) -> None:
    document["components"]["securitySchemes"] = {_SCHEME: {"type": "http", "scheme": "bearer"}}
    error = {"application/json": {"schema": {"$ref": "#/components/schemas/ErrorResponse"}}}
    refusal = {
        "description": "No API key, or one that is not known.",
        "headers": {"WWW-Authenticate": _CHALLENGE},
        "content": error,
    }
    for path, operations in document["paths"].items():
        if not needs_key(path, settings):
            continue
        for operation in operations.values():
            operation["security"] = [{_SCHEME: []}]
            operation["responses"]["401"] = refusal
