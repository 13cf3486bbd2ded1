"""A server's follower when the store is mistyped, empty, or comes and goes, and what is left in its cache."""

import logging
import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from creativeai import cli
from creativeai.cli_store import followed_store
from creativeai.errors import StoreError
from creativeai.server.following import FollowedStore, StoreFollower
from creativeai.server.hosting import ModelHost
from creativeai.server.metrics import Metrics
from creativeai.server.settings import ServerSettings
from creativeai.store import open_store, promote, publish
from creativeai.store.records import parse_reference

Follow = Callable[..., tuple[ModelHost, StoreFollower]]


@pytest.fixture
def store(tmp_path: Path, bundles: list[Path]) -> str:
    url = str(tmp_path / "store")
    for bundle in bundles:
        publish(url, bundle)
    return url


@pytest.fixture
def follow(store: str, tmp_path: Path) -> Follow:
    """A host and its follower, that looks when it is told."""

    def make(alias: str = "champion", url: str = store) -> tuple[ModelHost, StoreFollower]:
        host = ModelHost({}, settings=ServerSettings(), metrics=Metrics())
        return host, StoreFollower(host, FollowedStore(url, alias, tmp_path / "cache", look_seconds=3600))

    return make


def crown(store: str, number: int) -> None:
    promote(open_store(store), parse_reference(f"tiny@{number}"), "champion")


def cached(tmp_path: Path) -> int:
    return len(os.listdir(tmp_path / "cache" / "bundles"))


def test_cache_keeps_the_served_version_and_the_one_before(
    store: str, follow: Follow, tmp_path: Path
) -> None:
    host, follower = follow()
    for number, num_cached in ((1, 1), (2, 2), (3, 2), (3, 2), (2, 2), (1, 2)):
        crown(store, number)
        follower.look()
        assert host.version("tiny") == number
        assert cached(tmp_path) == num_cached
    again, follower = follow()  # after a restart, the one before is still known
    follower.look()
    assert again.version("tiny") == 1
    assert cached(tmp_path) == 2


def test_cache_keeps_what_another_server_serves(store: str, follow: Follow, tmp_path: Path) -> None:
    crown(store, 1)
    _, champion = follow()
    champion.look()
    _, latest = follow("latest")
    latest.look()
    assert cached(tmp_path) == 2


def test_restart_whose_look_ends_early_serves_the_rest_from_the_cache(
    store: str, follow: Follow, bundles: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    from creativeai.server import following

    publish(store, bundles[0], "another")
    _, follower = follow("latest")
    follower.look()
    read = following.aliased_number

    def breaks_off(storage: object, name: str, alias: str) -> int | None:
        if name == "tiny":
            raise StoreError("the network is gone")
        return read(storage, name, alias)  # type: ignore[arg-type]

    monkeypatch.setattr(following, "aliased_number", breaks_off)
    host, follower = follow("latest")
    follower.start()
    assert (host.version("another"), host.version("tiny")) == (1, 3)


def test_alias_that_no_model_has_is_said_once(
    store: str, follow: Follow, caplog: pytest.LogCaptureFixture
) -> None:
    host, follower = follow("chmapion")
    for _ in range(3):
        follower.look()
    [line] = [record.getMessage() for record in caplog.records]
    assert line.startswith(f"nothing is served yet: no model in {store} has the alias chmapion")
    assert "--alias chmapion" in line and "\n" not in line
    assert host.version("tiny") is None


def test_store_that_is_not_there_yet_is_said_at_once_and_awaited(
    follow: Follow, tmp_path: Path, bundles: list[Path], caplog: pytest.LogCaptureFixture
) -> None:
    url = str(tmp_path / "later")
    followed_store(url, None, "latest", tmp_path / "cache", 1.0)
    host, follower = follow("latest", url)
    follower.look()
    [line] = [record.getMessage() for record in caplog.records]
    assert "nothing is served yet" in line and url in line
    publish(url, bundles[0])
    follower.look()
    assert host.version("tiny") == 1


def make_file(tmp_path: Path) -> Path:
    (tmp_path / "file").write_bytes(b"")
    return tmp_path / "file"


def make_folder(tmp_path: Path) -> Path:
    (tmp_path / "pictures").mkdir()
    (tmp_path / "pictures" / "1.jpg").write_bytes(b"")
    return tmp_path / "pictures"


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda tmp_path: tmp_path / "no" / "store", "there is not even a folder {tmp}/no"),
        (make_file, "{tmp}/file is no model store: it is no folder"),
        (make_folder, "{tmp}/pictures is no model store (it has no creativeai-store.json)"),
        (lambda tmp_path: f"file://{tmp_path}/no/store", "there is not even a folder {tmp}/no"),
    ],
)
@pytest.mark.parametrize("by_environment", [False, True])
def test_mistyped_store_is_refused(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    make: Callable[[Path], Path | str],
    message: str,
    by_environment: bool,
) -> None:
    url = str(make(tmp_path))
    words = ["--cache", str(tmp_path / "cache"), "--port", "0"]
    if by_environment:
        monkeypatch.setenv("CREATIVEAI_STORE", url)
    else:
        words += ["--store", url]
    monkeypatch.setattr(sys, "argv", ["creativeai", "serve", *words])
    with pytest.raises(SystemExit) as stop:
        cli.main()
    out, error = capsys.readouterr()
    assert (stop.value.code, out, len(error.splitlines())) == (2, "", 1)
    assert message.format(tmp=tmp_path) in error


