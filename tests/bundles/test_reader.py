import os
import shutil
from pathlib import Path
from typing import Any

import pytest

from creativeai.bundles import read_bundle
from creativeai.errors import BundleError

POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:0123\nsize 12345\n"
FILES = ["generator.onnx", "MODEL_CARD.md", "samples.webp"]


def test_bundle_gives_paths_of_its_files_only(bundle: Path) -> None:
    read = read_bundle(str(bundle))
    assert read.path == bundle
    assert read.file("generator.onnx") == bundle / "generator.onnx"
    for name in ("bundle.json", "../secret", "other.txt"):
        with pytest.raises(BundleError, match="has no file"):
            read.file(name)


@pytest.mark.parametrize("name", FILES)
def test_changed_file_is_named(bundle: Path, name: str) -> None:
    data = bytearray((bundle / name).read_bytes())
    data[len(data) // 2] ^= 1
    (bundle / name).write_bytes(data)
    with pytest.raises(BundleError, match=f"{name} is damaged: its SHA-256"):
        read_bundle(bundle)
    read_bundle(bundle, verify=False)


@pytest.mark.parametrize("verify", [True, False])
@pytest.mark.parametrize("name", FILES)
def test_truncated_file_is_named(bundle: Path, name: str, verify: bool) -> None:
    os.truncate(bundle / name, (bundle / name).stat().st_size - 1)
    with pytest.raises(BundleError, match=f"{name} is damaged: it has .* bytes instead of"):
        read_bundle(bundle, verify)


@pytest.mark.parametrize("verify", [True, False])
@pytest.mark.parametrize("name", [*FILES, "bundle.json"])
def test_missing_file_is_named(bundle: Path, name: str, verify: bool) -> None:
    (bundle / name).unlink()
    with pytest.raises(BundleError, match=f"{name} is missing"):
        read_bundle(bundle, verify)


@pytest.mark.parametrize("name", [*FILES, "bundle.json"])
def test_git_lfs_pointer_is_told_apart_from_damage(bundle: Path, name: str) -> None:
    (bundle / name).write_bytes(POINTER)
    with pytest.raises(BundleError, match=f"{name} is a git-LFS pointer .* run `git lfs pull`"):
        read_bundle(bundle)


@pytest.mark.parametrize("name", [*FILES, "bundle.json"])
def test_link_is_refused_even_to_the_right_content(bundle: Path, tmp_path: Path, name: str) -> None:
    shutil.move(bundle / name, tmp_path / "elsewhere")
    (bundle / name).symlink_to(tmp_path / "elsewhere")
    with pytest.raises(BundleError, match=f"{name} is a link"):
        read_bundle(bundle)


def test_link_to_a_folder_on_the_way_is_refused(bundle: Path, tmp_path: Path, change_manifest: Any) -> None:
    (tmp_path / "outside").mkdir()
    shutil.copy(bundle / "MODEL_CARD.md", tmp_path / "outside" / "card.md")
    (bundle / "inside").symlink_to(tmp_path / "outside")

    def edit(content: Any) -> None:
        content["files"]["inside/card.md"] = content["files"]["MODEL_CARD.md"]

    change_manifest(edit)
    with pytest.raises(BundleError, match="inside is a link"):
        read_bundle(bundle)


def test_bundle_reached_over_a_link_is_read(bundle: Path, tmp_path: Path) -> None:
    (tmp_path / "current").symlink_to(bundle)
    assert read_bundle(tmp_path / "current").manifest.name == "tiny"


def test_folder_or_pipe_in_place_of_a_file_is_refused(bundle: Path) -> None:
    for make in (os.mkdir, os.mkfifo):
        file = bundle / "MODEL_CARD.md"
        file.unlink()
        make(file)
        with pytest.raises(BundleError, match=r"MODEL_CARD\.md is not a file"):
            read_bundle(bundle)
        os.rmdir(file) if file.is_dir() else file.unlink()
        file.touch()


def test_unlisted_files_are_ignored(bundle: Path) -> None:
    (bundle / "notes.txt").write_text("mine")
    assert "notes.txt" not in read_bundle(bundle).manifest.files


def test_no_bundle_at_all(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match=r"there is no bundle at .*nowhere"):
        read_bundle(tmp_path / "nowhere")
    with pytest.raises(BundleError, match=r"bundle\.json is missing"):
        read_bundle(tmp_path)


def test_huge_manifest_is_not_read(bundle: Path) -> None:
    os.truncate(bundle / "bundle.json", 10**10)
    with pytest.raises(BundleError, match="10000000000 bytes are too many"):
        read_bundle(bundle)
