import hashlib
import random
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from creativeai.data import download as module
from creativeai.data.download import RemoteFile, download
from creativeai.data.official import OFFICIAL, after_download, find_official
from creativeai.errors import DataError

CONTENT = random.Random(0).randbytes(3 << 20)


@dataclass
class Site:
    """A web server with one file, and the ways in which it misbehaves."""

    content: bytes = CONTENT
    status: int = 200
    content_type: str = "application/octet-stream"
    breaks_after: int | None = None
    """Bytes after which each connection is cut."""
    num_breaks: int = 10**9
    """Connections that are cut before it behaves."""
    ignores_ranges: bool = False
    said_length: int | None = None
    says_length: bool = True
    ranges: list[str | None] = field(default_factory=list)
    """What was asked for, one connection after the other."""
    url: str = ""


@contextmanager
def serving(site: Site) -> Iterator[None]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked = self.headers.get("Range")
            site.ranges.append(asked)
            start = 0 if asked is None or site.ignores_ranges else int(asked[6:-1])
            if site.status != 200:
                self.send_error(site.status)
                return
            if start > len(site.content):
                self.send_error(416)
                return
            self.send_response(206 if start else 200)
            self.send_header("Content-Type", site.content_type)
            if start:
                self.send_header("Content-Range", f"bytes {start}-{len(site.content) - 1}/*")
            if site.says_length:
                self.send_header("Content-Length", str(site.said_length or len(site.content) - start))
            self.end_headers()
            body = site.content[start:]
            if site.breaks_after is not None and len(site.ranges) <= site.num_breaks:
                body = body[: site.breaks_after]
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        site.url = f"http://127.0.0.1:{server.server_port}/birds.tgz"
        yield
        server.shutdown()
        thread.join()


