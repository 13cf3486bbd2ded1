import errno
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from creativeai.bundles import find_bundles, read_bundle, write_bundle
from creativeai.errors import BundleError

FIELDS_NOT_GIVEN = ("schema_version", "files", "created", "code_version")


@pytest.fixture
def fields(bundle: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((bundle / "bundle.json").read_text())
    return {name: value for name, value in content.items() if name not in FIELDS_NOT_GIVEN}


def test_what_is_written_reads_the_same(tmp_path: Path, bundle: Path, fields: dict[str, Any]) -> None:
    files = {"generator.onnx": bundle / "generator.onnx", "text/notes.md": b"notes"}
    before = int(time.time())
    written = write_bundle(tmp_path / "new" / "birds", fields, files)
    assert written == read_bundle(tmp_path / "new" / "birds")
    assert written.manifest.created >= before
    assert written.file("generator.onnx").read_bytes() == (bundle / "generator.onnx").read_bytes()
    assert written.file("text/notes.md").read_bytes() == b"notes"
    assert (tmp_path / "new" / "birds").stat().st_mode & 0o777 == 0o755
    assert os.listdir(tmp_path / "new") == ["birds"]


@pytest.mark.parametrize("kind", ["folder", "file", "dangling link"])
def test_existing_out_is_refused_and_kept(tmp_path: Path, fields: dict[str, Any], kind: str) -> None:
    out = tmp_path / "birds"
    if kind == "folder":
        out.mkdir()
        (out / "precious").write_text("mine")
    elif kind == "file":
        out.write_text("mine")
    else:
        out.symlink_to(tmp_path / "nowhere")
    with pytest.raises(BundleError, match="birds exists already"):
        write_bundle(out, fields, {"generator.onnx": b"x"})
    assert os.path.lexists(out)
    assert kind != "folder" or (out / "precious").read_text() == "mine"


@pytest.mark.parametrize(
    ("change", "files", "message"),
    [
        ({"noise_dim": 0}, {"generator.onnx": b"x"}, "manifest is not right: noise_dim must be"),
        ({"metrics": {"fd_lite0": float("nan")}}, {"generator.onnx": b"x"}, "manifest is not right"),
        ({"metrics": {"fd_lite0": Path("x")}}, {"generator.onnx": b"x"}, "manifest is not right"),
        ({}, {}, r"files has no generator\.onnx"),
        ({}, {"generator.onnx": b"x", "../y": b"y"}, "'../y' leads out"),
        ({}, {"generator.onnx": b"x", "bundle.json": b"{}"}, "can't be the name"),
        ({}, {"generator.onnx": Path("/nowhere/at/all")}, "can't write the bundle .* No such file"),
    ],
)
def test_wrong_content_leaves_nothing(
    tmp_path: Path, fields: dict[str, Any], change: Any, files: Any, message: str
) -> None:
    with pytest.raises(BundleError, match=message):
        write_bundle(tmp_path / "out" / "birds", fields | change, files)
    assert not os.listdir(tmp_path / "out")


def test_full_disk_leaves_nothing(
    tmp_path: Path, fields: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(BundleError, match=r"can't write the bundle .*birds: No space left on device"):
        write_bundle(tmp_path / "out" / "birds", fields, {"generator.onnx": b"x"})
    assert not os.listdir(tmp_path / "out")


KILLED_WRITER = """
import json, os, signal, sys
from creativeai.bundles import write_bundle
calls = 0
def kill_at(number, call):
    def counted(*arguments, **options):
        global calls
        calls += 1
        if calls == number:
            os.kill(os.getpid(), signal.SIGKILL)
        return call(*arguments, **options)
    return counted
number = int(sys.argv[1])
os.fsync = kill_at(number, os.fsync)
os.rename = kill_at(number, os.rename)
write_bundle(sys.argv[2], json.loads(sys.argv[3]), {"generator.onnx": b"x" * 100_000, "MODEL_CARD.md": b""})
"""


def test_kill_9_at_any_point_leaves_no_half_bundle(tmp_path: Path, fields: dict[str, Any]) -> None:
    """Kills a writer before each of its syncs and its rename, until one gets through."""
    codes = []
    for number in range(1, 20):
        out = tmp_path / str(number) / "birds"
        out.parent.mkdir()
        command = [sys.executable, "-c", KILLED_WRITER, str(number), str(out), json.dumps(fields)]
        codes.append(subprocess.run(command, check=False).returncode)
        if os.path.lexists(out):
            read_bundle(out)
        else:
            assert find_bundles([out.parent]) == find_bundles()
            write_bundle(out, fields, {"generator.onnx": b"x"})  # what is left behind is in nobody's way
        if codes[-1] == 0:
            break
    assert codes[0] == -signal.SIGKILL and codes[-1] == 0 and len(codes) > 5
