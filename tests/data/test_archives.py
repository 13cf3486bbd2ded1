"""Folders and archives give the same files, and each kind of bad one is named for what it is."""

import gzip
import io
import struct
import tarfile
import zipfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from creativeai.data import archives
from creativeai.data.archives import Archive, open_archive
from creativeai.errors import DataError
from data.official import tar_bytes, write_files, write_tar, write_zip

FILES = {"a/1.txt": b"one", "a/2.jpg": bytes(range(256)) * 40, "b.txt": b"", "é/3.png": b"three"}
WRITERS: dict[str, Callable[[Path, dict[str, bytes]], Path]] = {
    "folder": write_files,
    "x.zip": write_zip,
    "x.tar": write_tar,
    "x.tgz": write_tar,
}


def contents(archive: Archive) -> dict[str, bytes]:
    if archive.read_member is not None:
        return {name: archive.read(name) for name in archive.sizes}
    found = dict(archive.stream(archive.sizes))
    assert not [content for content in found.values() if isinstance(content, DataError)]
    return found  # type: ignore[return-value]


def error_of(path: Path) -> str:
    with pytest.raises(DataError) as caught:
        contents(open_archive(path))
    assert "\n" not in str(caught.value) and str(path) in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize("name", WRITERS)
def test_all_kinds_hold_the_same_files(tmp_path: Path, name: str) -> None:
    archive = open_archive(WRITERS[name](tmp_path / name, FILES))

    assert contents(archive) == FILES
    assert archive.sizes == {name: len(content) for name, content in FILES.items()}


def test_compressed_tar_keeps_its_small_texts_and_streams_only_what_is_wanted(tmp_path: Path) -> None:
    archive = open_archive(write_tar(tmp_path / "x.tar.gz", FILES))

    assert archive.read("a/1.txt") == b"one"
    assert list(archive.stream({"a/2.jpg"})) == [("a/2.jpg", FILES["a/2.jpg"])]
    with pytest.raises(DataError, match="unpack the archive"):
        archive.read("a/2.jpg")


@pytest.mark.parametrize("name", ["folder", "x.zip", "x.tar"])
def test_many_threads_may_read(tmp_path: Path, name: str) -> None:
    files = {f"{number}.bin": bytes([number]) * 5000 for number in range(100)}
    archive = open_archive(WRITERS[name](tmp_path / name, files))

    with ThreadPoolExecutor(8) as threads:
        assert list(threads.map(archive.read, [*files] * 3)) == [*files.values()] * 3


@pytest.mark.parametrize("name", WRITERS)
def test_names_that_are_not_there_and_sizes_over_the_limit(tmp_path: Path, name: str) -> None:
    archive = open_archive(WRITERS[name](tmp_path / name, FILES))

    for unknown in ("../a/1.txt", "/etc/passwd", "a", "a/../b.txt"):
        with pytest.raises(DataError, match="has no"):
            archive.read(unknown)
    with pytest.raises(DataError, match=r"10,240 bytes, more than the 100 allowed"):
        archive.read("a/2.jpg", 100)


