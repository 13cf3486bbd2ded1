import errno
import os
import stat
import threading
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

import pytest

from creativeai.whole_files import becoming, replace_file, sync_folder, whole_folder, write_synced


def full_disk(*_: object) -> None:
    raise OSError(errno.ENOSPC, "No space left on device")


@pytest.fixture
def synced(monkeypatch: pytest.MonkeyPatch) -> list[os.stat_result]:
    """Every file and folder forced to the disk, in turn, as it was then."""
    found: list[os.stat_result] = []
    monkeypatch.setattr(os, "fsync", lambda descriptor: found.append(os.fstat(descriptor)))
    return found


def same_as(path: Path) -> Callable[[os.stat_result], bool]:
    status = path.stat()
    return lambda other: os.path.samestat(status, other)


def test_file_is_replaced_whole(tmp_path: Path) -> None:
    for content in (b"first", b"second"):
        replace_file(tmp_path / "file", lambda file, content=content: file.write(content))
        assert (tmp_path / "file").read_bytes() == content
    assert os.listdir(tmp_path) == ["file"]


def test_file_is_on_the_disk_before_it_has_its_name(tmp_path: Path, synced: list[os.stat_result]) -> None:
    replace_file(tmp_path / "file", lambda file: file.write(b"content"))
    file, folder = synced
    assert same_as(tmp_path / "file")(file) and file.st_size == 7
    assert same_as(tmp_path)(folder)


def test_full_disk_leaves_the_old_file(tmp_path: Path) -> None:
    def fill(file: BinaryIO) -> None:
        file.write(b"half of it")
        full_disk()

    (tmp_path / "file").write_bytes(b"old")
    with pytest.raises(OSError, match="No space"):
        replace_file(tmp_path / "file", fill)
    assert (tmp_path / "file").read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["file"]


def test_writer_that_hides_the_reason_is_seen_through(tmp_path: Path) -> None:
    resource = pytest.importorskip("resource")

    def hide(file: BinaryIO) -> None:
        try:
            file.write(bytes(1 << 20))
        except OSError:
            raise RuntimeError("unexpected pos 51392 vs 51312") from None

    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, hard))
    try:
        with pytest.raises(OSError, match="File too large"):
            replace_file(tmp_path / "file", hide)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert os.listdir(tmp_path) == []


def test_file_is_written_under_a_hidden_name_that_ends_in_tmp(tmp_path: Path) -> None:
    replace_file(tmp_path / "file", lambda file: file.write(Path(file.name).name.encode()))
    name = (tmp_path / "file").read_text()
    assert name.startswith(".file.") and name.endswith(".tmp")


def test_two_writers_of_one_file_do_not_meddle(tmp_path: Path) -> None:
    """Each waits with half of its content written until the other has as much."""
    both = threading.Barrier(2, timeout=10)

    def write(content: bytes) -> None:
        def halves(file: BinaryIO) -> None:
            file.write(content[:500])
            both.wait()
            file.write(content[500:])

        replace_file(tmp_path / "file", halves)

    contents = [b"a" * 1000, b"b" * 1000]
    threads = [threading.Thread(target=write, args=(content,)) for content in contents]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (tmp_path / "file").read_bytes() in contents
    assert os.listdir(tmp_path) == ["file"]


@pytest.mark.skipif(os.name == "nt", reason="Windows has no umask")
def test_others_may_read_a_file_as_the_user_has_it(tmp_path: Path) -> None:
    before = os.umask(0o022)
    try:
        replace_file(tmp_path / "file", lambda file: file.write(b""))
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "file").stat().st_mode) == 0o644


def test_folder_is_there_when_its_block_ends(tmp_path: Path) -> None:
    out = tmp_path / "new" / "birds"
    with whole_folder(out) as folder:
        assert folder.parent == out.parent
        assert folder.name.startswith(".birds.") and folder.name.endswith(".tmp")
        write_synced(folder / "file", b"content")
        assert not out.exists()
    assert (out / "file").read_bytes() == b"content"
    assert os.listdir(out.parent) == ["birds"]
    assert os.name == "nt" or stat.S_IMODE(out.stat().st_mode) == 0o755


def test_all_of_a_folder_is_on_the_disk(tmp_path: Path, synced: list[os.stat_result]) -> None:
    out = tmp_path / "birds"
    with whole_folder(out) as folder:
        (folder / "a" / "b").mkdir(parents=True)
        write_synced(folder / "a" / "b" / "file", b"content")
    for path in (out, out / "a", out / "a" / "b", out / "a" / "b" / "file", tmp_path):
        assert any(map(same_as(path), synced)), path
    assert same_as(tmp_path)(synced[-1])


@pytest.mark.parametrize("kind", [ValueError, KeyboardInterrupt])
def test_folder_of_a_block_that_fails_is_gone(tmp_path: Path, kind: type[BaseException]) -> None:
    def fail() -> None:
        with whole_folder(tmp_path / "birds") as folder:
            write_synced(folder / "file", b"half of it")
            raise kind

    with pytest.raises(kind):
        fail()
    assert not os.listdir(tmp_path)


@pytest.mark.parametrize("call", ["fsync", "rename"])
def test_folder_that_cant_be_finished_is_gone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    def make() -> None:
        with whole_folder(tmp_path / "birds") as folder:
            (folder / "file").write_bytes(b"content")
            monkeypatch.setattr(*(Path, "rename") if call == "rename" else (os, "fsync"), full_disk)

    with pytest.raises(OSError, match="No space"):
        make()
    assert not os.listdir(tmp_path)


def test_folder_with_something_in_it_is_not_replaced(tmp_path: Path) -> None:
    (tmp_path / "birds").mkdir()
    (tmp_path / "birds" / "precious").touch()
    with pytest.raises(OSError, match="not empty"), whole_folder(tmp_path / "birds") as folder:
        (folder / "file").touch()
    assert os.listdir(tmp_path / "birds") == ["precious"]
    assert os.listdir(tmp_path) == ["birds"]


def test_any_folder_may_become_another(tmp_path: Path) -> None:
    (tmp_path / "birds.half").mkdir()
    with becoming(tmp_path / "birds", tmp_path / "birds.half"):
        (tmp_path / "birds.half" / "file").touch()
    assert os.listdir(tmp_path) == ["birds"]
    assert os.listdir(tmp_path / "birds") == ["file"]


@pytest.mark.parametrize("number", [errno.EINVAL, errno.ENOTSUP, errno.EACCES])
def test_disk_that_cant_sync_folders_is_taken_as_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    def fsync(descriptor: int) -> None:
        if stat.S_ISDIR(os.fstat(descriptor).st_mode):
            raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "fsync", fsync)
    replace_file(tmp_path / "file", lambda file: file.write(b"content"))
    assert (tmp_path / "file").read_bytes() == b"content"


def test_broken_disk_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "fsync", full_disk)
    with pytest.raises(OSError, match="No space"):
        sync_folder(tmp_path)
