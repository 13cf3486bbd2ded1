"""The one loop. It knows no paper: a recipe gives networks, optimisers and losses."""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.optim import Optimizer

from creativeai.errors import TrainingError
from creativeai.evaluation.judge import Judge, Measurement
from creativeai.models.conditioning import TextTensors
from creativeai.models.pixels import tensor_to_pixels
from creativeai.recipes.contract import LossParts, Recipe
from creativeai.training.checkpoints import save_checkpoint
from creativeai.training.ema import ExponentialMovingAverage
from creativeai.training.feed import Feed
from creativeai.training.monitor import Monitor, picture_grid
from creativeai.training.precision import Precision

__all__ = ["Budget", "SampleSheet", "Schedule", "TrainingState", "fit"]


@dataclass(frozen=True)
class Budget:
    """When to stop: at a step, or after minutes of this call; whichever is given and comes first."""

    num_steps: int | None = None
    minutes: float | None = None

    def fraction_done(self, step: int, first_step: int, seconds: float) -> float:
        """From 0 to 1."""
        by_step = (
            (step - first_step) / max(self.num_steps - first_step, 1) if self.num_steps is not None else 0.0
        )
        by_time = seconds / (60 * self.minutes) if self.minutes is not None else 0.0
        return max(by_step, by_time)

    def is_spent(self, step: int, seconds: float) -> bool:
        """Whether no further step should be taken."""
        by_step = self.num_steps is not None and step >= self.num_steps
        return by_step or (self.minutes is not None and seconds >= 60 * self.minutes)


@dataclass(frozen=True, kw_only=True)
class Schedule:
    """How often the loop does what is not a step."""

    log_steps: int = 50
    """Steps between two lines of figures."""
    sample_steps: int = 500
    """Steps between two sample grids."""
    checkpoint_minutes: float = 3.0
    """Minutes between two checkpoints."""
    measure_minutes: float = 15.0
    """Minutes between two measurements on held-out captions."""


@dataclass(frozen=True)
class SampleSheet:
    """Fixed noise and captions, drawn at regular steps: one row a caption, the photo first."""

    noise: Tensor
    """[S * K, Z], K pictures for each of S captions."""
    text: TextTensors
    """Captions [S * K]."""
    photos: Tensor
    """[S, 3, R, R] what the captions describe."""
    captions: list[str]

    def draw(self, generator: nn.Module, device: torch.device) -> NDArray[np.uint8]:
        """The grid, uint8 [H, W, 3]."""
        text = TextTensors(*(tensor.to(device) for tensor in self.text))
        with torch.no_grad():
            fakes = tensor_to_pixels(generator(self.noise.to(device), text)[-1])
        photos = tensor_to_pixels(self.photos)
        num_columns = len(fakes) // len(photos)
        rows = [[photo, *fakes[i * num_columns : (i + 1) * num_columns]] for i, photo in enumerate(photos)]
        return picture_grid(np.stack([picture for row in rows for picture in row]), num_columns + 1)


