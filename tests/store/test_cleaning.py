"""`creativeai store clean` removes what killed processes left, and never what a version has or may get."""

import os
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from creativeai import cli
from creativeai.errors import BundleError, StoreError
from creativeai.store import (
    Version,
    all_versions,
    clean,
    cleaning,
    find_version,
    open_store,
    publish,
    publishing,
    pull,
    remove,
)
from creativeai.store.cleaning import MIN_AGE_SECONDS
from creativeai.store.paths import claim_path, cleaning_path, upload_path
from creativeai.store.records import parse_reference
from creativeai.store.storage import Storage, open_storage

LEFT = "0123456789abcdef" * 2


def leave_upload(store: str, file: Path, upload: str = LEFT) -> str:
    """What a publisher leaves that was killed before its record."""
    storage = open_storage(store)
    path = upload_path("tiny", upload)
    storage.upload(f"{path}/generator.onnx", file)
    return path


def cleaned(store: str, min_age_seconds: float = 0.0) -> list[str]:
    return [str(removed).split(":")[0] for removed in clean(open_store(store), min_age_seconds)]


def assert_whole(store: str, out: Path) -> None:
    storage = open_store(store)
    for version in all_versions(storage):
        assert isinstance(version, Version)
        pull(storage, version, out / version.reference)


def test_leftovers_are_removed_and_versions_are_not(store: str, bundles: list[Path], tmp_path: Path) -> None:
    for bundle in bundles:
        publish(store, bundle)
    left = leave_upload(store, bundles[0] / "generator.onnx")
    assert cleaned(store) == [left]
    assert LEFT not in open_storage(store).folders(upload_path("tiny"))
    assert cleaned(store) == []
    assert open_storage(store).files(cleaning_path("tiny")) == []
    assert_whole(store, tmp_path / "out")


def test_what_is_young_stays(store: str, bundles: list[Path]) -> None:
    publish(store, bundles[0])
    leave_upload(store, bundles[0] / "generator.onnx")
    assert cleaned(store, MIN_AGE_SECONDS) == []
    assert LEFT in open_storage(store).folders(upload_path("tiny"))


def test_removing_that_was_killed_is_finished(store: str, bundles: list[Path], tmp_path: Path) -> None:
    upload = publish(store, bundles[0]).version.upload
    publish(store, bundles[1])
    remove(open_store(store), parse_reference("tiny@1"))
    left = leave_upload(store, bundles[0] / "generator.onnx", upload)  # as if the files had not gone yet
    assert cleaned(store) == [left]
    assert_whole(store, tmp_path / "out")


def test_upload_of_an_unreadable_record_stays(tmp_path: Path, bundles: list[Path]) -> None:
    store = str(tmp_path / "store")
    publish(store, bundles[0])
    publish(store, bundles[1], "other")
    leave_upload(store, bundles[0] / "generator.onnx")
    record = tmp_path / "store" / "models" / "tiny" / "versions" / "000001.json"
    whole = record.read_bytes()
    record.write_bytes(b"{")
    [problem] = clean(open_store(store), 0.0)
    assert isinstance(problem, BundleError)
    assert "nothing of tiny was removed" in str(problem) and "\n" not in str(problem)
    record.write_bytes(whole)
    assert cleaned(store) == [upload_path("tiny", LEFT)]


def test_half_written_files_are_removed_by_the_disks_clock(tmp_path: Path, bundles: list[Path]) -> None:
    store = tmp_path / "store"
    publish(str(store), bundles[0])
    versions = store / "models" / "tiny" / "versions"
    old, young, foreign = (
        versions / name for name in (".000002.json.00.tmp", ".000003.json.00.tmp", "x.tmp")
    )
    for file in (old, young, foreign):
        file.write_bytes(b"{")
    for file in (old, foreign):
        os.utime(file, (time.time() - 2 * MIN_AGE_SECONDS,) * 2)
    outside = tmp_path / "outside"
    outside.write_bytes(b"mine")
    (versions / ".link.tmp").symlink_to(outside)
    assert cleaned(str(store), MIN_AGE_SECONDS) == [f"models/tiny/versions/{old.name}"]
    assert young.exists() and foreign.exists() and outside.exists()


