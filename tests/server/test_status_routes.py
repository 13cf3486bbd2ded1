import logging
import re

import pytest
from flask.testing import FlaskClient
from prometheus_client.parser import text_string_to_metric_families


def metrics(client: FlaskClient) -> dict[tuple[str, ...], float]:
    response = client.get("/metrics")
    assert response.content_type.startswith("text/plain")
    return {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(response.text)
        for sample in family.samples
    }


def test_health_and_readiness(client: FlaskClient) -> None:
    assert client.get("/healthz").json == {"status": "ok"}
    assert client.get("/readyz").json == {"status": "ready", "models": {"tiny": "ready"}}


def test_metrics_count_what_is_done(client: FlaskClient) -> None:
    before = metrics(client)
    client.post("/v1/images/generations", json={"prompt": "a bird", "n": 5})
    client.post("/v1/images/generations", json={"prompt": ""})
    after = metrics(client)

    def grown(*key: str) -> float:
        return after[key] - before.get(key, 0)

    route = "/v1/images/generations"
    assert grown("creativeai_http_requests_total", "POST", route, "200") == 1
    assert grown("creativeai_http_requests_total", "POST", route, "400") == 1
    assert grown("creativeai_http_request_duration_seconds_count", "tiny", route) == 2
    assert grown("creativeai_pictures_total", "tiny") == 5
    assert grown("creativeai_picture_duration_seconds_count", "tiny") == 5
    for stage in ("encode_text", "generate", "encode_image"):
        assert grown("creativeai_stage_duration_seconds_count", "tiny", stage) == 5
    assert grown("creativeai_errors_total", "invalid_value") == 1
    assert after["creativeai_http_requests_in_progress",] == 1  # the one that asks
    assert after["creativeai_queue_depth_pictures", "tiny"] == 0
    assert after["process_resident_memory_bytes",] > 0


def test_callers_cant_make_metrics_grow(client: FlaskClient) -> None:
    def call(number: int) -> int:
        client.get(f"/path{number}")
        client.open("/", method=f"METHOD{number}")
        return len(metrics(client))

    assert call(1) == call(2) == call(3)


def test_every_answer_has_security_headers_and_no_cors(client: FlaskClient) -> None:
    for path in ("/healthz", "/nowhere"):
        headers = client.get(path, headers={"Origin": "http://evil.example"}).headers
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert "default-src 'none'" in headers["Content-Security-Policy"]
        assert not [name for name, _ in headers if name.lower().startswith("access-control")]


def test_request_id_is_the_callers_if_it_is_one(client: FlaskClient) -> None:
    def answered(request_id: str) -> str:
        return client.get("/healthz", headers={"X-Request-ID": request_id}).headers["X-Request-ID"]

    assert answered("job-7.a_B") == "job-7.a_B"
    for unfit in ("", "a b", "x" * 65, "<script>"):
        assert re.fullmatch("[0-9a-f]{32}", answered(unfit))


def test_access_log_is_one_line_without_the_prompt(
    client: FlaskClient, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO, logger="creativeai.access"):
        client.get("/v1/images/render?model=tiny&prompt=a+secret+bird&seed=1")
        client.get("/no%0Awhere")
    first, second = (record.getMessage() for record in caplog.records if record.name == "creativeai.access")
    assert re.fullmatch(
        r"127\.0\.0\.1 GET /v1/images/render 200 \d+B [\d.]+ms [0-9a-f]{32} model=tiny", first
    )
    assert "\n" not in second
    assert " 404 " in second
