"""Checkpoints that survive a kill at any moment: written aside, fsynced, renamed, verified before use."""

import hashlib
import warnings
from pathlib import Path
from typing import Any, BinaryIO

import torch

from creativeai.errors import TrainingError
from creativeai.training.interrupts import deferred_interrupt
from creativeai.whole_files import replace_file

__all__ = ["chosen_checkpoint", "list_checkpoints", "load_checkpoint", "load_newest", "save_checkpoint"]

_NUM_KEPT = {"step": 2, "best": 1}


def save_checkpoint(folder: Path, state: dict[str, Any], *, best: bool = False) -> Path:
    """Write `state` as the newest checkpoint, or as the best; the newest two and the best are kept.

    Args:
        folder: The run's checkpoint folder.
        state: Tensors and plain values; must hold `step`.
        best: Write it as the best one.

    Raises:
        TrainingError: The disk is full or can't be written; earlier checkpoints are untouched.
    """
    kind = "best" if best else "step"
    path = folder / f"{kind}_{state['step']:08d}.pt"
    with deferred_interrupt():
        try:
            folder.mkdir(parents=True, exist_ok=True)
            _write(path, state)
            _forget_others(path, kind)
        except (OSError, RuntimeError) as error:
            reason = str(error).splitlines()[0]
            raise TrainingError(f"can't write checkpoint {path}: {reason}; earlier ones are kept") from error
    return path


def _write(path: Path, state: dict[str, Any]) -> None:
    def write(file: BinaryIO) -> None:
        torch.save(state, file)
        file.flush()
        # The digest is there first: a checkpoint without one never counts, a digest without checkpoint does
        # no harm.
        digest = _digest(Path(file.name)).encode()
        replace_file(path.with_suffix(".sha256"), lambda other: other.write(digest))

    replace_file(path, write)


def _forget_others(path: Path, kind: str) -> None:
    """Delete all but the newest of a kind up to `path`, and what a killed process left behind.

    Those of a later step are damaged, or of a way that was not gone on with.
    """
    found = list_checkpoints(path.parent, kind)
    kept = [other for other in found if other <= path][-_NUM_KEPT[kind] :]
    for other in set(found) - set(kept):
        other.unlink()
        other.with_suffix(".sha256").unlink(missing_ok=True)
    for left_behind in path.parent.glob("*.tmp"):
        left_behind.unlink()


def list_checkpoints(folder: Path, kind: str = "step") -> list[Path]:
    """Checkpoints of a kind, `step` or `best`, oldest first."""
    return sorted(folder.glob(f"{kind}_*.pt"))


def chosen_checkpoint(run: Path, *, newest: bool = False) -> Path:
    """The best checkpoint of the run in that folder; the newest where none was measured or it is asked for.

    Raises:
        TrainingError: It has none.
    """
    folder = run / "checkpoints"
    found = (not newest and list_checkpoints(folder, "best")) or list_checkpoints(folder)
    if not found:
        raise TrainingError(f"{run} has no checkpoint yet: let it train for some minutes first")
    return found[-1]


def load_checkpoint(path: Path) -> dict[str, Any]:
    """Read and verify one checkpoint.

    Raises:
        TrainingError: It is damaged.
    """
    recorded = path.with_suffix(".sha256")
    try:
        if recorded.read_text() != _digest(path):
            raise TrainingError(f"checkpoint {path} is damaged: its SHA-256 is not the recorded one")
        return torch.load(path, map_location="cpu", weights_only=True)
    except TrainingError:
        raise
    except Exception as error:  # torch.load has no common error for a damaged file
        raise TrainingError(f"checkpoint {path} can't be read: {str(error).splitlines()[0]}") from error


def load_newest(folder: Path, kind: str = "step") -> dict[str, Any] | None:
    """The newest checkpoint that is whole, with a warning for each damaged one; None where there is none.

    Raises:
        TrainingError: All of them are damaged.
    """
    found = list_checkpoints(folder, kind)
    for path in reversed(found):
        try:
            return load_checkpoint(path)
        except TrainingError as error:
            warnings.warn(f"{error}; trying the one before", stacklevel=2)
    if found:
        raise TrainingError(f"none of the {len(found)} checkpoints in {folder} is whole: start a new run")
    return None


def _digest(path: Path) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