def test_mount_point_without_its_disk_is_awaited(tmp_path: Path) -> None:
    (tmp_path / "mount").mkdir()
    assert followed_store(str(tmp_path / "mount"), None, "champion", tmp_path / "cache", 1.0)


def test_store_that_was_served_before_may_be_anything_now(store: str, follow: Follow, tmp_path: Path) -> None:
    crown(store, 2)
    _, follower = follow()
    follower.look()
    os.rename(store, tmp_path / "away")
    make_folder(tmp_path).rename(store)
    assert followed_store(store, None, "champion", tmp_path / "cache", 1.0)
    with pytest.raises(StoreError, match="is no model store"):
        followed_store(store, None, "other", tmp_path / "cache", 1.0)
    host, follower = follow()
    follower.start()
    assert host.version("tiny") == 2


@pytest.mark.parametrize("wrong_time", [-1e9, 0.0, 1e11, 1e15])
def test_store_whose_clock_was_wrong_is_listed_and_served(
    store: str,
    follow: Follow,
    bundles: list[Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    wrong_time: float,
) -> None:
    """Neither the clock of the publisher nor the files' times say what is newest: numbers do."""
    import time

    with monkeypatch.context() as patch:
        patch.setattr(time, "time", lambda: wrong_time)
        assert publish(store, bundles[0], "clock").version.number == 1
        assert publish(store, bundles[1], "clock").version.number == 2
    for path in sorted(Path(store).rglob("*"), reverse=True):
        os.utime(path, (10**9 - path.stat().st_ino,) * 2)
    host, follower = follow("latest")
    follower.look()
    assert (host.version("tiny"), host.version("clock")) == (3, 2)
    for words in (["list", store], ["show", store, "clock@1"]):
        monkeypatch.setattr(sys, "argv", ["creativeai", "store", *words])
        with pytest.raises(SystemExit) as stop:
            cli.main()
        assert not stop.value.code
        assert "clock@1" in capsys.readouterr().out


def test_models_that_fail_to_load_are_told_and_the_others_are_served(
    store: str, follow: Follow, bundles: list[Path], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    publish(store, bundles[0], "broken")
    upload = next((Path(store) / "models" / "broken" / "uploads").iterdir())
    (upload / "generator.onnx").write_bytes(b"damage")
    host, follower = follow("latest")
    follower.look()
    host.finish_loading()
    assert host.status() == {"tiny": True, "broken": False}
    assert follower.state().refused == {"broken": 1}
    [line] = [record.getMessage() for record in caplog.records if record.levelname == "ERROR"]
    assert line.startswith("model broken, version 1 can't be served: ") and "\n" not in line
    assert f"{upload}/generator.onnx is damaged" in line
