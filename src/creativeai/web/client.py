"""The page's only way to a model: the REST API over HTTP, its answers and its refusals."""

from typing import Any, Literal

import requests

Kind = Literal["away", "busy", "refused", "failed"]

# An API that is up accepts a connection at once; drawing a large set on a busy machine may take a while.
TIMEOUT_SECONDS = (2.0, 60.0)


class ApiError(Exception):
    """The API did not do what the page asked for.

    Args:
        kind: `away` (no answer, or not ready yet), `busy` (queue full), `refused` (the request has a value it
            can't use) or `failed` (anything else).
        message: One line for the visitor.
        retry_after: Seconds after which trying again makes sense.
    """

    def __init__(self, kind: Kind, message: str, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.kind = kind
        self.message = message
        self.retry_after = retry_after


class ApiClient:
    """A small client of the REST API that keeps its connections open.

    Args:
        url: Where the API is, like `http://127.0.0.1:8801`.
        api_key: Sent with every request, if the API wants one.
        num_connections: How many connections are kept open, one for each thread that may call at once.
    """

    def __init__(self, url: str, api_key: str | None = None, num_connections: int = 16) -> None:
        self.url = url.rstrip("/")
        self._session = requests.Session()
        self._session.trust_env = False  # reading proxies and .netrc takes longer than a picture
        if api_key is not None:
            self._session.headers["Authorization"] = f"Bearer {api_key}"
        adapter = requests.adapters.HTTPAdapter(pool_maxsize=num_connections)
        self._session.mount("http://", adapter)
        self._session.mount("https://", adapter)

    def models(self) -> list[dict[str, Any]]:
        """Return the API's model objects.

        Raises:
            ApiError: The API does not answer as it should.
        """
        return list(_object(self._call("GET", "/v1/models")).get("data") or [])

    def samples(self, model: str) -> tuple[bytes, str]:
        """Return a model's sample grid and its content type.

        Raises:
            ApiError: The model is not known or has no samples.
        """
        answer = self._call("GET", f"/v1/models/{requests.utils.quote(model, safe='')}/samples")
        return answer.content, answer.headers.get("Content-Type", "image/webp")

    def generate(self, prompt: str, **settings: Any) -> dict[str, Any]:
        """Draw pictures; returns the API's answer with the pictures as base64 text.

        Args:
            prompt: The sentence.
            **settings: Further fields of the request (`model`, `n`, `seed`, `truncation`, `output_format`,
                `stages`, `attention`); those that are None are left to the API.

        Raises:
            ApiError: The API is away, busy, or refuses the request.
        """
        fields = {name: value for name, value in settings.items() if value is not None}
        request = {"prompt": prompt, "response_format": "b64_json", **fields}
        answer = _object(self._call("POST", "/v1/images/generations", json=request))
        if not isinstance(answer.get("data"), list):
            raise ApiError("failed", "The model server sent an answer this page can't read.")
        return answer

    def _call(self, method: str, path: str, **kwargs: Any) -> requests.Response:
        try:
            answer = self._session.request(method, self.url + path, timeout=TIMEOUT_SECONDS, **kwargs)
        except requests.RequestException:
            raise ApiError("away", "The model server does not answer.") from None
        if answer.status_code >= 400:
            raise _error(answer)
        return answer


def _object(answer: requests.Response) -> dict[str, Any]:
    try:
        body = answer.json()
    except ValueError:
        body = None
    if not isinstance(body, dict):
        raise ApiError("failed", "The model server sent an answer this page can't read.")
    return body


def _error(answer: requests.Response) -> ApiError:
    """Turn a refusal into words for the visitor: the API's own where they are about the request."""
    try:
        message = str(answer.json()["error"]["message"])
    except (ValueError, KeyError, TypeError):
        message = ""
    if answer.status_code == 401:
        # Nothing that a visitor could mend; the API's own words are for whoever has the key.
        return ApiError("failed", "The model server does not accept this page's key.")
    if answer.status_code == 429:
        return ApiError("busy", message or "The model server is busy.", _seconds(answer))
    if answer.status_code in (502, 503, 504):
        return ApiError("away", message or "The model server is not ready.", _seconds(answer))
    if answer.status_code < 500:
        return ApiError("refused", message or f"The model server refused this ({answer.status_code}).")
    return ApiError("failed", message or f"The model server failed ({answer.status_code}).")


def _seconds(answer: requests.Response) -> float | None:
    """Return `Retry-After` where it is a number of seconds (it may also be a date)."""
    value = answer.headers.get("Retry-After", "")
    return float(value) if value.isdigit() else None
