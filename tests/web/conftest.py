from collections.abc import Iterator

import pytest

from web.standin import StandIn


@pytest.fixture
def api() -> Iterator[StandIn]:
    standin = StandIn()
    standin.start()
    yield standin
    standin.stop()
