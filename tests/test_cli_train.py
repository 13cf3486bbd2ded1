"""`creativeai train` as typed: what it prints, what it refuses, and how it is stopped."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from creativeai import cli

Cli = Callable[..., tuple[int, str, str]]


@pytest.fixture
def creativeai(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Cli:
    """Runs the command in this process, where torch is loaded already: exit code, stdout and stderr."""

    def run(*arguments: str | Path) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["creativeai", *map(str, arguments)])
        handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
        code = 0
        try:
            cli.main()
        except SystemExit as stop:
            code = int(stop.code or 0)
        finally:
            for number, handler in handlers.items():
                signal.signal(number, handler)
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return run


@pytest.fixture
def run_copy(trained: Path, tmp_path: Path) -> Path:
    """The trained run, to go on with."""
    return Path(shutil.copytree(trained, tmp_path / "copy"))


@pytest.fixture
def unmeasured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("creativeai.training.tasks.build_judge", lambda *_: None)


def newest_step(run: Path) -> int:
    from creativeai.training.checkpoints import load_newest

    checkpoint = load_newest(run / "checkpoints")
    assert checkpoint is not None
    return int(checkpoint["step"])


@pytest.mark.usefixtures("unmeasured")
def test_train_prints_the_run_and_says_how_to_look(creativeai: Cli, toybirds: Path, tmp_path: Path) -> None:
    out = tmp_path / "run [1]"  # no markup of Rich's
    code, stdout, stderr = creativeai(
        "train", "projected_gan", "--data", toybirds, "--preset", "debug", "--steps", "1", "--no-compile",
        "--set", "matching_weight=0", "--set", "learning.batch_size=2", "-o", out,
    )  # fmt: skip
    assert code == 0
    assert stdout == f"{out}\n"
    assert f"training projected_gan (debug) on {toybirds} from step 0; look with: tensorboard" in stderr
    assert newest_step(out) == 1
    assert not (out / "guide.safetensors").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "say what to train: one of attngan, gan_cls, projected_gan"),
        (["dalle"], "unknown recipe 'dalle': there are attngan, gan_cls, projected_gan"),
        (
            ["projected_gan", "--preset", "huge"],
            "projected_gan has no preset 'huge': there are compact, debug",
        ),
        (["projected_gan"], "say what to train on: --data FOLDER, made by creativeai data prepare"),
        (["projected_gan", "--data", "{tmp}/no"], "{tmp}/no: no such folder"),
        (["projected_gan", "--data", "{tmp}"], "{tmp} is not a prepared dataset"),
        (["projected_gan", "--set", "colour=red"], "--set 'colour=red': no field 'colour': there are "),
        (
            ["projected_gan", "--set", "learning.batch_size=many"],
            "--set 'learning.batch_size=many': expected a value of type int",
        ),
        (
            ["projected_gan", "--set", "learning.batch_size=1"],
            "this configuration can't be: batch_size=1 must be at least 2",
        ),
        (["projected_gan", "--data", "{data}"], "{data} has no pictures at 128 x 128 (it has 32)"),
        (
            ["projected_gan", "--data", "{data}", "--preset", "debug", "-o", "{run}"],
            "{run} exists already: go on with creativeai train --resume {run}",
        ),
        (
            ["projected_gan", "--data", "{data}", "--preset", "debug", "--start-from", "{tmp}"],
            "{tmp} has no checkpoint yet",
        ),
        (["projected_gan", "--resume", "{run}"], "--resume goes on with a run as it is: leave out recipe"),
        (["--resume", "{run}", "--data", "{data}"], "--resume goes on with a run as it is: leave out recipe"),
        (["--resume", "{tmp}"], "{tmp} is no training run: it has no run.json"),
        (["--resume", "{tmp}/no"], "{tmp}/no is no training run"),
        (
            ["--resume", "{run}"],
            "{run} has done the 2 steps it was asked for: give --steps, --minutes or --cpu-minutes",
        ),
        (["--resume", "{run}", "--steps", "3", "--set", "x"], "--set 'x': write it as field=value"),
    ],
)
def test_bad_options_are_one_line(
    creativeai: Cli,
    toybirds: Path,
    trained: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    arguments: list[str],
    message: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    names = {"tmp": tmp_path, "data": toybirds, "run": trained}
    code, stdout, stderr = creativeai("train", *(argument.format(**names) for argument in arguments))
    assert (code, stdout) == (2, "")
    assert stderr.splitlines()[-1].startswith(f"creativeai: {message.format(**names)}")
    assert "Traceback" not in stderr
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize(
    "option", [["--steps", "0"], ["--seed", "-1"], ["--minutes", "-1"], ["--minutes", "x"]]
)
def test_numbers_out_of_range_are_refused(creativeai: Cli, option: list[str]) -> None:
    code, stdout, stderr = creativeai("train", "projected_gan", *option)
    assert (code, stdout) == (2, "")
    assert option[0] in stderr and "Traceback" not in stderr


def test_training_goes_on_without_room_for_its_samples(
    creativeai: Cli, run_copy: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device", str(run_copy / "samples"))

    monkeypatch.setattr("creativeai.training.tasks.build_judge", lambda *_: None)
    monkeypatch.setattr("creativeai.training.monitor.Monitor.samples", full)
    code, _, stderr = creativeai("train", "--resume", run_copy, "--steps", "3", "--no-compile")
    assert code == 0
    assert stderr.count("No space left on device") == stderr.count("the training goes on") == 1
    assert newest_step(run_copy) == 3


def test_without_torch_training_says_what_to_install(tmp_path: Path) -> None:
    code = "import sys; sys.modules['torch'] = None; from creativeai.cli import main; main()"
    for command in (["train", "projected_gan"], ["export", "run", "-o", "out"]):
        done = subprocess.run(
            [sys.executable, "-c", code, *command], capture_output=True, text=True, timeout=60
        )
        assert done.returncode == 2
        assert done.stderr == "creativeai: this needs PyTorch: pip install 'creativeai[train]'\n"


def resume_command(run: Path, *more: str) -> list[str]:
    return ["train", "--resume", str(run), "--steps", "100000", "--no-compile", "--sample-steps", "1", *more]


@pytest.mark.usefixtures("unmeasured")
def test_ctrl_c_saves_and_says_how_to_go_on(creativeai: Cli, run_copy: Path) -> None:
    """As people do it: from outside, at any moment, in a process of its own."""
    command = [sys.executable, "-m", "creativeai.cli", "train", "--resume", str(run_copy)]
    command += ["--steps", "100000", "--no-compile", "--sample-steps", "1"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    wait_for(run_copy / "samples" / "step_00000004.png", process)
    process.send_signal(signal.SIGINT)
    stdout, stderr = process.communicate(timeout=60)
    assert (process.returncode, stdout) == (130, "")
    assert stderr.splitlines()[-1] == hint(run_copy) and "Traceback" not in stderr
    step = newest_step(run_copy)
    assert step >= 4

    code, _, stderr = creativeai("train", "--resume", run_copy, "--steps", str(step + 1), "--no-compile")
    assert code == 0 and f"from step {step};" in stderr
    assert newest_step(run_copy) == step + 1


def hint(run: Path) -> str:
    return f"stopped, everything is saved: creativeai train --resume {run}"


@pytest.mark.usefixtures("unmeasured")
def test_sigterm_stops_like_ctrl_c(creativeai: Cli, run_copy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from creativeai.training.gan_task import GanTask

    plain_step = GanTask.step

    def stopped(task: GanTask) -> dict[str, float]:
        signal.raise_signal(signal.SIGTERM)
        return plain_step(task)

    monkeypatch.setattr(GanTask, "step", stopped)
    code, stdout, stderr = creativeai("train", "--resume", run_copy, "--steps", "9", "--no-compile")
    assert (code, stdout) == (130, "")
    assert stderr.splitlines()[-1] == hint(run_copy)
    assert newest_step(run_copy) == 3


def test_stop_before_there_is_a_run_promises_nothing(
    creativeai: Cli, toybirds: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stopped(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("creativeai.training.tasks.load_materials", stopped)
    out = tmp_path / "run"
    arguments = ["projected_gan", "--preset", "debug", "--data", toybirds, "-o", out]
    assert creativeai("train", *arguments) == (130, "", "")
    assert not out.exists()


def wait_for(file: Path, process: "subprocess.Popen[str]") -> None:
    for _ in range(1000):
        if file.exists():
            return
        assert process.poll() is None, process.communicate()
        time.sleep(0.1)
    process.kill()
    raise AssertionError(f"{file} did not come")


KILLED_IN_A_SAVE = """
import os, signal, sys
import torch
from pathlib import Path
from rich.console import Console
from creativeai.training.budget import Budget
from creativeai.training.fit import Schedule
from creativeai.training.run import open_run
from creativeai.training.setup import resume_run

num_saved = 0
plain_save = torch.save

def save(content, file):
    global num_saved
    num_saved += 1
    plain_save(content, file)
    if num_saved == 3:
        file.flush()
        file.truncate(file.tell() // 2)
        os.kill(os.getpid(), signal.SIGKILL)

torch.save = save
resume_run(
    open_run(Path(sys.argv[1])), settings=[], budget=Budget(num_steps=9),
    schedule=Schedule(checkpoint_minutes=0), console=Console(stderr=True), use_compile=False,
)
"""


@pytest.mark.usefixtures("unmeasured")
def test_kill_9_in_the_middle_of_a_training_loses_one_checkpoint_at_most(
    creativeai: Cli, run_copy: Path
) -> None:
    command = [sys.executable, "-c", KILLED_IN_A_SAVE, str(run_copy)]
    killed = subprocess.run(command, capture_output=True, text=True, timeout=100)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    assert list((run_copy / "checkpoints").glob(".step_00000005.*.tmp"))

    code, _, stderr = creativeai("train", "--resume", run_copy, "--steps", "6", "--no-compile")
    assert code == 0 and "from step 4;" in stderr
    assert newest_step(run_copy) == 6
    assert not list((run_copy / "checkpoints").glob(".*.tmp"))
