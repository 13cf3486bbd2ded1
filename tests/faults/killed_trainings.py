"""Kills trainings at random moments: python tests/faults/killed_trainings.py

A training that writes a checkpoint after every step is killed again and again, also while it writes one, and
gone on with each time, until it is done; then another one begins. After each kill the newest whole checkpoint
must be at least the last one that was said to be saved; what is half written must be passed over; and each
training that gets to its end must have the very networks of one that nobody stopped.
"""

import multiprocessing
import os
import random
import shutil
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

# Before torch is imported, here and in the processes that are started.
os.environ["OMP_NUM_THREADS"] = "1"
sys.path.insert(0, str(Path(__file__).parent.parent))

from creativeai.training.checkpoints import load_newest
from tiny_training import differing, options

_MAX_KILLS_OF_ONE = 12
"""So many kills, and a training is let go to its end: it must get there some time."""


@dataclass(frozen=True)
class Outcome:
    """What became of the kills."""

    num_killed: int
    num_killed_while_saving: int
    num_trainings: int
    """Trainings that came to their end and equalled the uninterrupted one."""


def kill_trainings(data: Path, folder: Path, num_kills: int, num_steps: int, seed: int) -> Outcome:
    """Kill trainings until there were so many kills, and compare each with one that nobody stopped.

    Args:
        data: A dataset that was prepared.
        folder: For the runs.
        num_kills: Kills in all.
        num_steps: Steps of each training.
        seed: Of the moments.

    Raises:
        AssertionError: A checkpoint was lost, or a training ended otherwise than the uninterrupted one.
    """
    choice = random.Random(seed)
    start = _starter()
    start(data, folder / "first", 1).wait()  # encodes the captions, so that the next one takes its usual time
    whole = folder / "whole"
    begun = time.monotonic()
    assert start(data, whole, num_steps).wait() == num_steps
    seconds = time.monotonic() - begun
    expected = load_newest(whole / "checkpoints")
    num_killed = num_while_saving = num_trainings = 0
    while num_killed < num_kills:
        run = folder / f"killed-{num_trainings}"
        num_before = num_killed
        while True:
            training = start(data, run, num_steps)
            if num_killed < num_kills and num_killed - num_before < _MAX_KILLS_OF_ONE:
                # Half of the kills at any moment, half of them while a checkpoint is written.
                if choice.random() < 0.5:
                    training.await_save(choice.randrange(1, num_steps))
                    time.sleep(choice.uniform(0, 0.02))
                else:
                    time.sleep(choice.uniform(0, seconds))
                training.process.kill()
            announced = training.wait()
            if training.process.exitcode == 0:
                break
            assert training.process.exitcode == -9, f"the training ended with {training.process.exitcode}"
            num_killed += 1
            num_while_saving += training.is_saving
            _check(run, announced)
        assert announced == num_steps
        [*others] = differing(expected, load_newest(run / "checkpoints"))
        assert not others, f"after kills these differ from the uninterrupted training: {others[:5]}"
        assert not list((run / "checkpoints").glob("*.tmp")), "what was half written is still there"
        num_trainings += 1
    return Outcome(num_killed, num_while_saving, num_trainings)


def _check(run: Path, announced: int) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # a kill must not leave one that looks whole and is not
        newest = load_newest(run / "checkpoints")
    found = 0 if newest is None else newest["step"]
    assert found >= announced, f"the checkpoint of step {announced} was saved, and {found} is the newest"


class _Training:
    """A process that trains, and says when it begins and ends to save."""

    def __init__(self, process: Any, pipe: Connection) -> None:
        self.process = process
        self.is_saving = False
        self._pipe = pipe
        self._announced = 0

    def await_save(self, number: int) -> None:
        """Until it begins to save for the n-th time, or has ended."""
        while number:
            try:
                number -= self._hear()
            except (EOFError, ConnectionResetError):
                return

    def wait(self) -> int:
        """Until it has ended; the last step it said was saved."""
        self.process.join()
        try:
            while True:
                self._hear()
        except (EOFError, ConnectionResetError):
            return self._announced

    def _hear(self) -> bool:
        """The next thing it says: whether it begins to save."""
        what, step = self._pipe.recv()
        self.is_saving = what == "saving"
        if what == "saved":
            self._announced = step
        return self.is_saving


def _starter() -> Callable[[Path, Path, int], _Training]:
    """Starts trainings in processes that have imported already what they need."""
    processes = multiprocessing.get_context("forkserver")
    processes.set_forkserver_preload(["torch._dynamo", "creativeai.training.setup"])

    def start(data: Path, run: Path, num_steps: int) -> _Training:
        ours, theirs = processes.Pipe(duplex=False)
        process = processes.Process(target=_train, args=(data, run, num_steps, theirs))
        process.start()
        theirs.close()
        return _Training(process, ours)

    return start


def _train(data: Path, run: Path, num_steps: int, pipe: Connection) -> None:
    """`creativeai train`, or with --resume where there is a run, that saves after every step."""
    from creativeai.training import checkpoints, command, fit, tasks

    write = checkpoints._write

    def told(path: Path, state: dict[str, Any]) -> None:
        pipe.send(("saving", state["step"]))
        write(path, state)
        pipe.send(("saved", state["step"]))

    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)  # progress
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    checkpoints._write = told
    fit.Schedule = partial(fit.Schedule, checkpoint_minutes=0)  # type: ignore[assignment,misc]
    # Measuring would take most of the time, and the last step's checkpoint would come with it.
    tasks.build_judge = lambda *_: None
    if not (run / "run.json").exists():
        shutil.rmtree(run, ignore_errors=True)  # killed before there was a run to go on with
        command.run_training(options(recipe="gan_cls", data=data, out=run, num_steps=num_steps))
    elif _newest_step(run) < num_steps:
        command.run_training(options(recipe=None, resume=run))
    pipe.send(("saved", _newest_step(run)))


def _newest_step(run: Path) -> int:
    newest = load_newest(run / "checkpoints")
    return 0 if newest is None else int(newest["step"])


def _main() -> None:
    from creativeai.data import prepare

    with tempfile.TemporaryDirectory() as name:
        data = prepare("toybirds", Path(name) / "data", num_pictures=24, resolutions=(64,)).path
        seed = random.SystemRandom().randrange(2**32)
        print(f"seed {seed}", flush=True)
        print(kill_trainings(data, Path(name), num_kills=50, num_steps=20, seed=seed))


if __name__ == "__main__":
    _main()
