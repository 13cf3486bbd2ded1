"""A server that follows a model store, and goes on whatever becomes of it."""

import errno
import logging
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from creativeai.server import following
from creativeai.server.app import create_app
from creativeai.server.following import FollowedStore
from creativeai.store import open_store, promote, publish, pulling, remove
from creativeai.store.records import parse_reference
from server.live_server import start_server, stop_server
from server.test_serving import post, run_serve
from tiny_bundle import make_tiny_bundle

PATIENCE_SECONDS = 30
LOOK_SECONDS = 0.05
REQUEST = {"prompt": "a red bird", "seed": 1}


@pytest.fixture(scope="module")
def bundles(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder = tmp_path_factory.mktemp("versions")
    return [make_tiny_bundle(folder / str(i), resolution=16 << i, num_stages=1) for i in range(3)]


@pytest.fixture
def store(tmp_path: Path, bundles: list[Path]) -> str:
    """A store with three versions, the first of which is champion."""
    url = str(tmp_path / "store")
    for bundle in bundles:
        publish(url, bundle)
    crown(url, 1)
    return url


def crown(store: str, number: int) -> None:
    promote(open_store(store), parse_reference(f"tiny@{number}"), "champion")


def follow(store: str, cache: Path, alias: str = "champion") -> FlaskClient:
    followed = FollowedStore(store, alias, cache, look_seconds=LOOK_SECONDS, retry_seconds=0.2)
    return create_app({}, store=followed, wait_for_models=True).test_client()


def until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.01)


def version(client: FlaskClient) -> int | None:
    answer = client.get("/v1/models/tiny").json
    assert answer is not None
    number: int | None = answer.get("version")
    return number


def store_state(client: FlaskClient) -> dict[str, Any]:
    answer = client.get("/readyz")
    assert answer.status_code == 200
    state: dict[str, Any] = answer.get_json()["store"]
    return state


def draws(client: FlaskClient) -> bool:
    return client.post("/v1/images/generations", json=REQUEST).status_code == 200


def test_promoted_version_is_served(store: str, tmp_path: Path) -> None:
    client = follow(store, tmp_path / "cache")
    for number in (1, 3, 2, 1):
        crown(store, number)
        until(lambda number=number: version(client) == number)  # type: ignore[misc]
        answer = client.post("/v1/images/generations", json=REQUEST).json
        assert answer is not None
        side = 8 << number
        assert answer["size"] == f"{side}x{side}"
        assert client.get("/v1/models/tiny/card").status_code == 200
    state = store_state(client)
    assert (state["alias"], state["reachable"], state["refused"]) == ("champion", True, {})


def test_latest_and_new_models_are_served(store: str, bundles: list[Path], tmp_path: Path) -> None:
    client = follow(store, tmp_path / "cache", "latest")
    assert version(client) == 3
    publish(store, make_tiny_bundle(tmp_path, "tiny", resolution=64))
    publish(store, bundles[0], "another")
    until(lambda: version(client) == 4)
    until(lambda: client.get("/v1/models/another").status_code == 200)
    listed = client.get("/v1/models").get_json()["data"]
    assert [(model["id"], model["version"]) for model in listed] == [("tiny", 4), ("another", 1)]


