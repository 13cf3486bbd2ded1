"""Disks that run full, or can only be read."""

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tiny_bundle import make_tiny_bundle

SIZE = 8 << 20


@pytest.fixture(scope="session")
def bundles(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Two versions of one model."""
    folder = tmp_path_factory.mktemp("bundles")
    return [make_tiny_bundle(folder / str(i), resolution=16 << i, num_stages=1) for i in range(2)]


def _mount(*arguments: str) -> bool:
    try:
        return subprocess.run(["mount", *arguments], capture_output=True).returncode == 0
    except FileNotFoundError:  # such as on Windows
        return False


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 8 MB of its own."""
    folder = tmp_path / "disk"
    folder.mkdir()
    if not _mount("-t", "tmpfs", "-o", f"size={SIZE}", "none", str(folder)):
        pytest.skip("only root may mount a disk to fill")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


@pytest.fixture
def set_read_only(disk: Path) -> Callable[[bool], None]:
    """Makes the disk one that can only be read, or can be written again."""

    def change(read_only: bool) -> None:
        assert _mount("-o", f"remount,{'ro' if read_only else 'rw'}", str(disk))

    return change


@pytest.fixture
def fill(disk: Path) -> Callable[[int], Path]:
    """Fills the disk but for so many bytes, by the file that it returns."""

    def write(num_left: int) -> Path:
        ballast = disk / "ballast"
        with ballast.open("wb", buffering=0) as file:
            try:
                while True:
                    file.write(bytes(4096))
            except OSError:
                file.truncate(file.tell() - num_left)
        return ballast

    return write
