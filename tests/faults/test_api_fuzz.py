from pathlib import Path

from faults.api_fuzz import fuzz
from server.live_server import start_server, stop_server
from tiny_bundle import make_tiny_bundle


def test_generated_requests_are_answered_as_described(tmp_path: Path) -> None:
    process, url = start_server("--models", str(make_tiny_bundle(tmp_path)), "--threads", "1")
    try:
        statuses = fuzz(url, num_requests=100, seed=0)
    finally:
        stop_server(process)
    assert statuses.total() >= 60
    assert {200, 400} <= statuses.keys()
    assert max(statuses) < 500