@dataclass
class TrainingState:
    """All that a checkpoint holds: the loop's state and nothing else."""

    recipe: Recipe
    optimizers: dict[str, Optimizer]
    ema: ExponentialMovingAverage
    step: int = 0
    seconds: float = 0.0
    best_fd_lite0: float = math.inf

    @classmethod
    def start(cls, recipe: Recipe, ema_half_life: int, precision: Precision) -> "TrainingState":
        """A new state around a freshly built recipe, on the precision's device."""
        for network in (recipe.generator, recipe.discriminator):
            network.to(precision.device, memory_format=precision.memory_format)  # type: ignore[call-overload]
        ema = ExponentialMovingAverage(recipe.generator, ema_half_life)
        return cls(recipe, recipe.optimizers(), ema)

    def state_dict(self) -> dict[str, Any]:
        """Tensors and plain values. Data order and noise need no entry: both follow from seed and step."""
        return {
            "step": self.step,
            "seconds": self.seconds,
            "best_fd_lite0": self.best_fd_lite0,
            "generator": self.recipe.generator.state_dict(),
            "discriminator": self.recipe.discriminator.state_dict(),
            "ema": self.ema.network.state_dict(),
            **{f"{name}_optimizer": optimizer.state_dict() for name, optimizer in self.optimizers.items()},
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from a checkpoint.

        Raises:
            TrainingError: The checkpoint is of other networks.
        """
        try:
            self.recipe.generator.load_state_dict(state["generator"])
            self.recipe.discriminator.load_state_dict(state["discriminator"])
            self.ema.network.load_state_dict(state["ema"])
            for name, optimizer in self.optimizers.items():
                rates = [group["lr"] for group in optimizer.param_groups]
                optimizer.load_state_dict(state[f"{name}_optimizer"])
                # The configuration's learning rate counts, so that --set may change it when a run goes on.
                for group, rate in zip(optimizer.param_groups, rates, strict=True):
                    group["lr"] = rate
        except (RuntimeError, KeyError, ValueError) as error:
            raise TrainingError(
                f"the checkpoint is of other networks: {str(error).splitlines()[0]}"
            ) from error
        self.step, self.seconds = state["step"], state["seconds"]
        self.best_fd_lite0 = state["best_fd_lite0"]


def fit(
    state: TrainingState,
    feed: Feed,
    judge: Judge | None,
    sheet: SampleSheet,
    precision: Precision,
    budget: Budget,
    schedule: Schedule,
    monitor: Monitor,
    folder: Path,
) -> None:
    """Train until the budget is spent or Ctrl-C; either way everything is saved.

    Raises:
        TrainingError: A loss is not finite; the last good checkpoint stays.
        KeyboardInterrupt: Passed on after saving.
    """
    recipe = state.recipe
    generator = precision.compile(recipe.generator)
    start = last_saved = last_measured = time.monotonic()
    first_step, seconds_before = state.step, state.seconds
    monitor.captions(sheet.captions)

    def save() -> None:
        nonlocal last_saved
        state.seconds = seconds_before + time.monotonic() - start
        save_checkpoint(folder / "checkpoints", state.state_dict())
        last_saved = time.monotonic()

    def sample() -> None:
        grid = sheet.draw(state.ema.network, precision.device)
        monitor.samples(state.step, grid, folder / "samples" / f"step_{state.step:08d}.png", "samples")

    def measure() -> None:
        nonlocal last_measured
        if judge is not None:
            result = judge.measure(state.ema.network, feed.noise_dim, precision.device)
            is_best = result.fd_lite0 < state.best_fd_lite0 and not result.collapsed
            if is_best:
                state.best_fd_lite0 = result.fd_lite0
                save_checkpoint(folder / "checkpoints", _with_measurement(state, result), best=True)
            monitor.measurement(state.step, state.step * feed.batch_size, result, is_best)
        last_measured = time.monotonic()
        monitor.restart_clock()

    try:
        while not budget.is_spent(state.step, time.monotonic() - start):
            figures = train_step(state, feed, generator, precision)
            monitor.add(figures, feed.batch_size)
            now = time.monotonic()
            monitor.advance(budget.fraction_done(state.step, first_step, now - start))
            if state.step % schedule.log_steps == 0:
                rates = {name: group.param_groups[0]["lr"] for name, group in state.optimizers.items()}
                monitor.flush(state.step, rates)
            if state.step % schedule.sample_steps == 0:
                sample()
            if now - last_measured >= 60 * schedule.measure_minutes:
                measure()
            if now - last_saved >= 60 * schedule.checkpoint_minutes:
                save()
        sample()
        measure()
    finally:
        # A loss that isn't finite is raised before the optimiser moves: what is saved here is the last good
        # state.
        save()


def train_step(
    state: TrainingState,
    feed: Feed,
    generator: Callable[..., Any],
    precision: Precision,
) -> dict[str, float]:
    """One step of discriminator and generator; the figures for the log.

    Raises:
        TrainingError: A loss is not finite.
    """
    recipe = state.recipe
    batch = feed.batch(state.step, precision.device)
    recipe.generator.train()
    recipe.discriminator.train()
    trainable = [
        weight for group in state.optimizers["discriminator"].param_groups for weight in group["params"]
    ]
    with precision.autocast():
        passed = recipe.generate(generator, batch)
        loss, parts = recipe.discriminator_loss(batch, passed)
    figures = _figures("discriminator", loss, parts, state.step)
    figures["gradient_norm/discriminator"] = _descend(loss, state.optimizers["discriminator"])
    _set_trainable(trainable, False)
    with precision.autocast():
        loss, parts = recipe.generator_loss(batch, passed)
    _set_trainable(trainable, True)
    figures |= _figures("generator", loss, parts, state.step)
    figures["gradient_norm/generator"] = _descend(loss, state.optimizers["generator"])
    state.step += 1
    state.ema.update(recipe.generator, feed.batch_size, state.step * feed.batch_size)
    return figures


def _descend(loss: Tensor, optimizer: Optimizer) -> float:
    optimizer.zero_grad(set_to_none=True)
    loss.backward()
    gradients = [
        weight.grad
        for group in optimizer.param_groups
        for weight in group["params"]
        if weight.grad is not None
    ]
    norm = torch.linalg.vector_norm(torch.stack(torch._foreach_norm(gradients)))
    optimizer.step()
    return float(norm)


def _set_trainable(weights: list[Tensor], value: bool) -> None:
    # The generator's step needs gradients through the discriminator, not of its weights.
    for weight in weights:
        weight.requires_grad_(value)


def _figures(network: str, loss: Tensor, parts: LossParts, step: int) -> dict[str, float]:
    values = {f"loss/{network}": loss, **{f"{network}/{name}": part for name, part in parts.items()}}
    figures = {name: float(value.detach()) for name, value in values.items()}
    for name, value in figures.items():
        if not math.isfinite(value):
            raise TrainingError(
                f"{name} is {value} at step {step}: stopped, the last good state is saved; "
                "go on with a lower learning rate, e.g. --set generator_lr=1e-4"
            )
    return figures


def _with_measurement(state: TrainingState, result: Measurement) -> dict[str, Any]:
    return {**state.state_dict(), "measurement": result.as_dict()}
