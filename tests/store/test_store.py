"""What every kind of store must do: publish, find, promote, pull, remove."""

import filecmp
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from creativeai.bundles import read_bundle
from creativeai.errors import BundleError, StoreError, UnknownModelError
from creativeai.store import (
    Version,
    all_versions,
    find_version,
    open_store,
    promote,
    publish,
    publishing,
    pull,
    remove,
)
from creativeai.store.reading import read_aliases, version_numbers
from creativeai.store.records import parse_reference
from creativeai.store.storage import open_storage
from tiny_bundle import make_tiny_bundle


def found(store: str, text: str) -> int:
    return find_version(open_store(store), parse_reference(text)).number


def listed(store: str) -> list[str]:
    return [version.reference for version in all_versions(open_store(store)) if isinstance(version, Version)]


def test_versions_count_up_and_latest_moves_along(store: str, bundles: list[Path]) -> None:
    for number, bundle in enumerate(bundles, 1):
        published = publish(store, bundle)
        assert (published.version.reference, published.is_new) == (f"tiny@{number}", True)
        assert found(store, "tiny") == found(store, "tiny@latest") == number
    assert listed(store) == ["tiny@3", "tiny@2", "tiny@1"]
    version = find_version(open_store(store), parse_reference("tiny@2"))
    assert version.manifest == read_bundle(bundles[1]).manifest


def test_same_bundle_is_not_stored_twice(store: str, bundles: list[Path]) -> None:
    first = publish(store, bundles[0])
    publish(store, bundles[1])
    again = publish(store, bundles[0])
    assert not again.is_new
    assert again.version == first.version
    assert listed(store) == ["tiny@2", "tiny@1"]
    assert len(open_storage(store).folders("models/tiny/uploads")) == 2
    assert publish(store, bundles[0], "other").version.reference == "other@1"


def test_pulled_bundle_is_the_published_one(store: str, bundles: list[Path], tmp_path: Path) -> None:
    publish(store, bundles[0])
    storage = open_store(store)
    out = tmp_path / "pulled"
    version = find_version(storage, parse_reference("tiny@1"))
    assert pull(storage, version, out).manifest == read_bundle(bundles[0]).manifest
    compared = filecmp.dircmp(bundles[0], out)
    assert not compared.left_only and not compared.right_only and not compared.diff_files
    with pytest.raises(BundleError, match="exists already"):
        pull(storage, version, out)


def test_alias_moves(store: str, bundles: list[Path]) -> None:
    publish(store, bundles[0])
    publish(store, bundles[1])
    storage = open_store(store)
    with pytest.raises(UnknownModelError, match="has no alias champion"):
        found(store, "tiny@champion")
    for number in (2, 1):
        promote(storage, parse_reference(f"tiny@{number}"), "champion")
        assert found(store, "tiny@champion") == number
    promote(storage, parse_reference("tiny@champion"), "stable")
    assert read_aliases(storage, "tiny") == {"champion": 1, "stable": 1}
    for alias in ("latest", "7", "../x", "A", ""):
        with pytest.raises(StoreError):
            promote(storage, parse_reference("tiny@1"), alias)
    with pytest.raises(UnknownModelError, match="has no version 9"):
        promote(storage, parse_reference("tiny@9"), "champion")


def test_removed_number_is_not_given_again(store: str, bundles: list[Path]) -> None:
    for bundle in bundles[:2]:
        publish(store, bundle)
    storage = open_store(store)
    promote(storage, parse_reference("tiny@1"), "champion")
    for text, alias in [("tiny@1", "champion"), ("tiny@2", "latest")]:
        with pytest.raises(StoreError, match=f"has the alias {alias}.*--force"):
            remove(storage, parse_reference(text))
    assert remove(storage, parse_reference("tiny@2"), force=True) == "tiny@2"
    assert listed(store) == ["tiny@1"]
    assert found(store, "tiny") == 1
    with pytest.raises(UnknownModelError, match="was removed"):
        found(store, "tiny@2")
    assert len(storage.folders("models/tiny/uploads")) == 1
    assert publish(store, bundles[1]).version.number == 3, "the number of a removed version is gone"
    remove(storage, parse_reference("tiny@1"), force=True)
    assert read_aliases(storage, "tiny") == {}


