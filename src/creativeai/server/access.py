"""Who may ask: everybody, or whoever has one of the keys."""

import time
from ipaddress import IPv6Address, IPv6Network

from flask import g, request

from creativeai.server.errors import ApiError
from creativeai.server.keys import ApiKey, KeyFile
from creativeai.server.settings import ServerSettings
from creativeai.server.signing import signer

RENDER_ROUTE = "/v1/images/render"
# For load balancers and for writing clients; they tell nothing that is worth a key.
_OPEN_ROUTES = frozenset({"/healthz", "/readyz", "/openapi.json"})


def needs_key(route: str, settings: ServerSettings) -> bool:
    """Whether a route asks for a key: all but the few that are named do."""
    if settings.keys is None or route in _OPEN_ROUTES:
        return False
    return not (route == "/metrics" and settings.open_metrics)


def check_key(settings: ServerSettings) -> None:
    """Refuse a request without a key where one is needed; `g.api_key` is whose it is.

    Raises:
        ApiError: 401.
    """
    if settings.keys is None or request.url_rule is None or not needs_key(request.url_rule.rule, settings):
        return  # an address without a route is answered with 404, whoever asks
    g.api_key = _find_key(settings.keys)


def client_id() -> str:
    """Whose pictures are counted together: those of a key, or of an address when there are no keys."""
    key: ApiKey | None = g.api_key
    return f"key {key.name}" if key else f"address {_network(request.remote_addr or 'unknown')}"


def _find_key(keys: KeyFile) -> ApiKey:
    scheme, _, given = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() == "bearer" and given.strip():
        if key := keys.find(given.strip()):
            return key
        raise _refusal("the API key is not known here: it may be misspelt, or was withdrawn", "invalid_token")
    if request.path == RENDER_ROUTE and (token := request.args.get("token")):
        fields = [(name, value) for name, value in request.args.items(multi=True) if name != "token"]
        if key := signer(keys, fields, token, time.time()):
            return key
        raise _refusal("this picture's address has ended or was changed: ask for a new one", "invalid_token")
    raise _refusal("there is no API key: send it as `Authorization: Bearer KEY`")


def _refusal(message: str, error: str | None = None) -> ApiError:
    challenge = 'Bearer realm="CreativeAI"' + (f', error="{error}"' if error else "")
    headers = {"WWW-Authenticate": challenge}
    return ApiError(401, message, code="invalid_api_key", headers=headers, reason="no_key")


def _network(address: str) -> str:
    """An IPv6 address without its last half, all of which one client may have; others as they are."""
    if ":" not in address:
        return address
    try:
        number = int(IPv6Address(address.partition("%")[0]))
    except ValueError:
        return address
    return str(IPv6Network((number >> 64 << 64, 64)))