def test_upload_with_a_half_written_file_goes_in_one_go(tmp_path: Path, bundles: list[Path]) -> None:
    store = tmp_path / "store"
    publish(str(store), bundles[0])
    left = leave_upload(str(store), bundles[0] / "generator.onnx")
    (store / left / ".bundle.json.00.tmp").write_bytes(b"{")
    assert cleaned(str(store)) == [left]
    assert not (store / left).exists()


@pytest.mark.parametrize("wrong_time", [0.0, 1e11])
def test_this_machines_clock_does_not_matter(
    tmp_path: Path, bundles: list[Path], monkeypatch: pytest.MonkeyPatch, wrong_time: float
) -> None:
    store = str(tmp_path / "store")
    publish(store, bundles[0])
    left = leave_upload(store, bundles[0] / "generator.onnx")
    monkeypatch.setattr(time, "time", lambda: wrong_time)
    assert cleaned(store, MIN_AGE_SECONDS) == []
    assert cleaned(store) == [left]


def test_claims_to_given_numbers_go(store: str, bundles: list[Path]) -> None:
    publish(store, bundles[0])
    storage = open_storage(store)
    for number in (1, 2):
        storage.replace(f"{claim_path('tiny', number)}/{LEFT}", b"claimed\n")
    assert claim_path("tiny", 1) in cleaned(store)
    assert storage.folders(claim_path("tiny")) == ["000002"], "its owner may yet write the record"


def test_publisher_whose_files_are_cleaned_says_so(
    store: str, bundles: list[Path], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Cleaning comes between the files and the record, as if the clock had jumped a day."""
    publish(store, bundles[0])

    def cleaned_before(function: Any) -> Any:
        def run(storage: Storage, version: Version, manifest: Any) -> Any:
            assert cleaned(store) == [upload_path("tiny", version.upload)]
            return function(storage, version, manifest)

        return run

    with monkeypatch.context() as patch:
        for name in ("_commit", "_commit_by_claim"):
            patch.setattr(publishing, name, cleaned_before(getattr(publishing, name)))
        with pytest.raises(StoreError, match="publish again"):
            publish(store, bundles[1])
    assert find_version(open_store(store), parse_reference("tiny")).number == 1
    assert publish(store, bundles[1]).version.number == 3
    assert_whole(store, tmp_path / "out")


def test_publisher_that_is_faster_keeps_its_files(
    store: str, bundles: list[Path], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The record comes when cleaning has looked for it once, and has not marked the upload yet."""
    publish(store, bundles[0])

    def while_cleaning(commit: Any) -> Any:
        def run(storage: Storage, version: Version, manifest: Any) -> Any:
            published = []

            def look(storage: Storage, name: str) -> set[str]:
                found = used(storage, name)
                if not published:
                    published.append(commit(storage, version, manifest))
                return found

            patch.setattr(cleaning, "_used_uploads", look)
            assert cleaned(store) == []
            return published[0]

        return run

    used = cleaning._used_uploads
    with monkeypatch.context() as patch:
        for name in ("_commit", "_commit_by_claim"):
            patch.setattr(publishing, name, while_cleaning(getattr(publishing, name)))
        assert publish(store, bundles[1]).version.number == 2
    assert_whole(store, tmp_path / "out")
    assert open_storage(store).files(cleaning_path("tiny")) == []


def test_command_says_what_it_removes(
    tmp_path: Path, bundles: list[Path], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    store = str(tmp_path / "store")
    publish(store, bundles[0])
    left = tmp_path / "store" / leave_upload(store, bundles[0] / "generator.onnx")
    monkeypatch.setattr(sys, "argv", ["creativeai", "store", "clean", store])

    def run() -> tuple[str, str]:
        with pytest.raises(SystemExit) as stop:
            cli.main()
        assert not stop.value.code
        return capsys.readouterr()

    assert run() == ("", "nothing to remove\n")
    for path in (*left.iterdir(), left):
        os.utime(path, (time.time() - 2 * MIN_AGE_SECONDS,) * 2)
    assert run() == (f"removed models/tiny/uploads/{LEFT}: no version has it\n", "")
    assert not left.exists()
