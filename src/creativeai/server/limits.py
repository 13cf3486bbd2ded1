"""How much a server takes on: what may be set, and what may not."""

from dataclasses import dataclass

from creativeai.errors import UserError
from creativeai.request_limits import MAX_NUM_PICTURES, MAX_TEXT_LENGTH

MAX_DISCARDED_BYTES = 8 * 1024 * 1024
"""Most that is read of a body that is too large before the connection is cut."""
MAX_URL_LENGTH = 8000
"""Longest path and query of an address we hand out; gunicorn and many a proxy refuse more than 8190."""
MAX_WITH_ATTENTION = 8
"""Most pictures of a request for attention maps: those of one may be megabytes."""


@dataclass(frozen=True)
class Limits:
    """What one request, one client and one model's queue may have.

    Raises:
        UserError: A value is out of its range; the message names the option of `creativeai serve`.
    """

    max_body_bytes: int = 64 * 1024
    """Largest request body that is read."""
    max_prompt_length: int = MAX_TEXT_LENGTH
    """Characters of a prompt."""
    max_n: int = MAX_NUM_PICTURES
    """Pictures of a request."""
    queue_length: int = 128
    """Pictures that wait for a model before requests are answered with 429."""
    queue_seconds: float = 1.0
    """How long a request may have to wait for those before it; if longer, it is answered with 429."""
    max_wait: float = 60.0
    """Seconds after which a request that was taken is given up."""
    rate_limit: int | None = None
    """Pictures a minute of one client; None for no limit."""

    def __post_init__(self) -> None:
        check_range("--max-body", self.max_body_bytes, 1024, MAX_DISCARDED_BYTES)
        check_range("--max-prompt", self.max_prompt_length, 1, MAX_TEXT_LENGTH)
        check_range("--max-n", self.max_n, 1, MAX_NUM_PICTURES)
        check_range("--queue-length", self.queue_length, 1, 1000)
        check_range("--queue-seconds", self.queue_seconds, 0.01, 600)
        check_range("--max-wait", self.max_wait, 0.1, 600)
        if self.rate_limit is not None:
            check_range("--rate-limit", self.rate_limit, 1, 1_000_000)


def check_range(option: str, value: float, low: float, high: float) -> None:
    """Refuse a value out of its range.

    Raises:
        UserError: As said; it names the option.
    """
    if not low <= value <= high:
        raise UserError(f"{option} is {value:g}: give {low:g} to {high:.10g}")