def test_publishers_at_the_same_time_all_get_a_version(store: str, tmp_path: Path) -> None:
    made = [make_tiny_bundle(tmp_path / str(i), description=f"no {i}") for i in range(4)]
    start = threading.Barrier(4, timeout=30)

    def run(bundle: Path) -> int:
        start.wait()
        return publish(store, bundle).version.number

    with ThreadPoolExecutor(4) as pool:
        numbers = list(pool.map(run, made))
    assert len(set(numbers)) == 4
    assert sorted(numbers) == version_numbers(open_store(store), "tiny")
    for bundle, number in zip(made, numbers, strict=True):
        version = find_version(open_store(store), parse_reference(f"tiny@{number}"))
        assert version.manifest == read_bundle(bundle).manifest


def test_same_bundle_published_twice_at_once_is_one_version(tmp_path: Path, bundles: list[Path]) -> None:
    store = str(tmp_path / "store")
    start = threading.Barrier(3, timeout=30)

    def run(_: int) -> bool:
        start.wait()
        return publish(store, bundles[0]).is_new

    with ThreadPoolExecutor(3) as pool:
        assert sorted(pool.map(run, range(3))) == [False, False, True]
    assert listed(store) == ["tiny@1"]
    assert len(open_storage(store).folders("models/tiny/uploads")) == 1


class ForgetfulAnswers:
    """A storage whose answers to `create` are lost on their way, so that the call is sent again."""

    def __init__(self, storage: object) -> None:
        self._storage = storage

    def __getattr__(self, name: str) -> object:
        return getattr(self._storage, name)

    def create(self, path: str, data: bytes) -> None:
        for _ in range(2):
            self._storage.create(path, data)  # type: ignore[attr-defined]


def test_lost_answer_is_no_second_version(
    store: str, bundles: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(publishing, "open_storage", lambda url: ForgetfulAnswers(open_storage(url)))
    published = publish(store, bundles[0])
    assert published.is_new
    assert listed(store) == ["tiny@1"]


@pytest.mark.parametrize("what", ["ignores the condition", "refuses it"])
def test_storage_without_conditional_writes(
    tmp_path: Path, bundles: list[Path], monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    from creativeai.store.local_storage import LocalStorage
    from creativeai.store.storage import CannotCreateOnceError

    def create(self: LocalStorage, path: str, data: bytes) -> None:
        if what == "refuses it":
            raise CannotCreateOnceError
        self.replace(path, data)

    monkeypatch.setattr(LocalStorage, "create", create)
    store = str(tmp_path / "store")
    start = threading.Barrier(3, timeout=30)

    def run(bundle: Path) -> int:
        start.wait()
        return publish(store, bundle).version.number

    with ThreadPoolExecutor(3) as pool:
        numbers = list(pool.map(run, bundles))
    assert len(set(numbers)) == 3
    for bundle, number in zip(bundles, numbers, strict=True):
        version = find_version(open_store(store), parse_reference(f"tiny@{number}"))
        assert version.manifest == read_bundle(bundle).manifest


def test_no_store_here(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="there is no model store at"):
        open_store(str(tmp_path))
    for url in ("nothing://x", "", "s3://"):
        with pytest.raises(StoreError) as caught:
            open_store(url)
        assert "\n" not in str(caught.value)


def test_bundle_that_changes_while_it_is_published_is_no_version(
    tmp_path: Path, bundles: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    from creativeai.store.local_storage import LocalStorage

    bundle = make_tiny_bundle(tmp_path)
    upload = LocalStorage.upload

    def meddle(self: LocalStorage, path: str, file: Path) -> None:
        with (bundle / "generator.onnx").open("r+b") as stream:
            stream.write(b"damage")
        upload(self, path, file)

    monkeypatch.setattr(LocalStorage, "upload", meddle)
    with pytest.raises(BundleError, match="is damaged"):
        publish(str(tmp_path / "store"), bundle)
    assert listed(str(tmp_path / "store")) == []
