import errno
import hashlib
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from creativeai.errors import TrainingError
from creativeai.training.checkpoints import list_checkpoints, load_checkpoint, load_newest, save_checkpoint


def state(step: int) -> dict[str, Any]:
    return {"step": step, "network": {"weight": torch.full((300,), float(step))}}


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def steps(folder: Path, kind: str = "step") -> list[int]:
    return [int(path.stem.split("_")[1]) for path in list_checkpoints(folder, kind)]


def loaded_step(folder: Path) -> int:
    loaded = load_newest(folder)
    assert loaded is not None
    assert torch.equal(loaded["network"]["weight"], state(loaded["step"])["network"]["weight"])
    return int(loaded["step"])


def test_newest_two_and_the_best_are_kept(tmp_path: Path) -> None:
    folder = tmp_path / "checkpoints"
    for step in (5, 10, 15, 20):
        path = save_checkpoint(folder, state(step))
        assert load_checkpoint(path)["step"] == step
    save_checkpoint(folder, state(10), best=True)
    save_checkpoint(folder, state(20), best=True)
    save_checkpoint(folder, state(25))
    assert names(folder) == [
        f"{name}.{ending}"
        for name in ("best_00000020", "step_00000020", "step_00000025")
        for ending in ("pt", "sha256")
    ]
    assert loaded_step(folder) == 25


def test_empty_or_missing_folder_has_no_newest(tmp_path: Path) -> None:
    assert load_newest(tmp_path) is None
    assert load_newest(tmp_path / "nowhere") is None


def flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


DAMAGES: dict[str, Callable[[Path], object]] = {
    "truncated": lambda path: path.write_bytes(path.read_bytes()[:-100]),
    "empty": lambda path: path.write_bytes(b""),
    "flipped": flip,
    "no digest": lambda path: path.with_suffix(".sha256").unlink(),
    "wrong digest": lambda path: path.with_suffix(".sha256").write_text("0" * 64),
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_damaged_newest_falls_back_with_a_warning(tmp_path: Path, damage: Callable[[Path], object]) -> None:
    save_checkpoint(tmp_path, state(1))
    damage(save_checkpoint(tmp_path, state(2)))
    with pytest.warns(UserWarning, match=r"step_00000002\.pt .*; trying the one before"):
        assert loaded_step(tmp_path) == 1
    # Going on from there, what is damaged goes and what is whole stays.
    save_checkpoint(tmp_path, state(2))
    assert (steps(tmp_path), loaded_step(tmp_path)) == ([1, 2], 2)


def test_going_on_before_the_damaged_ones_keeps_what_is_new(tmp_path: Path) -> None:
    for step in (10, 20):
        save_checkpoint(tmp_path, state(step))
    flip(tmp_path / "step_00000020.pt")
    save_checkpoint(tmp_path, state(12))
    assert (steps(tmp_path), loaded_step(tmp_path)) == ([10, 12], 12)
    save_checkpoint(tmp_path, state(14))
    assert (steps(tmp_path), loaded_step(tmp_path)) == ([12, 14], 14)


def test_new_best_replaces_one_of_a_later_step(tmp_path: Path) -> None:
    save_checkpoint(tmp_path, state(20), best=True)
    save_checkpoint(tmp_path, state(12), best=True)
    assert steps(tmp_path, "best") == [12]


def test_nothing_whole_is_an_error_rather_than_a_start_from_nothing(tmp_path: Path) -> None:
    for step in (1, 2):
        flip(save_checkpoint(tmp_path, state(step)))
    with (
        pytest.warns(UserWarning, match="is damaged"),
        pytest.raises(TrainingError, match=r"none of the 2 checkpoints in .* is whole: start a new run"),
    ):
        load_newest(tmp_path)


class Malicious:
    def __reduce__(self) -> Any:
        return (os.mkdir, ("executed",))


def test_nothing_is_unpickled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "step_00000001.pt"
    torch.save({"step": 1, "network": Malicious()}, path)
    path.with_suffix(".sha256").write_text(hashlib.sha256(path.read_bytes()).hexdigest())
    with pytest.raises(TrainingError, match=r"step_00000001\.pt can't be read"):
        load_checkpoint(path)
    assert not (tmp_path / "executed").exists()


def full_disk(*_: Any, **__: Any) -> None:
    raise OSError(errno.ENOSPC, "No space left on device")


@pytest.mark.parametrize("call", ["fsync", "replace", "mkdir"])
def test_full_disk_is_one_line_and_leaves_the_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    for step in (1, 2):
        save_checkpoint(tmp_path, state(step))
    before = names(tmp_path)
    with monkeypatch.context() as patch:
        patch.setattr(*(Path, "mkdir") if call == "mkdir" else (os, call), full_disk)
        with pytest.raises(TrainingError) as error:
            save_checkpoint(tmp_path, state(3))
    message = str(error.value)
    assert message.endswith("No space left on device; earlier ones are kept") and "\n" not in message
    assert f"can't write checkpoint {tmp_path / 'step_00000003.pt'}" in message
    assert names(tmp_path) == before
    assert loaded_step(tmp_path) == 2


def test_torch_that_can_not_write_is_one_line_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(content: Any, file: Any) -> None:
        file.write(b"PK")
        raise RuntimeError("[enforce fail at inline_container.cc] unexpected pos 64 vs 0\nframe #0")

    save_checkpoint(tmp_path, state(1))
    before = names(tmp_path)
    monkeypatch.setattr(torch, "save", fail)
    with pytest.raises(TrainingError, match="unexpected pos 64 vs 0; earlier ones are kept"):
        save_checkpoint(tmp_path, state(2))
    assert names(tmp_path) == before


@pytest.mark.skipif(not hasattr(os, "fork"), reason="kills a forked process")
@pytest.mark.filterwarnings("error")  # nothing is left that looks damaged
def test_kill_9_at_any_moment_of_a_save_loses_nothing(tmp_path: Path) -> None:
    """A child is killed in its n-th call that changes the disk, until one gets through."""
    for number in range(1, 30):
        folder = tmp_path / str(number)
        for step in (1, 2):
            save_checkpoint(folder, state(step))
        was_killed = save_in_child(folder, state(3), number)
        assert loaded_step(folder) in ((2, 3) if was_killed else (3,))
        save_checkpoint(folder, state(4))
        assert loaded_step(folder) == 4
        assert not [name for name in names(folder) if name.endswith(".tmp")]
        if not was_killed:
            break
    assert number > 6


def save_in_child(folder: Path, content: dict[str, Any], number: int) -> bool:
    """Whether the child was killed."""
    child = os.fork()
    if child == 0:
        calls = 0

        def watch(event: str, arguments: tuple[Any, ...]) -> None:
            nonlocal calls
            writes = event in ("os.rename", "os.remove") or (event == "open" and arguments[1] == "xb")
            calls += writes
            if writes and calls == number:
                os.kill(os.getpid(), signal.SIGKILL)

        def fsync(descriptor: int) -> None:
            watch("os.rename", ())

        os.fsync = fsync
        sys.addaudithook(watch)
        try:
            save_checkpoint(folder, content)
        finally:
            os._exit(0)
    return os.WIFSIGNALED(os.waitpid(child, 0)[1])