@pytest.mark.parametrize(
    "content", [b"<!DOCTYPE html><html>", b"\xef\xbb\xbf\n <HTML>", b"<?xml version='1'?><Error>"]
)
def test_web_page_saved_as_an_archive(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "CUB_200_2011.tgz"
    path.write_bytes(content)

    assert "is a web page saved under this name" in error_of(path)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is empty"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\n", "is a git-LFS pointer"),
        (b"7z\xbc\xaf'\x1c", "is a 7z archive: unpack it"),
        (b"BZh91AY", "is a bzip2 archive: unpack it"),
        (b"hello", "is neither a folder nor a zip or tar archive"),
        (b"PK\x03\x04 and no more", "is damaged or cut off"),
        (b"\x1f\x8b\x08\x00", "is damaged or cut off"),
        (gzip.compress(b"just a text"), "is damaged or cut off"),
    ],
)
def test_files_that_are_no_archives(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "x.tgz"
    path.write_bytes(content)

    assert message in error_of(path)


def test_missing_and_special_files(tmp_path: Path) -> None:
    assert "no such file or folder" in error_of(tmp_path / "nowhere.zip")


@pytest.mark.parametrize("name", ["x.zip", "x.tar", "x.tgz"])
def test_every_truncation_is_seen(tmp_path: Path, name: str) -> None:
    path = WRITERS[name](tmp_path / name, FILES)
    content = path.read_bytes()
    # A tar ends in several blocks of zeros, of which one is enough.
    last = len(content.rstrip(b"\0")) if name == "x.tar" else len(content)
    for end in [*range(0, last, 97), last - 1]:
        path.write_bytes(content[:end])
        error_of(path)


@pytest.mark.parametrize(
    "bad", ["../evil.txt", "/etc/evil.txt", "a/../../evil.txt", "C:/evil.txt", "a\\..\\evil", "a\nb"]
)
@pytest.mark.parametrize("name", ["x.zip", "x.tar", "x.tgz"])
def test_names_that_lead_out_or_are_broken(tmp_path: Path, name: str, bad: str) -> None:
    message = error_of(WRITERS[name](tmp_path / name, FILES | {bad: b"evil"}))

    assert "which leads out of it" in message or "a broken name" in message


def test_duplicate_names(tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "x.tar", "w") as archive:
        for name in ("a.txt", "./a.txt"):
            archive.addfile(tarfile.TarInfo(name))
    with pytest.warns(UserWarning, match="Duplicate"), zipfile.ZipFile(tmp_path / "x.zip", "w") as other:
        other.writestr("a.txt", b"1")
        other.writestr("a.txt", b"2")

    assert "holds a.txt twice" in error_of(tmp_path / "x.tar")
    assert "holds a.txt twice" in error_of(tmp_path / "x.zip")


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE])
def test_links_in_a_tar(tmp_path: Path, kind: bytes) -> None:
    with tarfile.open(tmp_path / "x.tar", "w") as archive:
        info = tarfile.TarInfo("a.jpg")
        info.type, info.linkname = kind, "../../secret"
        archive.addfile(info)

    assert "'a.jpg' is a link, which is not followed" in error_of(tmp_path / "x.tar")


@pytest.mark.parametrize("kind", [tarfile.FIFOTYPE, tarfile.CHRTYPE, tarfile.BLKTYPE])
def test_devices_in_a_tar(tmp_path: Path, kind: bytes) -> None:
    with tarfile.open(tmp_path / "x.tar", "w") as archive:
        info = tarfile.TarInfo("pipe")
        info.type = kind
        archive.addfile(info)

    assert "'pipe' is not a plain file" in error_of(tmp_path / "x.tar")


def test_link_and_encryption_in_a_zip(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "link.zip", "w") as archive:
        info = zipfile.ZipInfo("a.jpg")
        info.external_attr = 0o120777 << 16
        archive.writestr(info, "../../secret")
    path = write_zip(tmp_path / "locked.zip", {"a.txt": b"secret"})
    content = bytearray(path.read_bytes())
    content[content.index(b"PK\x01\x02") + 8] |= 1
    path.write_bytes(content)

    assert "'a.jpg' is a link" in error_of(tmp_path / "link.zip")
    assert "a.txt is encrypted" in error_of(path)


def test_links_in_a_folder(tmp_path: Path) -> None:
    (tmp_path / "secret").mkdir()
    (tmp_path / "secret" / "key").write_text("hush")
    root = write_files(tmp_path / "root", {"a/1.txt": b"one"})
    (root / "inside.txt").symlink_to("a/1.txt")
    (root / "outside.txt").symlink_to(tmp_path / "secret" / "key")
    (root / "folder").symlink_to(tmp_path / "secret")
    (root / "loop").symlink_to("loop")
    archive = open_archive(root)

    assert archive.read("inside.txt") == b"one"
    assert archive.links == ("folder",)
    assert sorted(archive.sizes) == ["a/1.txt", "inside.txt", "outside.txt"]
    with pytest.raises(DataError, match=r"outside\.txt: a link leads out of the folder"):
        archive.read("outside.txt")


def test_bombs_are_refused_before_they_grow(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archives, "MIN_BOMB_BYTES", 2**20)
    bomb = {"a.txt": bytes(4 * 2**20)}

    assert "made to fill memory" in error_of(write_zip(tmp_path / "x.zip", bomb))
    assert "made to fill memory" in error_of(write_tar(tmp_path / "x.tgz", bomb))


