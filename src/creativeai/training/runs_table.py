"""The table `creativeai runs` prints: what was trained here, how far it is, and whether it can go on."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import torch
from rich.table import Table

from creativeai.errors import TrainingError
from creativeai.training.budget import Effort
from creativeai.training.checkpoints import list_checkpoints
from creativeai.training.metrics_file import last_measurements
from creativeai.training.run import Run, open_run, sole_trainer

__all__ = ["runs_table"]

_FIGURES = ("fd_lite2", "kid", "text_match", "caption_retrieval")
_HEADINGS = ("run", "recipe", "dataset", "state", "step", "processor time", "last measured")


def runs_table(folder: Path) -> Table:
    """One row for each run in a folder or its folders; what is wrong with it, if it can't be read.

    Raises:
        TrainingError: There is no such folder.
    """
    if not folder.is_dir():
        raise TrainingError(f"there is no folder {folder}: give the one that your runs are in")
    table = Table(title=f"Runs in {folder}")
    for heading in _HEADINGS:
        table.add_column(heading, overflow="fold", justify="right" if heading in ("step",) else "left")
    for file in sorted(folder.glob("**/run.json")):
        if file.parent.name == "first_stage":  # a run's copy of what it builds upon
            continue
        name = str(file.parent.relative_to(folder))
        try:
            table.add_row(name, *_cells(open_run(file.parent)))
        except TrainingError as error:
            table.add_row(name, "", "", f"[red]{error}")
    if not table.row_count:
        table.caption = "none yet: creativeai train makes them"
    return table


def _cells(run: Run) -> tuple[str, ...]:
    effort = _effort(run)
    return (
        f"{run.recipe} ({run.preset})",
        run.dataset.name,
        _state(run, effort),
        "" if effort is None else f"{effort.num_steps:,}",
        "" if effort is None else str(timedelta(minutes=round(effort.cpu_minutes))),
        _last_measured(run.folder),
    )


def _state(run: Run, effort: Effort | None) -> str:
    try:
        with sole_trainer(run):
            pass
    except TrainingError:
        return "training"
    except OSError:  # a read-only disk, which nobody trains on
        pass
    if effort is None:
        return "no checkpoint"
    return "done" if run.budget.is_spent(effort) else "resumable"


def _effort(run: Run) -> Effort | None:
    """How far the newest readable checkpoint is; its tensors stay on disk, and nothing is verified."""
    for path in reversed(list_checkpoints(run.checkpoints)):
        try:
            content: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True, mmap=True)
            return Effort(content["step"], content["seconds"] / 60, content["cpu_seconds"] / 60)
        except Exception:  # torch.load has no common error; training itself will say what is wrong
            continue
    return None


def _last_measured(run: Path) -> str:
    figures = next(iter(last_measurements(run, 1)), {})
    try:
        return "\n".join(f"{name} {figures[name]:.3g}" for name in _FIGURES if name in figures)
    except (ValueError, TypeError):  # no numbers: somebody else wrote there
        return ""
