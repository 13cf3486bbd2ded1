"""The comparison of stabilisers from its command to its table, with two steps a cell."""

import json
import shutil
from pathlib import Path

import pytest
from PIL import Image

from tiny_training import measuring_small


def compare(birds: Path, out: Path, only: str) -> None:
    command = ["stabilisers.py", "--data", str(birds), "--out", str(out), "--only", only, "--batch", "4"]
    command += ["--steps", "2", "--preset", "debug", "--set", "generator_width=6"]
    command += ["--num", "10", "--no-compile"]
    with pytest.MonkeyPatch.context() as patch, measuring_small():
        patch.syspath_prepend(Path(__file__).parents[2] / "benchmarks")
        patch.setattr("sys.argv", command)
        import stabilisers

        stabilisers.main()


@pytest.fixture(scope="module")
def baseline(toybirds_64: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The comparison with one cell done; not to be changed."""
    out = tmp_path_factory.mktemp("comparison")
    compare(toybirds_64, out, "baseline")
    return out


def test_cells_are_trained_once_and_told(
    toybirds_64: Path, baseline: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    shutil.copytree(baseline, out)
    compare(toybirds_64, out, "baseline,wgan_gp")
    for name in ("run.json", "cell.json"):
        ours, theirs = (folder / "runs" / "baseline-4" / name for folder in (out, baseline))
        assert ours.stat().st_mtime_ns == theirs.stat().st_mtime_ns  # copied with it, and not written again

    assert json.loads((out / "runs" / "wgan_gp-4" / "run.json").read_text())["config"]["generator_width"] == 6
    assert "(debug, generator_width=6)" in (out / "table.md").read_text()

    content = json.loads((out / "results.json").read_text())
    assert [(cell["name"], cell["batch"], cell["steps"]) for cell in content["results"]] == [
        ("baseline", 4, 2),
        ("wgan_gp", 4, 2),
    ]
    assert content["failures"] == {}
    for cell in content["results"]:
        assert cell["fd_lite2"] > 0
        assert 0 <= cell["colour_accuracy"] <= 1
        assert not (out / "runs" / f"{cell['name']}-4" / "checkpoints").exists()
        assert f"| {cell['name']} | 4 | 2 | {cell['fd_lite2']:.1f} |" in (out / "table.md").read_text()
    assert Image.open(out / "losses.png").width > 100
    assert "2 of 2 cells" in capsys.readouterr().out


def test_other_options_are_refused(toybirds_64: Path, baseline: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    shutil.copytree(baseline, out)
    file = out / "runs" / "baseline-4" / "run.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | {"seed": 7}))
    with pytest.raises(SystemExit, match="was begun with other options"):
        compare(toybirds_64, out, "baseline")
