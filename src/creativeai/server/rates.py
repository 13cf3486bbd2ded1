"""How many pictures a minute a client may have: a token bucket for each, of a bounded number of clients."""

import math
import threading
import time
from collections import OrderedDict
from collections.abc import Callable

_MAX_CLIENTS = 10_000


class RateLimiter:
    """Buckets that hold a minute's worth of pictures and fill up evenly.

    A request for more than a minute's worth is let through when the bucket is full, and is paid off after
    that: so it is never refused for good, and the rate holds in the long run. Of more clients than are kept,
    those that asked the longest ago are forgotten.

    Args:
        num_per_minute: Pictures a minute of each client.
        max_clients: Clients that are kept.
        clock: Seconds that never go back.
    """

    def __init__(
        self,
        num_per_minute: int,
        max_clients: int = _MAX_CLIENTS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._capacity = float(num_per_minute)
        self._per_second = num_per_minute / 60
        self._max_clients = max_clients
        self._clock = clock
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()
        self._lock = threading.Lock()

    @property
    def num_clients(self) -> int:
        """Clients that are kept now."""
        return len(self._buckets)

    def take(self, client: str, num_pictures: int) -> int | None:
        """Take pictures out of a client's bucket.

        Returns:
            None if they could be taken; else the seconds after which they can be, at least 1.
        """
        with self._lock:
            now = self._clock()
            tokens = self._tokens(client, now)
            missing = min(float(num_pictures), self._capacity) - tokens
            if missing > 1e-9:  # sums of parts are not exact
                return max(1, math.ceil(missing / self._per_second))
            self._keep(client, tokens - num_pictures, now)
            return None

    def give_back(self, client: str, num_pictures: int) -> None:
        """Put back what was taken for pictures that were not begun."""
        with self._lock:
            now = self._clock()
            self._keep(client, min(self._capacity, self._tokens(client, now) + num_pictures), now)

    def _tokens(self, client: str, now: float) -> float:
        tokens, then = self._buckets.get(client, (self._capacity, now))
        return min(self._capacity, tokens + (now - then) * self._per_second)

    def _keep(self, client: str, tokens: float, now: float) -> None:
        self._buckets[client] = (tokens, now)
        self._buckets.move_to_end(client)
        while len(self._buckets) > self._max_clients:
            self._buckets.popitem(last=False)
