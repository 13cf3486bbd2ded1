"""A store or a cache that can only be read serves all that reading is enough for; the rest is one line."""

import logging
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from creativeai import cli
from creativeai.server.app import create_app
from creativeai.server.following import FollowedStore
from creativeai.store import open_store, promote, publish
from creativeai.store.records import parse_reference


@pytest.fixture
def store(disk: Path, bundles: list[Path]) -> str:
    store = str(disk / "store")
    for bundle in bundles:
        publish(store, bundle)
    promote(open_store(store), parse_reference("tiny@1"), "champion")
    return store


def run(capsys: pytest.CaptureFixture[str], *words: str | Path) -> tuple[int, str, str]:
    with pytest.MonkeyPatch.context() as patch, pytest.raises(SystemExit) as stop:
        patch.setattr(sys, "argv", ["creativeai", "store", *map(str, words)])
        cli.main()
    return int(stop.value.code or 0), *capsys.readouterr()


def test_store_that_can_only_be_read(
    store: str,
    tmp_path: Path,
    bundles: list[Path],
    set_read_only: Callable[[bool], None],
    capsys: pytest.CaptureFixture[str],
) -> None:
    set_read_only(True)
    for words in (["list", store], ["show", store, "tiny"], ["pull", store, "tiny", "-o", tmp_path / "out"]):
        assert run(capsys, *words)[0] == 0, words
    for words in (
        ["publish", bundles[0], "--to", store, "--name", "other"],
        ["promote", store, "tiny@2"],
        ["remove", store, "tiny@1", "--force"],
        ["clean", store],
    ):
        code, out, error = run(capsys, *words)
        assert (code, out, len(error.splitlines())) == (2, "", 1), error
        assert store in error and "Read-only file system" in error


def test_server_follows_a_store_that_can_only_be_read(
    store: str, tmp_path: Path, set_read_only: Callable[[bool], None]
) -> None:
    set_read_only(True)
    client = create_app(
        {}, store=FollowedStore(store, "latest", tmp_path / "cache"), wait_for_models=True
    ).test_client()
    assert client.get("/v1/models/tiny").get_json()["version"] == 2


def test_cache_that_can_only_be_read_serves_what_it_has(
    store: str,
    disk: Path,
    set_read_only: Callable[[bool], None],
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO, logger="creativeai.server.following")
    cache = disk / "cache"
    create_app({}, store=FollowedStore(store, "champion", cache), wait_for_models=True)
    set_read_only(True)
    caplog.clear()
    client = create_app({}, store=FollowedStore(store, "champion", cache), wait_for_models=True).test_client()
    assert client.get("/v1/models/tiny").get_json()["version"] == 1
    [warning] = [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]
    assert "can't write" in warning and "Read-only file system" in warning
    client = create_app({}, store=FollowedStore(store, "latest", cache), wait_for_models=True).test_client()
    assert client.get("/readyz").status_code == 503
    assert "version 2 can't be served: can't write" in caplog.text
