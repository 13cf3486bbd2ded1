"""Requests generated from /openapi.json by schemathesis, right and wrong ones, sent to a real server.

    python tests/faults/api_fuzz.py [5000]

Every answer must be none of 5xx, and have the status, headers, type and content that the description says.
"""

import random
import sys
import tempfile
from collections import Counter
from pathlib import Path

import hypothesis
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis import Case, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

sys.path.insert(0, str(Path(__file__).parent.parent))

from server.live_server import start_server, stop_server
from tiny_bundle import make_tiny_bundle

_CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
# What has fields to get wrong gets most of the requests.
_WEIGHT_OF_FIELDS = 20


def fuzz(url: str, num_requests: int, seed: int) -> Counter[int]:
    """Send about so many requests; returns how often each status was answered.

    Raises:
        Exception: schemathesis', with the request, if an answer is not as described.
    """
    schema = schemathesis.openapi.from_url(f"{url}/openapi.json")
    operations = [operation for path in schema.values() for operation in path.values()]
    weights = [_WEIGHT_OF_FIELDS if operation.body or operation.query else 1 for operation in operations]
    statuses: Counter[int] = Counter()
    for operation, weight in zip(operations, weights, strict=True):
        # A path alone has nothing to get wrong.
        modes = list(GenerationMode) if weight > 1 else [GenerationMode.POSITIVE]
        for mode in modes:
            share = -(-num_requests * weight // (sum(weights) * len(modes)))

            @hypothesis.seed(seed)
            @settings(
                max_examples=share, deadline=None, database=None, suppress_health_check=list(HealthCheck)
            )
            @given(case=operation.as_strategy(generation_mode=mode))
            def check(case: Case) -> None:
                response = case.call_and_validate(checks=_CHECKS)
                statuses[response.status_code] += 1

            check()
    return statuses


if __name__ == "__main__":
    num_requests = int(sys.argv[1]) if len(sys.argv) > 1 else 5000
    chosen_seed = random.SystemRandom().randrange(2**32)
    print(f"seed {chosen_seed}", flush=True)
    with tempfile.TemporaryDirectory() as name:
        bundle = make_tiny_bundle(Path(name), num_stages=3, attends=True)
        process, address = start_server("--models", str(bundle), "--threads", "1")
        try:
            answered = fuzz(address, num_requests, chosen_seed)
        finally:
            stop_server(process)
    told = ", ".join(f"{count:,} times {status}" for status, count in sorted(answered.items()))
    print(f"{answered.total():,} requests: {told}; all as /openapi.json says")
