"""What a run tells while it goes on: TensorBoard, `metrics.jsonl`, sample grids, the progress line."""

import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from rich.console import Console
from rich.progress import BarColumn, Progress, ProgressColumn, Task, TextColumn, TimeElapsedColumn
from rich.text import Text
from torch.utils.tensorboard import SummaryWriter

from creativeai.training.metrics_file import append_measurement

__all__ = ["Finding", "Monitor", "picture_grid"]


@dataclass(frozen=True)
class Finding:
    """What a measurement found, whatever was measured."""

    score: float
    """The one figure by which the best checkpoint is chosen; lower is better."""
    figures: dict[str, float | int | bool]
    """All figures by name."""
    line: str
    """The figures for people."""
    alarm: str | None = None
    """What is wrong and what to do, where the score is not to be trusted."""


def picture_grid(pixels: NDArray[np.uint8], num_columns: int) -> NDArray[np.uint8]:
    """Pictures uint8 [B, R, R, 3], B a multiple of the columns, as one picture, row by row."""
    batch, side = pixels.shape[:2]
    rows = batch // num_columns
    grid = pixels.reshape(rows, num_columns, side, side, 3).transpose(0, 2, 1, 3, 4)
    return grid.reshape(rows * side, num_columns * side, 3)


class _RateColumn(ProgressColumn):
    def render(self, task: Task) -> Text:
        return Text(f"{task.fields['rate']:.1f} pictures/s" if task.fields["rate"] else "")


class _LeftColumn(ProgressColumn):
    def render(self, task: Task) -> Text:
        fraction = task.completed / task.total if task.total else 0.0
        if not task.elapsed or not 0 < fraction <= 1:
            return Text("")
        seconds = int(task.elapsed * (1 / fraction - 1))
        return Text(f"{seconds // 3600}:{seconds % 3600 // 60:02d}:{seconds % 60:02d} left")


@dataclass
class _Window:
    """Sums since the last log."""

    totals: dict[str, float]
    num_steps: int
    num_pictures: int
    start: float


class Monitor:
    """Collects a run's figures and writes them where people look.

    Args:
        folder: The run's folder.
        console: Where the progress goes.
    """

    def __init__(self, folder: Path, console: Console) -> None:
        self.console = console
        self._writer = SummaryWriter(str(folder / "tensorboard"))
        self._folder = folder
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            _RateColumn(),
            TimeElapsedColumn(),
            _LeftColumn(),
            TextColumn("{task.fields[losses]}"),
            console=console,
            disable=not console.is_terminal,
        )
        self._task = self._progress.add_task("training", total=1.0, rate=0.0, losses="")
        self._window = _Window({}, 0, 0, time.monotonic())

    def __enter__(self) -> "Monitor":
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._progress.stop()
        with suppress(OSError):  # a full disk: told already, and no reason to lose the error on its way
            self._writer.close()

    def add(self, values: dict[str, float], num_pictures: int) -> None:
        """Take one step's figures into the running window."""
        for name, value in values.items():
            self._window.totals[name] = self._window.totals.get(name, 0.0) + value
        self._window.num_steps += 1
        self._window.num_pictures += num_pictures

    def flush(self, step: int, learning_rates: dict[str, float]) -> None:
        """Write the window's means and rate, and start the next one."""
        window = self._window
        now = time.monotonic()
        means = {name: total / max(window.num_steps, 1) for name, total in window.totals.items()}
        rate = window.num_pictures / max(now - window.start, 1e-9)
        for name, mean in means.items():
            self._writer.add_scalar(name, mean, step)
        for name, value in learning_rates.items():
            self._writer.add_scalar(f"learning_rate/{name}", value, step)
        self._writer.add_scalar("speed/pictures_per_second", rate, step)
        losses = "  ".join(
            f"{name.removeprefix('loss/')} {mean:.2f}"
            for name, mean in means.items()
            if name.startswith("loss/")
        )
        self._progress.update(self._task, rate=rate, losses=losses, description=f"step {step}")
        if not self.console.is_terminal:
            self.console.print(
                f"step {step}  {rate:.1f} pictures/s  {losses}", highlight=False, soft_wrap=True
            )
        self._window = _Window({}, 0, 0, now)

    def advance(self, fraction: float) -> None:
        """Move the progress bar to this fraction of the budget."""
        self._progress.update(self._task, completed=fraction)

    def leave_out(self, seconds: float) -> None:
        """Leave so much time out of the rate: something else than training took it."""
        self._window.start += seconds

    def samples(self, step: int, grid: NDArray[np.uint8], file: Path, tag: str) -> None:
        """Show a grid in TensorBoard and write it to a file."""
        self._writer.add_image(tag, grid, step, dataformats="HWC")
        file.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(grid).save(file)

    def captions(self, captions: list[str]) -> None:
        """Show the sample grid's captions in TensorBoard."""
        self._writer.add_text("samples/captions", "  \n".join(captions), 0)

    def measurement(self, step: int, num_seen: int, finding: Finding, is_best: bool) -> None:
        """Write a measurement to TensorBoard, `metrics.jsonl` and the console."""
        for name, value in finding.figures.items():
            self._writer.add_scalar(f"metrics/{name}", float(value), step)
        append_measurement(self._folder, {"step": step, "num_seen": num_seen, **finding.figures})
        self.console.print(
            f"measured at step {step}: {finding.line}{'  (best so far)' if is_best else ''}",
            highlight=False,
            soft_wrap=True,
        )
        if finding.alarm is not None:
            self.console.print(f"[bold red]collapse alarm[/]: {finding.alarm}", soft_wrap=True)

    def trouble(self, message: str) -> None:
        """Show what went wrong, while the training goes on."""
        self.console.print(Text(message, style="bold red"), soft_wrap=True)
