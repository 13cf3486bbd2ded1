"""Everything about a server that may be set, in one place."""

import re
from dataclasses import dataclass, field

from creativeai.errors import UserError
from creativeai.logs import LogFormat, check_log_format
from creativeai.server.keys import KeyFile
from creativeai.server.limits import Limits, check_range

_ORIGIN = re.compile(r"https?://[a-z0-9.-]+(:\d{1,5})?|https?://\[[0-9a-f:]+\](:\d{1,5})?")


@dataclass(frozen=True)
class ServerSettings:
    """How a server serves.

    Raises:
        UserError: A value can't be used; the message names the option of `creativeai serve`.
    """

    num_threads: int = 1
    """Pictures each model makes at the same time."""
    limits: Limits = field(default_factory=Limits)
    keys: KeyFile | None = None
    """Who may ask; None for everybody."""
    open_metrics: bool = False
    """Whether /metrics asks for no key."""
    cors_origins: tuple[str, ...] = ()
    """Pages of other addresses whose scripts may call the API from a browser."""
    trusted_proxies: int = 0
    """Proxies in front of the server whose X-Forwarded-* headers are believed."""
    log_format: LogFormat = "text"

    def __post_init__(self) -> None:
        check_range("--threads", self.num_threads, 1, 256)
        check_range("--trusted-proxies", self.trusted_proxies, 0, 10)
        check_log_format(self.log_format)
        for origin in self.cors_origins:
            if not _ORIGIN.fullmatch(origin):
                raise UserError(
                    f"--cors-origin is {origin!r}: give a page's scheme and host in small letters, "
                    "such as https://pictures.example"
                )