def test_headers_that_state_impossible_sizes(tmp_path: Path) -> None:
    content = bytearray(tar_bytes({"a.txt": b"one"}))
    for size in (b"77777777777\0", b"\x80" + (2**70).to_bytes(11, "big"), b"\xff" * 12):
        content[124:136] = size
        content[148:156] = b" " * 8
        content[148:156] = b"%06o\0 " % sum(content[:512])
        for kind in (b"0", b"L", b"x"):
            content[156:157] = kind
            (tmp_path / "x.tar").write_bytes(content)
            error_of(tmp_path / "x.tar")


def test_a_long_chain_of_headers(tmp_path: Path) -> None:
    info = tarfile.TarInfo("././@LongLink")
    info.type = tarfile.GNUTYPE_LONGNAME
    (tmp_path / "x.tar").write_bytes(info.tobuf() * 5000 + bytes(1024))

    error_of(tmp_path / "x.tar")


def test_too_many_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archives, "MAX_MEMBERS", 3)
    for name, write in WRITERS.items():
        assert "holds more than 3 files" in error_of(write(tmp_path / name, FILES))


def test_what_macos_adds_is_left_out(tmp_path: Path) -> None:
    litter = {"__MACOSX/a/._1.txt": b"x", "a/._1.txt": b"x"}

    assert contents(open_archive(write_tar(tmp_path / "x.tgz", FILES | litter))) == FILES
    assert contents(open_archive(write_zip(tmp_path / "x.zip", FILES | litter))) == FILES


def test_changed_bytes_in_a_zip_and_a_compressed_tar_are_seen(tmp_path: Path) -> None:
    for name in ("x.zip", "x.tgz"):
        path = WRITERS[name](tmp_path / name, FILES)
        content = bytearray(path.read_bytes())
        content[len(content) // 3] ^= 0x10
        path.write_bytes(content)
        error_of(path)


@pytest.mark.parametrize("name", ["x.zip", "x.tar", "x.tgz"])
def test_random_damage_raises_data_errors_only(tmp_path: Path, name: str) -> None:
    path = WRITERS[name](tmp_path / name, FILES)
    content = np.frombuffer(path.read_bytes(), np.uint8)
    random = np.random.default_rng(7)
    for _ in range(150):
        changed = content.copy()
        changed[random.integers(0, len(content), 4)] = random.integers(0, 256, 4)
        begin, end, to = sorted(random.integers(0, len(content), 3))
        spliced = np.concatenate([changed[:end], changed[begin:]]) if random.random() < 0.3 else changed
        path.write_bytes(spliced[: None if random.random() < 0.7 else to].tobytes())
        try:
            contents(open_archive(path))
        except DataError as error:
            assert "\n" not in str(error)


@given(
    st.binary(max_size=2000),
    st.sampled_from(
        [b"", b"PK\x03\x04", b"PK\x05\x06", b"\x1f\x8b\x08\0", struct.pack("257x6s", b"ustar\0")]
    ),
)
def test_any_bytes_raise_data_errors_only(
    tmp_path_factory: pytest.TempPathFactory, content: bytes, start: bytes
) -> None:
    path = tmp_path_factory.getbasetemp() / "any.tar"
    path.write_bytes(start + content)
    try:
        contents(open_archive(path))
    except DataError as error:
        assert "\n" not in str(error)


@given(
    st.dictionaries(
        st.from_regex(r"[a-zé]{1,9}(/[a-z ]{1,120}x){0,2}", fullmatch=True),
        st.binary(max_size=3000),
        max_size=6,
    )
)
def test_tars_and_zips_of_any_files_are_read_back(
    tmp_path_factory: pytest.TempPathFactory, files: dict[str, bytes]
) -> None:
    base = tmp_path_factory.getbasetemp()

    assert contents(open_archive(write_tar(base / "some.tar", files))) == files
    assert contents(open_archive(write_tar(base / "some.tgz", files))) == files
    assert contents(open_archive(write_zip(base / "some.zip", files))) == files


def test_gzip_of_a_tar_whose_checksum_is_wrong(tmp_path: Path) -> None:
    packed = io.BytesIO()
    with gzip.GzipFile(fileobj=packed, mode="wb") as file:
        file.write(tar_bytes(FILES))
    content = bytearray(packed.getvalue())
    content[-8] ^= 1
    (tmp_path / "x.tgz").write_bytes(content)

    error_of(tmp_path / "x.tgz")