def test_broken_version_is_refused_and_the_old_one_goes_on(
    store: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    client = follow(store, tmp_path / "cache")
    broken = Path(store) / "models" / "tiny" / "uploads" / upload_of(store, 2) / "generator.onnx"
    whole = broken.read_bytes()
    broken.write_bytes(whole[:-1])
    crown(store, 2)
    until(lambda: store_state(client)["refused"] == {"tiny": 2})
    assert version(client) == 1
    assert draws(client)
    time.sleep(0.5)  # it is tried again meanwhile, and said once
    lines = [record.getMessage() for record in caplog.records if "can't be served" in record.getMessage()]
    assert len(lines) == 1
    assert "version 2" in lines[0] and "\n" not in lines[0]
    broken.write_bytes(whole)
    until(lambda: version(client) == 2)
    assert store_state(client)["refused"] == {}


def test_bundle_that_is_whole_but_no_model_is_refused(store: str, tmp_path: Path) -> None:
    from creativeai.bundles import read_bundle, write_bundle
    from creativeai.bundles.manifest import manifest_content

    good = make_tiny_bundle(tmp_path / "good")
    files: dict[str, bytes | Path] = {"generator.onnx": b"this is no graph"}
    write_bundle(tmp_path / "bad", manifest_content(read_bundle(good).manifest), files)
    publish(store, tmp_path / "bad")
    client = follow(store, tmp_path / "cache")
    crown(store, 4)
    until(lambda: store_state(client)["refused"] == {"tiny": 4})
    assert version(client) == 1
    assert draws(client)


def test_store_that_goes_and_comes_back(store: str, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, logger="creativeai.server.following")
    client = follow(store, tmp_path / "cache")
    away = tmp_path / "away"
    os.rename(store, away)
    until(lambda: not store_state(client)["reachable"])
    assert draws(client) and version(client) == 1
    os.mkdir(store)  # a mount point without its disk
    time.sleep(5 * LOOK_SECONDS)
    assert not store_state(client)["reachable"]
    os.rmdir(store)
    os.rename(away, store)
    crown(store, 2)
    until(lambda: version(client) == 2)
    until(lambda: store_state(client)["reachable"])
    assert caplog.text.count("can't be followed") == 1
    assert "is back" in caplog.text


def test_start_without_the_store_serves_what_was_served_last(store: str, tmp_path: Path) -> None:
    crown(store, 2)
    follow(store, tmp_path / "cache")
    os.rename(store, tmp_path / "away")
    client = follow(store, tmp_path / "cache")
    assert version(client) == 2
    assert draws(client)
    assert not store_state(client)["reachable"]
    [damaged] = (tmp_path / "cache" / "bundles").glob("*/generator.onnx")
    damaged.write_bytes(b"damage")
    assert follow(store, tmp_path / "cache").get("/readyz").status_code == 503
    os.rename(tmp_path / "away", store)
    client = follow(store, tmp_path / "cache")
    assert version(client) == 2, "the cache is mended from the store"


@pytest.mark.parametrize(
    "content", [b"", b"[]", b'{"tiny": {"version": 1, "digest": "../../x"}}', b'{"a": 1}']
)
def test_what_the_cache_remembers_is_not_trusted(store: str, tmp_path: Path, content: bytes) -> None:
    follow(store, tmp_path / "cache")
    [memory] = (tmp_path / "cache").glob("served-*.json")
    memory.write_bytes(content)
    os.rename(store, tmp_path / "away")
    assert follow(store, tmp_path / "cache").get("/readyz").status_code == 503


def test_full_disk_of_the_cache(store: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    client = follow(store, tmp_path / "cache")
    write = pulling.write_synced

    def full(path: Path, data: bytes) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(pulling, "write_synced", full)
    crown(store, 2)
    until(lambda: store_state(client)["refused"] == {"tiny": 2})
    assert store_state(client)["reachable"]
    assert draws(client) and version(client) == 1
    monkeypatch.setattr(pulling, "write_synced", write)
    until(lambda: version(client) == 2)


def test_clock_that_jumps_changes_nothing(
    store: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = follow(store, tmp_path / "cache")
    monkeypatch.setattr(time, "time", lambda: 0.0)
    crown(store, 2)
    until(lambda: version(client) == 2)
    monkeypatch.setattr(time, "time", lambda: 1e11)
    crown(store, 3)
    until(lambda: version(client) == 3)
    assert 0 <= store_state(client)["seconds_since_reached"] < PATIENCE_SECONDS


def test_store_is_only_read(store: str, tmp_path: Path) -> None:
    def state() -> list[tuple[Path, int]]:
        return sorted((path, path.stat().st_mtime_ns) for path in Path(store).rglob("*"))

    before = state()
    client = follow(store, tmp_path / "cache")
    time.sleep(3 * LOOK_SECONDS)
    assert draws(client)
    assert state() == before


def test_removed_version_goes_on_and_is_told(store: str, tmp_path: Path) -> None:
    client = follow(store, tmp_path / "cache")
    remove(open_store(store), parse_reference("tiny@1"), force=True)
    until(lambda: store_state(client)["refused"] == {"tiny": None})
    assert draws(client) and version(client) == 1
    crown(store, 2)
    until(lambda: version(client) == 2 and store_state(client)["refused"] == {})


def test_bug_while_following_does_not_end_it(
    store: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = follow(store, tmp_path / "cache")
    names = following.model_names

    def fail(storage: Any) -> list[str]:
        raise RuntimeError("a bug")

    monkeypatch.setattr(following, "model_names", fail)
    until(lambda: not store_state(client)["reachable"])
    monkeypatch.setattr(following, "model_names", names)
    crown(store, 2)
    until(lambda: version(client) == 2)


def upload_of(store: str, number: int) -> str:
    from creativeai.store.reading import read_version

    return read_version(open_store(store), "tiny", number).upload


@pytest.fixture
def server(store: str, tmp_path: Path) -> Iterator[str]:
    options = (
        "--store",
        store,
        "--cache",
        str(tmp_path / "cache"),
        "--look-seconds",
        "0.1",
        "--threads",
        "2",
    )
    process, url = start_server(*options)
    yield url
    stop_server(process)


def test_no_request_fails_while_versions_change(server: str, store: str) -> None:
    """Six clients without a pause, while another process promotes one version after the other."""
    stop = threading.Event()
    statuses: list[int] = []
    sizes: set[str] = set()

    def ask() -> None:
        while not stop.is_set():
            status, answer = post(server, **REQUEST, n=4)
            statuses.append(status)
            sizes.add(answer.get("size", "none"))

    threads = [threading.Thread(target=ask) for _ in range(6)]
    for thread in threads:
        thread.start()
    try:
        for number in (2, 3, 1, 2, 3):
            command = [sys.executable, "-m", "creativeai.cli", "store", "promote", store, f"tiny@{number}"]
            subprocess.run(command, check=True, capture_output=True)
            sizes.clear()
            until(lambda number=number: f"{8 << number}x{8 << number}" in sizes)  # type: ignore[misc]
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    assert set(statuses) == {200}
    assert len(statuses) > 20


def test_store_and_models_are_not_mixed(store: str, bundle: Path) -> None:
    result = run_serve("--store", store, "--models", str(bundle))
    assert result.returncode == 2
    assert result.stderr == (
        "creativeai: give either --store or --models: publish the bundles to serve them together\n"
    )
