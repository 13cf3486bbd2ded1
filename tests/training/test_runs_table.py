import json
import shutil
from pathlib import Path

import pytest
from rich.console import Console

from creativeai.errors import TrainingError
from creativeai.training.run import open_run, sole_trainer
from creativeai.training.runs_table import runs_table


@pytest.fixture
def folder(trained: Path, tmp_path: Path) -> Path:
    """A folder of one finished run."""
    shutil.copytree(trained, tmp_path / "runs" / "birds" / "one")
    return tmp_path / "runs"


def told(folder: Path) -> str:
    console = Console(width=250)
    with console.capture() as captured:
        console.print(runs_table(folder))
    return captured.get()


def test_finished_run(folder: Path) -> None:
    row = next(line for line in told(folder).splitlines() if "birds/one" in line)
    assert "projected_gan (debug)" in row and " done " in row and " 2 " in row and "fd_lite2" in row


def test_figures_that_are_no_numbers_are_left_out(folder: Path) -> None:
    (folder / "birds" / "one" / "metrics.jsonl").write_text('{"step": 2, "fd_lite2": null}\n')
    row = next(line for line in told(folder).splitlines() if "birds/one" in line)
    assert " done " in row and "fd_lite2" not in row


def test_run_that_can_go_on(folder: Path) -> None:
    file = folder / "birds" / "one" / "run.json"
    content = json.loads(file.read_text())
    content["budget"]["num_steps"] = 3
    file.write_text(json.dumps(content))
    assert " resumable " in told(folder)


def test_run_that_is_being_trained(folder: Path) -> None:
    with sole_trainer(open_run(folder / "birds" / "one")):
        assert " training " in told(folder)
    assert " done " in told(folder)


def test_newest_checkpoint_that_is_damaged(folder: Path) -> None:
    checkpoints = folder / "birds" / "one" / "checkpoints"
    (checkpoints / "step_00000009.pt").write_bytes(b"cut off")
    assert " 2 " in told(folder)
    for file in checkpoints.glob("*.pt"):
        file.unlink()
    assert "no checkpoint" in told(folder)


def test_broken_run_does_not_hide_the_others(folder: Path) -> None:
    (folder / "broken").mkdir()
    (folder / "broken" / "run.json").write_text("{")
    assert "broken" in told(folder) and " done " in told(folder)


def test_copy_of_a_first_stage_is_no_run(folder: Path) -> None:
    shutil.copytree(folder / "birds" / "one", folder / "two" / "first_stage")
    assert "two/" not in told(folder)


def test_no_runs(tmp_path: Path) -> None:
    assert "none yet" in told(tmp_path)
    with pytest.raises(TrainingError, match="there is no folder"):
        runs_table(tmp_path / "absent")
