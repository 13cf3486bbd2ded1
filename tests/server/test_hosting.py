import threading
import time
from pathlib import Path
from typing import Any

import pytest

from creativeai.bundles import read_bundle
from creativeai.server import hosting
from creativeai.server.app import create_app
from tiny_bundle import make_tiny_bundle

URL = "/v1/images/generations"


def damage(path: Path) -> Path:
    with (path / "generator.onnx").open("r+b") as file:
        file.write(b"damage")
    return path


def test_while_loading_the_process_is_healthy_but_not_ready(
    bundle: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate = threading.Event()

    def read_late(path: Path) -> Any:
        assert gate.wait(20)
        return read_bundle(path)

    monkeypatch.setattr(hosting, "read_bundle", read_late)
    client = create_app({"tiny": bundle}).test_client()
    assert client.get("/healthz").status_code == 200
    answers = [client.get("/readyz"), client.get("/v1/models"), client.post(URL, json={"prompt": "a bird"})]
    for answer in answers:
        assert answer.status_code == 503
        assert answer.headers["Retry-After"] == "1"
        assert answer.json is not None
        assert answer.json["error"]["code"] == "model_loading"
    gate.set()
    end = time.monotonic() + 20
    while client.get("/readyz").status_code != 200:
        assert time.monotonic() < end, "not ready after 20 s"
        time.sleep(0.01)


def test_a_damaged_model_does_not_keep_others_from_being_served(
    bundle: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    broken = damage(make_tiny_bundle(tmp_path, "broken"))
    client = create_app({"broken": broken, "tiny": bundle}, wait_for_models=True).test_client()
    ready = client.get("/readyz")
    assert ready.json == {"status": "ready", "models": {"broken": "failed", "tiny": "ready"}}
    answer = client.post(URL, json={"prompt": "a bird"})
    assert answer.json is not None
    assert answer.json["model"] == "tiny"
    refused = client.post(URL, json={"prompt": "a bird", "model": "broken"})
    assert refused.status_code == 503
    assert refused.json is not None
    assert refused.json["error"]["code"] == "model_unavailable"
    assert str(tmp_path) not in refused.text
    assert "generator.onnx is damaged" in caplog.text


def test_no_model_at_all_is_not_ready(tmp_path: Path) -> None:
    broken = damage(make_tiny_bundle(tmp_path, "broken"))
    client = create_app({"broken": broken}, wait_for_models=True).test_client()
    assert client.get("/healthz").status_code == 200
    for answer in (client.get("/readyz"), client.post(URL, json={"prompt": "a bird"})):
        assert answer.status_code == 503
        assert answer.json is not None
        assert answer.json["error"]["code"] == "no_model"
