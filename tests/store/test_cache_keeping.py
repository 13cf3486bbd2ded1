"""A server's cache keeps what is served and was served before, of every server with it, and nothing more."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from creativeai.store.cache_keeping import (
    Remembered,
    clean_cache,
    memory_file,
    read_memory,
    using_cache,
    write_memory,
)

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="nothing is cleaned without locks")
ONE, TWO, THREE, FOUR = (digit * 64 for digit in "1234")


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    for name in (ONE, TWO, THREE, FOUR, f".{ONE}.x1y2.tmp", "mine", ".hidden"):
        folder = tmp_path / "bundles" / name
        folder.mkdir(parents=True)
        (folder / "generator.onnx").write_bytes(b"graph")
    return tmp_path


def left(cache: Path) -> set[str]:
    return set(os.listdir(cache / "bundles"))


def test_what_any_server_serves_or_served_stays(cache: Path) -> None:
    write_memory(memory_file(cache, "a", "champion"), {"tiny": Remembered(2, TWO, ONE)})
    write_memory(memory_file(cache, "b", "champion"), {"tiny": Remembered(1, THREE)})
    removed = clean_cache(cache)
    assert {folder.name for folder in removed} == {FOUR, f".{ONE}.x1y2.tmp"}
    assert left(cache) == {ONE, TWO, THREE, "mine", ".hidden"}
    assert clean_cache(cache) == []


def test_damaged_memory_still_keeps_what_it_names(cache: Path) -> None:
    file = memory_file(cache, "a", "champion")
    file.write_text(f'{{"tiny": {{"version": 7, "digest": "{THREE}", "new": [')
    assert read_memory(file) == {}
    clean_cache(cache)
    assert THREE in left(cache)


def test_memory_of_an_older_version_is_read(tmp_path: Path) -> None:
    file = tmp_path / "served.json"
    file.write_text(f'{{"tiny": {{"version": 7, "digest": "{ONE}"}}}}')
    assert read_memory(file) == {"tiny": Remembered(7, ONE)}


def test_nothing_goes_while_a_server_loads(cache: Path) -> None:
    before = left(cache)
    with using_cache(cache), using_cache(cache):
        assert clean_cache(cache) == []
    assert left(cache) == before
    assert clean_cache(cache)


def test_lock_of_a_killed_server_is_gone(cache: Path) -> None:
    code = (
        "import os, sys; from pathlib import Path; from creativeai.store.cache_keeping import using_cache\n"
        "with using_cache(Path(sys.argv[1])): os.kill(os.getpid(), 9)"
    )
    assert subprocess.run([sys.executable, "-c", code, str(cache)]).returncode == -9
    assert clean_cache(cache)


def test_links_out_of_the_cache_are_not_followed(
    cache: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    outside = tmp_path_factory.mktemp("outside")
    (outside / "kept").write_bytes(b"mine")
    (cache / "bundles" / ("5" * 64)).symlink_to(outside)
    clean_cache(cache)
    assert (outside / "kept").exists()


def test_cache_that_is_not_there_is_fine(tmp_path: Path) -> None:
    assert clean_cache(tmp_path / "none") == []
    (tmp_path / "file").write_bytes(b"")
    with using_cache(tmp_path / "file"):
        pass
