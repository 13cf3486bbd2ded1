"""A training whose disk runs full goes on; at its end at the latest it tells, its last checkpoint whole."""

from collections.abc import Callable
from contextlib import nullcontext
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from creativeai.errors import TrainingError
from creativeai.training import checkpoints, command, fit, tasks
from creativeai.training.checkpoints import load_newest
from tiny_training import differing, options

NUM_STEPS = 4


@pytest.mark.timeout(300)  # imports torch, which takes a busy machine a while
@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")  # TensorBoard's writer
@pytest.mark.parametrize("is_mended", [False, True])
def test_checkpoint_on_a_full_disk(
    disk: Path,
    fill: Callable[[int], Path],
    toybirds_64: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    is_mended: bool,
) -> None:
    monkeypatch.setattr(tasks, "build_judge", lambda *_: None)
    monkeypatch.setattr(fit, "Schedule", partial(fit.Schedule, checkpoint_minutes=0))
    train = partial(options, recipe="gan_cls", data=toybirds_64, num_steps=NUM_STEPS)
    whole, run = tmp_path / "whole", disk / "run"
    command.run_training(train(out=whole))
    write = checkpoints._write
    ballast: list[Path] = []

    def on_full_disk(path: Path, state: dict[str, Any]) -> None:
        if state["step"] == 3 and not ballast:
            ballast.append(fill(64 * 1024))
        if state["step"] == NUM_STEPS and is_mended and ballast:
            ballast[0].unlink(missing_ok=True)
        write(path, state)

    with monkeypatch.context() as patch:
        patch.setattr(checkpoints, "_write", on_full_disk)
        with nullcontext() if is_mended else pytest.raises(TrainingError) as caught:
            command.run_training(train(out=run))
    told = capsys.readouterr().err
    assert "the training goes on" in told and "no space left" in told.lower()
    if caught is None:
        assert not differing(*(load_newest(folder / "checkpoints") for folder in (whole, run)))
        return
    message = str(caught.value)
    assert "no space left" in message.lower() and str(run / "checkpoints") in message and "\n" not in message
    newest = load_newest(run / "checkpoints")
    assert newest is not None and newest["step"] == 2
    assert not list((run / "checkpoints").glob("*.tmp"))

    [file] = ballast
    file.unlink()
    command.run_training(options(recipe=None, resume=run))
    ends = [load_newest(folder / "checkpoints") for folder in (whole, run)]
    assert not differing(*ends)
