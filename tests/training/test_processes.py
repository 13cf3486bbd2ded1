"""Several processes train one run: two real ones, by gloo, against one that has the whole batch."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from creativeai.data import prepare
from creativeai.errors import TrainingError
from creativeai.models.efficientnet_lite import load_efficientnet_lite0
from creativeai.models.layers.across_processes import gathered, mean_over_processes, own_rows
from creativeai.training.checkpoints import load_newest
from creativeai.training.command import run_training
from creativeai.training.processes import Meeting, joined, meet, share
from shared_training import CASES, NUM_STEPS, drawing_by_row, figures_of, run_of, write_guide
from tiny_training import measuring_small, options

TESTS = Path(__file__).parents[1]
PATIENCE = 240
BATCH = ("learning.batch_size=8",)
pytestmark = pytest.mark.timeout(2 * PATIENCE)  # on a machine that trains meanwhile


def free_port() -> int:
    with socket.socket() as opened:
        opened.bind(("127.0.0.1", 0))
        return int(opened.getsockname()[1])


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """24 drawn birds at three sizes."""
    folder = tmp_path_factory.mktemp("datasets") / "birds"
    return prepare("toybirds", folder, num_pictures=24, resolutions=(32, 64, 128)).path


@pytest.fixture(scope="module")
def together(dataset: Path, trained: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What two processes left behind after all cases."""
    folder = tmp_path_factory.mktemp("together")
    torch.manual_seed(0)
    write_guide(folder / "text", load_efficientnet_lite0())
    for name in CASES:
        (folder / name).mkdir()
        shutil.copy(trained / "guide.safetensors", folder / name)
    norm = nn.BatchNorm2d(5)
    nn.init.normal_(norm.weight)
    nn.init.normal_(norm.bias)
    given = {"norm": norm.state_dict(), "x": 3 + torch.randn(7, 5, 4, 4), "z": torch.randn(8, 2)}
    torch.save(given | {"gradient": torch.randn(7, 5, 4, 4)}, folder / "given.pt")
    env = os.environ | {"WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(free_port())}
    command = [sys.executable, str(TESTS / "shared_training.py"), str(folder), str(dataset)]
    workers = [
        subprocess.Popen(
            command, env=env | {"RANK": str(rank), "LOCAL_RANK": str(rank)}, stderr=subprocess.PIPE, text=True
        )
        for rank in range(2)
    ]
    try:
        errors = [worker.communicate(timeout=PATIENCE)[1] for worker in workers]
    finally:
        for worker in workers:
            worker.kill()
    assert [worker.returncode for worker in workers] == [0, 0], "\n".join(errors)
    return folder


@pytest.mark.parametrize("name", CASES)
def test_two_processes_learn_what_one_with_the_whole_batch_does(
    name: str, together: Path, dataset: Path
) -> None:
    both = [json.loads((together / f"figures{rank}.json").read_text())[name] for rank in range(2)]
    assert both[0] == both[1]  # the digest of weights, buffers and optimisers among them
    with drawing_by_row():
        alone = figures_of(run_of(CASES[name], dataset, together / name))
    assert len(alone) == NUM_STEPS + 1
    for step, (ours, theirs) in enumerate(zip(both[0][:-1], alone[:-1], strict=True)):
        assert ours == pytest.approx(theirs, rel=CASES[name].tolerance, abs=1e-5), step


def test_synced_batch_norm_is_that_of_the_whole_batch(together: Path) -> None:
    given = torch.load(together / "given.pt", weights_only=True)
    norm = nn.BatchNorm2d(5)
    norm.load_state_dict(given["norm"])
    x = given["x"].requires_grad_()
    y = norm(x)
    y.backward(given["gradient"])
    found = [torch.load(together / f"layers{rank}.pt", weights_only=True) for rank in range(2)]

    def both(name: str) -> torch.Tensor:
        return torch.cat([one[name] for one in found])

    torch.testing.assert_close(both("y"), y)
    torch.testing.assert_close(both("by_x"), x.grad)
    for name, weight in norm.named_parameters():
        torch.testing.assert_close(found[0][f"by_{name}"] + found[1][f"by_{name}"], weight.grad)
    for one in found:
        for name, value in norm.state_dict().items():
            torch.testing.assert_close(one[name], value)
    torch.testing.assert_close(both("y_evaluated"), norm.eval()(x))


def test_gathering_adds_up_what_all_ask(together: Path) -> None:
    z = torch.load(together / "given.pt", weights_only=True)["z"]
    for rank in range(2):
        found = torch.load(together / f"layers{rank}.pt", weights_only=True)
        torch.testing.assert_close(found["everyone"], z)
        torch.testing.assert_close(found["mean"], z.sum() / 2)
        # The second process's loss is twice the first one's; both have half of the mean of both.
        torch.testing.assert_close(found["by_z"], 3 * z.flip(0)[found["rows"]] + 1)


def test_what_fails_in_one_stops_both_and_is_told_once(together: Path) -> None:
    first, second = (json.loads((together / f"failures{rank}.json").read_text()) for rank in range(2))
    assert set(second.values()) == {"exit 2"}
    assert first["nan"].startswith("loss/discriminator is nan at step 1: stopped; go on from the last")
    assert first["absent"] == "process 1 of 2: no such dataset"
    assert first["odd"] == (
        "learning.batch_size=6 can't be shared by 2 processes: it must be a multiple of 4: "
        "--set learning.batch_size=4"
    )


def test_alone_nothing_is_exchanged() -> None:
    with joined():
        x = torch.randn(3)
        assert gathered(x) is x and mean_over_processes(x) is x
        assert own_rows(5) == slice(None)
        own = Meeting(False, True, 1.0, 2.0)
        assert meet(own) is own and share(b"data") == b"data"


def test_a_launcher_that_started_one_process_alone_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ACCELERATE_MIXED_PRECISION", "no")
    monkeypatch.setenv("MASTER_PORT", "29500")
    with pytest.raises(TrainingError, match="accelerate launch --multi_gpu --num_processes N"), joined():
        pass


@pytest.fixture
def launched() -> Iterator[Any]:
    """Starts `creativeai` by a launcher, two processes of it."""
    started: list[subprocess.Popen[str]] = []

    def launch(launcher: list[str], *arguments: str) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", *launcher, str(TESTS / "shared_command.py"), *arguments]
        env = {name: value for name, value in os.environ.items() if name != "OMP_NUM_THREADS"}
        pipe = subprocess.PIPE
        process = subprocess.Popen(command, env=env, stdout=pipe, stderr=pipe, text=True)
        started.append(process)
        return process

    yield launch
    for process in started:
        if process.poll() is None:
            process.terminate()
            process.wait(timeout=60)


def accelerate() -> list[str]:
    fixed = ["--num_machines", "1", "--mixed_precision", "no", "--dynamo_backend", "no"]
    port = ["--main_process_port", str(free_port())]
    return ["accelerate.commands.launch", "--multi_gpu", "--num_processes", "2", *fixed, *port]


def torchrun() -> list[str]:
    return ["torch.distributed.run", "--nproc_per_node", "2", "--master_port", str(free_port())]


def weights(run: Path) -> torch.Tensor:
    checkpoint = load_newest(run / "checkpoints")
    assert checkpoint is not None
    networks = (checkpoint["generator"], checkpoint["discriminator"])
    return torch.cat([value.flatten().float() for network in networks for value in network.values()])


def test_a_run_goes_on_at_another_count_and_back(
    dataset: Path, tmp_path: Path, launched: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    def train(run: Path, num_steps: int, **changes: Any) -> torch.Tensor:
        asked = {"out": run, "data": dataset, "recipe": "gan_cls", "settings": BATCH} | changes
        with measuring_small():
            run_training(options(num_steps=num_steps, **asked))
        return weights(run)

    def resume(run: Path, num_steps: int) -> torch.Tensor:
        return train(run, num_steps, resume=run, out=None, data=None, recipe=None, settings=())

    run, unbroken = tmp_path / "run", tmp_path / "unbroken"
    after_two = train(run, 2)
    shutil.copytree(run, unbroken)
    process = launched(accelerate(), "train", "--resume", str(run), "--steps", "4", "--no-compile")
    out, errors = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0, errors
    assert out.strip() == str(run)
    assert errors.count("by 2 processes from step 2") == 1
    checkpoint = load_newest(run / "checkpoints")
    assert checkpoint is not None and checkpoint["step"] == 4 and checkpoint["images_seen"] == 32
    broken, whole = resume(run, 6), resume(unbroken, 6)
    assert (broken - whole).norm() < 0.02 * (whole - after_two).norm()


def test_sigterm_to_the_launcher_saves(dataset: Path, tmp_path: Path, launched: Any) -> None:
    run = tmp_path / "run"
    process = launched(
        torchrun(),
        *("train", "gan_cls", "--preset", "debug", "--data", str(dataset), "--out", str(run)),
        *("--set", *BATCH, "--no-compile", "--sample-steps", "2"),
    )
    end = time.monotonic() + PATIENCE
    while not list(run.glob("samples/step_*.png")):
        assert process.poll() is None and time.monotonic() < end
        time.sleep(0.1)
    process.send_signal(signal.SIGTERM)
    _, errors = process.communicate(timeout=60)
    assert errors.count("stopped, everything is saved: creativeai train --resume") == 1
    assert "creativeai/training" not in errors  # the launcher's traceback is its own
    checkpoint = load_newest(run / "checkpoints")
    assert checkpoint is not None and checkpoint["step"] >= 2
    assert checkpoint["images_seen"] == 8 * checkpoint["step"] and checkpoint["cpu_seconds"] > 0
