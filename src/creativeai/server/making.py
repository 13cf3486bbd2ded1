"""From a request to its pictures: whose turn it is, how long it waits, and when it is refused."""

import re
import threading
from collections.abc import Sequence

from flask import g, request

from creativeai.engine import Picture, PictureRequest
from creativeai.server.access import client_id
from creativeai.server.errors import ApiError
from creativeai.server.hosting import HostedModel, ModelHost
from creativeai.server.limits import Limits
from creativeai.server.queueing import DeadlineError, QueueFullError
from creativeai.server.rates import RateLimiter


def find_model(models: ModelHost, name: str | None) -> HostedModel:
    """The model a request is about, noted for log and metrics.

    Raises:
        ApiError: 503, as `ModelHost.get`.
        UnknownModelError: There is no such model.
    """
    model = models.get(name)
    g.model = model.name
    return model


class PictureMaker:
    """Gets requests their pictures, within the limits.

    Args:
        limits: Of the server.
        max_requests: Requests of all models that may wait at once: each holds a thread of the server.
    """

    def __init__(self, limits: Limits, max_requests: int) -> None:
        self._max_wait = limits.max_wait
        self._rates = None if limits.rate_limit is None else RateLimiter(limits.rate_limit)
        self._places = threading.BoundedSemaphore(max_requests)

    def make(self, model: HostedModel, requests: Sequence[PictureRequest]) -> list[Picture]:
        """Pictures of a model, in the order of the requests.

        Raises:
            ApiError: 429 if the client has had its share, or too much waits; 503 if it took too long.
        """
        seconds = _seconds_to_wait(self._max_wait)
        if self._rates is not None and (retry_after := self._rates.take(client_id(), len(requests))):
            message = f"this is more than your pictures a minute: try again in {retry_after} s"
            raise _refusal(message, "rate_limit", retry_after)
        try:
            return self._wait_for(model, requests, seconds)
        except ApiError as error:
            if self._rates is not None and error.reason in ("queue_full", "server_full"):
                self._rates.give_back(client_id(), len(requests))
            raise

    def _wait_for(
        self, model: HostedModel, requests: Sequence[PictureRequest], seconds: float
    ) -> list[Picture]:
        if not self._places.acquire(blocking=False):
            raise _refusal("too many requests wait: try again in 1 s", "server_full", 1)
        try:
            return model.queue.generate(requests, seconds)
        except QueueFullError as error:
            message = f"too many pictures wait for the model {model.name}: try again in {error.retry_after} s"
            raise _refusal(message, "queue_full", error.retry_after) from None
        except DeadlineError:
            message = "the pictures were not ready in time: try again, or ask for fewer"
            headers = {"Retry-After": "1"}
            raise ApiError(503, message, code="timeout", headers=headers, reason="deadline") from None
        finally:
            self._places.release()


def _refusal(message: str, reason: str, retry_after: int) -> ApiError:
    headers = {"Retry-After": str(retry_after)}
    return ApiError(429, message, code="rate_limit_exceeded", headers=headers, reason=reason)


def _seconds_to_wait(max_wait: float) -> float:
    """How long the caller waits: `Prefer: wait=10` (RFC 7240), or what OpenAI's client says of itself."""
    preference = re.search(r"\bwait=(\d{1,9})\b", request.headers.get("Prefer", ""))
    said = preference[1] if preference else request.headers.get("X-Stainless-Read-Timeout", "")
    try:
        seconds = float(said)
    except ValueError:
        return max_wait
    return seconds if 0 <= seconds < max_wait else max_wait
