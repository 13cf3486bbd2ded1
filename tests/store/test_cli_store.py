"""`creativeai store` as people type it."""

import subprocess
import sys
from pathlib import Path

import pytest

from creativeai import cli


def run(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    with pytest.MonkeyPatch.context() as patch, pytest.raises(SystemExit) as caught:
        patch.setattr(sys, "argv", ["creativeai", "store", *words])
        cli.main()
    out, error = capsys.readouterr()
    code = caught.value.code
    return code if isinstance(code, int) else 0, out, error


@pytest.fixture
def store(tmp_path: Path, bundles: list[Path], capsys: pytest.CaptureFixture[str]) -> str:
    url = str(tmp_path / "store")
    for bundle in bundles:
        run(capsys, "publish", str(bundle), "--to", url)
    return url


def test_life_of_a_version(
    tmp_path: Path, bundles: list[Path], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CREATIVEAI_STORE", str(tmp_path / "store"))
    assert run(capsys, "publish", str(bundles[0])) == (0, "tiny@1\n", "")
    code, out, error = run(capsys, "publish", str(bundles[0]))
    assert (code, out) == (0, "tiny@1\n")
    assert "already" in error
    assert run(capsys, "promote", "tiny@1")[1] == "tiny@champion is tiny@1\n"
    out = run(capsys, "show", "tiny@champion")[1]
    for part in (
        "hyperparameters.batch_size",
        "0" * 64,
        "metrics.kid",
        "30.0",
        "champion",
        "code_version",
    ):
        assert part in out
    assert run(capsys, "publish", str(bundles[1]), "--name", "tiny")[1] == "tiny@2\n"
    pulled = tmp_path / "pulled"
    assert run(capsys, "pull", "tiny@champion", "-o", str(pulled))[1] == f"{pulled}\n"
    assert (pulled / "bundle.json").read_bytes() == (bundles[0] / "bundle.json").read_bytes()
    code, _, error = run(capsys, "remove", "tiny@1")
    assert (code, len(error.splitlines())) == (2, 1)
    assert run(capsys, "remove", "tiny@1", "--force")[1] == "tiny@1 is removed\n"
    assert "tiny@1" not in run(capsys, "list")[1]


def versions_in(table: str) -> list[str]:
    return [word for line in table.splitlines() for word in line.split()[:1] if "@" in word]


def test_list_sorts_and_filters(store: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert versions_in(run(capsys, "list", store)[1]) == ["tiny@3", "tiny@2", "tiny@1"]
    by_score = ["tiny@2", "tiny@3", "tiny@1"]
    assert versions_in(run(capsys, "list", store, "--sort", "kid")[1]) == by_score
    assert versions_in(run(capsys, "list", store, "--sort", "kid", "--descending")[1]) == by_score[::-1]
    for option, fits, other in [
        ("--recipe", "projected_gan", "attngan"),
        ("--preset", "debug", "paper"),
        ("--dataset", "blots", "birds"),
        ("--dataset", "0" * 12, "1" * 12),
        ("--name", "tiny", "birds"),
    ]:
        assert len(versions_in(run(capsys, "list", store, option, fits)[1])) == 3
        assert versions_in(run(capsys, "list", store, option, other)[1]) == []


@pytest.mark.parametrize(
    "words",
    [
        ["list"],
        ["list", "{tmp}/none"],
        ["list", "nothing://there"],
        ["publish", "{tmp}/none", "--to", "{store}"],
        ["publish", "{bundle}"],
        ["publish", "{bundle}", "--to", "{store}", "--name", "../x"],
        ["publish", "{bundle}", "--to", "{bundle}/bundle.json"],
        ["show"],
        ["show", "{store}", "other"],
        ["show", "{store}", "tiny@9"],
        ["show", "{store}", "tiny@champion"],
        ["show", "{store}", "../tiny"],
        ["show", "{store}", "tiny", "more"],
        ["promote", "{store}", "tiny@1", "--alias", "latest"],
        ["pull", "{store}", "tiny", "-o", "{bundle}"],
        ["pull", "{store}", "tiny", "-o", "/proc/none"],
        ["remove", "{store}", "tiny@3"],
    ],
)
def test_mistakes_are_one_line_and_exit_code_2(
    store: str, bundles: list[Path], tmp_path: Path, capsys: pytest.CaptureFixture[str], words: list[str]
) -> None:
    filled = [word.format(store=store, tmp=tmp_path, bundle=bundles[0]) for word in words]
    code, _, error = run(capsys, *filled)
    assert code == 2
    assert len(error.splitlines()) == 1, error
    assert error.startswith("creativeai: ")


def test_command_line_starts_without_the_store() -> None:
    code = "import sys, creativeai.cli; assert not {'fsspec', 'onnxruntime', 'numpy'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)