@pytest.fixture
def site(monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    monkeypatch.setattr(module, "PAUSE_SECONDS", 0.0)
    site = Site()
    with serving(site):
        yield site


@pytest.fixture
def file(site: Site) -> RemoteFile:
    md5 = hashlib.md5(CONTENT, usedforsecurity=False).hexdigest()
    return RemoteFile("birds.tgz", site.url, md5, len(CONTENT))


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def test_whole_file_is_fetched_with_progress(file: RemoteFile, tmp_path: Path) -> None:
    told: list[tuple[str, int, int | None]] = []
    [path] = download((file,), tmp_path / "new" / "folder", lambda *progress: told.append(progress))
    assert path.read_bytes() == CONTENT
    assert names(path.parent) == {"birds.tgz"}
    assert told[-1] == ("birds.tgz", len(CONTENT), len(CONTENT))
    assert [done for _, done, _ in told] == sorted({done for _, done, _ in told})


def test_what_is_there_is_not_fetched_again(site: Site, file: RemoteFile, tmp_path: Path) -> None:
    download((file,), tmp_path)
    download((file,), tmp_path)
    assert len(site.ranges) == 1


def test_other_file_of_that_name_is_left_alone(site: Site, file: RemoteFile, tmp_path: Path) -> None:
    (tmp_path / "birds.tgz").write_text("mine")
    with pytest.raises(DataError, match="isn't the published file"):
        download((file,), tmp_path)
    assert (tmp_path / "birds.tgz").read_text() == "mine" and not site.ranges


@pytest.mark.parametrize("says_length", [True, False])
def test_broken_connections_go_on_where_they_broke(
    site: Site, file: RemoteFile, tmp_path: Path, says_length: bool
) -> None:
    site.breaks_after, site.says_length = 1 << 20, says_length
    [path] = download((file,), tmp_path)
    assert path.read_bytes() == CONTENT
    assert site.ranges == [None, "bytes=1048576-", "bytes=2097152-"]


def test_later_call_goes_on_with_an_earlier_one(site: Site, file: RemoteFile, tmp_path: Path) -> None:
    (tmp_path / "birds.tgz.part").write_bytes(CONTENT[:1000])
    download((file,), tmp_path)
    assert site.ranges == ["bytes=1000-"] and (tmp_path / "birds.tgz").read_bytes() == CONTENT


def test_part_that_is_whole_needs_no_site(site: Site, file: RemoteFile, tmp_path: Path) -> None:
    (tmp_path / "birds.tgz.part").write_bytes(CONTENT)
    download((file,), tmp_path)
    assert not site.ranges and names(tmp_path) == {"birds.tgz"}


def test_part_longer_than_the_file_is_begun_anew(site: Site, file: RemoteFile, tmp_path: Path) -> None:
    (tmp_path / "birds.tgz.part").write_bytes(CONTENT + b"?")
    download((file,), tmp_path)
    assert site.ranges == [None]


def test_part_longer_than_a_file_of_unknown_length(site: Site, file: RemoteFile, tmp_path: Path) -> None:
    (tmp_path / "birds.tgz.part").write_bytes(CONTENT + b"?")
    [path] = download((replace(file, num_bytes=None),), tmp_path)
    assert path.read_bytes() == CONTENT


def test_site_that_knows_no_ranges(site: Site, file: RemoteFile, tmp_path: Path) -> None:
    site.ignores_ranges = True
    (tmp_path / "birds.tgz.part").write_bytes(b"x" * 1000)
    [path] = download((file,), tmp_path)
    assert path.read_bytes() == CONTENT


def test_wrong_bytes_are_not_kept(site: Site, file: RemoteFile, tmp_path: Path) -> None:
    site.content = CONTENT[:-1] + b"?"
    with pytest.raises(DataError, match="not the published file"):
        download((file,), tmp_path)
    assert not names(tmp_path)


def test_lie_about_the_length(site: Site, file: RemoteFile, tmp_path: Path) -> None:
    site.said_length = 7
    with pytest.raises(DataError, match="offers 7 bytes"):
        download((file,), tmp_path)
    assert not names(tmp_path)


@pytest.mark.parametrize("num_bytes", [len(CONTENT), None])
def test_more_than_was_published(
    site: Site, file: RemoteFile, tmp_path: Path, num_bytes: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MAX_UNKNOWN_BYTES", len(CONTENT))
    site.content, site.says_length = CONTENT + b"?", False
    with pytest.raises(DataError, match="sends more"):
        download((replace(file, num_bytes=num_bytes),), tmp_path)
    assert "birds.tgz" not in names(tmp_path)


def test_length_said_too_long_ends_in_an_error(site: Site, file: RemoteFile, tmp_path: Path) -> None:
    site.said_length = len(CONTENT) + 5
    with pytest.raises(DataError, match="breaks off"):
        download((replace(file, num_bytes=None),), tmp_path)


def test_web_page_instead_of_the_file(site: Site, file: RemoteFile, tmp_path: Path) -> None:
    site.content_type = "text/html; charset=utf-8"
    with pytest.raises(DataError, match="sends a web page"):
        download((file,), tmp_path)


def test_gone_file_is_not_asked_for_again(site: Site, file: RemoteFile, tmp_path: Path) -> None:
    site.status = 404
    with pytest.raises(DataError, match="answers 404"):
        download((file,), tmp_path)
    assert len(site.ranges) == 1


def test_busy_site_is_asked_a_few_times(site: Site, file: RemoteFile, tmp_path: Path) -> None:
    site.status = 503
    with pytest.raises(DataError, match=r"answers 503.*goes on; or fetch it by other means and put it at"):
        download((file,), tmp_path)
    assert len(site.ranges) == module.MAX_BARREN_TRIES


def test_site_that_sends_nothing(site: Site, file: RemoteFile, tmp_path: Path) -> None:
    site.breaks_after = 0
    with pytest.raises(DataError, match="breaks off"):
        download((file,), tmp_path)


def test_site_that_can_not_be_reached(file: RemoteFile, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"can't be reached.*put it at"):
        download((replace(file, url="http://127.0.0.1:9/birds.tgz"),), tmp_path)


def test_full_disk_is_known_before_it_begins(site: Site, file: RemoteFile, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="too full"):
        download((replace(file, num_bytes=1 << 60),), tmp_path)
    assert not site.ranges


def test_folder_that_is_a_file(file: RemoteFile, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(DataError, match="can't be written"):
        download((file,), tmp_path / "file")


@pytest.mark.parametrize("name", OFFICIAL)
def test_official_files_are_whole_descriptions(name: str) -> None:
    offered = find_official(name)
    assert all(one.url.startswith("https://") and len(one.md5) == 32 for one in offered.files)
    assert offered.num_bytes > 10**8
    assert f"creativeai data prepare {name} DATASET --from /data" in after_download(name, Path("/data"))[-1]


def test_unknown_dataset_names_those_there_are() -> None:
    with pytest.raises(DataError, match=r"'cars': cub200 and oxford102"):
        find_official("cars")
