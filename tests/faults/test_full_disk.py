"""A full disk is one line that names the place; nothing half is left, and what was there goes on."""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from creativeai import cli
from creativeai.bundles import read_bundle, write_bundle
from creativeai.bundles.manifest import manifest_content
from creativeai.errors import BundleError
from creativeai.store import Version, all_versions, open_store, publish, pull
from creativeai.store.reading import version_numbers

Fill = Callable[[int], Path]
NO_SPACE = "no space left"
PAGE = 4096


def run(capsys: pytest.CaptureFixture[str], *words: str | Path) -> str:
    """The one line that a command fails with."""
    with pytest.MonkeyPatch.context() as patch, pytest.raises(SystemExit) as stop:
        patch.setattr(sys, "argv", ["creativeai", *map(str, words)])
        cli.main()
    out, error = capsys.readouterr()
    assert (stop.value.code, out) == (2, ""), error
    # A busy machine may say before that it has begun.
    [line] = [line for line in error.splitlines() if not line.startswith("preparing ")]
    assert line.startswith("creativeai: ")
    return line


def files_of(folder: Path) -> dict[Path, int]:
    return {path: path.stat().st_size for path in sorted(folder.rglob("*")) if path.is_file()}


@pytest.fixture
def unchanged(disk: Path) -> Iterator[Callable[[], None]]:
    """To be called when the disk has what it is to keep: after the test it has just that."""
    before = {}

    def note() -> None:
        before.update(files_of(disk))

    yield note
    assert before and files_of(disk) == before


def num_pages(folder: Path) -> int:
    """Pages of the disk that a folder's files take."""
    return sum(-(-size // PAGE) for size in files_of(folder).values())


@pytest.mark.parametrize("num_missing", [0, 1, 5, None], ids=["record", "a file", "files", "all"])
def test_publish(
    disk: Path,
    fill: Fill,
    unchanged: Callable[[], None],
    bundles: list[Path],
    capsys: pytest.CaptureFixture[str],
    num_missing: int | None,
) -> None:
    publish(str(disk / "store"), bundles[0])
    fill(0 if num_missing is None else PAGE * (num_pages(bundles[1]) - num_missing))
    unchanged()
    error = run(capsys, "store", "publish", bundles[1], "--to", disk / "store")
    assert NO_SPACE in error.lower() and str(disk / "store") in error
    [version] = all_versions(open_store(str(disk / "store")))
    assert isinstance(version, Version) and version.number == 1


def test_publish_takes_the_next_number_once_there_is_space(
    disk: Path, fill: Fill, bundles: list[Path], capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    store = str(disk / "store")
    publish(store, bundles[0])
    ballast = fill(12288)
    run(capsys, "store", "publish", bundles[1], "--to", store)
    ballast.unlink()
    version = publish(store, bundles[1]).version
    assert version_numbers(open_store(store), "tiny") == [1, 2]
    pull(open_store(store), version, tmp_path / "out")


def test_promote(
    disk: Path,
    fill: Fill,
    unchanged: Callable[[], None],
    bundles: list[Path],
    capsys: pytest.CaptureFixture[str],
) -> None:
    publish(str(disk / "store"), bundles[0])
    fill(0)
    unchanged()
    error = run(capsys, "store", "promote", disk / "store", "tiny@1")
    assert NO_SPACE in error.lower() and "champion.json" in error


@pytest.mark.parametrize("num_left", [0, 4096, 12288])
def test_pull(
    disk: Path,
    fill: Fill,
    unchanged: Callable[[], None],
    bundles: list[Path],
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    num_left: int,
) -> None:
    publish(str(tmp_path / "store"), bundles[0])
    fill(num_left)
    unchanged()
    error = run(capsys, "store", "pull", tmp_path / "store", "tiny", "-o", disk / "out")
    assert NO_SPACE in error.lower() and str(disk / "out") in error
    assert not (disk / "out").exists()


@pytest.mark.parametrize("ending", ["png", "webp", "jpg"])
def test_generate(
    disk: Path,
    fill: Fill,
    unchanged: Callable[[], None],
    bundles: list[Path],
    capsys: pytest.CaptureFixture[str],
    ending: str,
) -> None:
    file = disk / f"red.{ending}"
    file.write_bytes(b"an older picture")
    fill(0)
    unchanged()
    error = run(capsys, "generate", "a red bird", "--model", bundles[1], "-o", file)
    assert NO_SPACE in error.lower() and str(disk) in error


@pytest.mark.parametrize("out", ["all", "all.tar"])
def test_generate_of_captions(
    disk: Path,
    fill: Fill,
    bundles: list[Path],
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    out: str,
) -> None:
    (tmp_path / "captions.txt").write_text("a red bird\na blue bird\n")
    ballast = fill(4096)
    words = ("generate", "--captions", tmp_path / "captions.txt", "--model", bundles[1], "-n", "8", "-o")
    error = run(capsys, *words, disk / out)
    assert NO_SPACE in error.lower() and str(disk / out) in error
    assert not [path for path in files_of(disk) if path.name.endswith(".tmp")]
    ballast.unlink()
    with pytest.MonkeyPatch.context() as patch, pytest.raises(SystemExit) as stop:
        patch.setattr(sys, "argv", ["creativeai", *map(str, words), str(disk / out)])
        cli.main()
    assert not stop.value.code
    assert "16 pictures" in capsys.readouterr().out


@pytest.mark.parametrize("num_left", [0, 20480, 999_424])  # what is needed is reckoned without the captions
def test_prepare(
    disk: Path,
    fill: Fill,
    unchanged: Callable[[], None],
    capsys: pytest.CaptureFixture[str],
    num_left: int,
) -> None:
    fill(num_left)
    unchanged()
    error = run(capsys, "data", "prepare", "toybirds", disk / "birds", "--num", "80", "--resolutions", "64")
    assert NO_SPACE in error.lower() and str(disk) in error
    assert not (disk / "birds").exists()


@pytest.mark.parametrize("num_left", [0, 4096, 12288])
def test_export(
    disk: Path, fill: Fill, unchanged: Callable[[], None], bundles: list[Path], num_left: int
) -> None:
    bundle = read_bundle(bundles[0])
    files = {name: bundle.file(name) for name in bundle.manifest.files}
    fill(num_left)
    unchanged()
    with pytest.raises(BundleError) as caught:
        write_bundle(disk / "out", manifest_content(bundle.manifest), files)
    error = str(caught.value)
    assert NO_SPACE in error.lower() and str(disk / "out") in error and "\n" not in error
