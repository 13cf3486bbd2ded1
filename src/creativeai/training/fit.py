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
from creativeai.training.atomic import deferred_interrupt
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
        rows = np.concatenate([photos[:, None], fakes.reshape(len(photos), -1, *fakes.shape[1:])], axis=1)
        return picture_grid(rows.reshape(-1, *fakes.shape[1:]), rows.shape[1])


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
                own = [{k: v for k, v in group.items() if k != "params"} for group in optimizer.param_groups]
                optimizer.load_state_dict(state[f"{name}_optimizer"])
                # The configuration's constants count, so that --set may change them when a run goes on.
                for group, constants in zip(optimizer.param_groups, own, strict=True):
                    group.update(constants)
        except (RuntimeError, KeyError, ValueError) as error:
            reason = " ".join(str(error).split())[:200]
            raise TrainingError(f"the checkpoint doesn't fit the configuration: {reason}") from error
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
    """Train until the budget is spent or Ctrl-C, which waits for the end of a step; then everything is saved.

    Raises:
        TrainingError: A loss or gradient is not finite. Nothing more is saved then: whatever blew up was on
            its way for some steps, so the last checkpoint is the better one to go on from.
        KeyboardInterrupt: Passed on after saving.
    """
    recipe = state.recipe
    generator = precision.compile(recipe.generator)
    start = last_saved = last_measured = time.monotonic()
    first_step, seconds_before = state.step, state.seconds
    saved = (-1, math.inf)
    monitor.captions(sheet.captions)

    def save() -> None:
        nonlocal last_saved, saved
        if saved != (state.step, state.best_fd_lite0):
            state.seconds = seconds_before + time.monotonic() - start
            save_checkpoint(folder / "checkpoints", state.state_dict())
            saved = (state.step, state.best_fd_lite0)
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

    try:
        while not budget.is_spent(state.step, time.monotonic() - start):
            with deferred_interrupt():
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
                save()  # the best one's figure is in every later checkpoint
            elif now - last_saved >= 60 * schedule.checkpoint_minutes:
                save()
            monitor.leave_out(time.monotonic() - now)
        sample()
        measure()
    except KeyboardInterrupt:
        save()
        raise
    save()


def train_step(
    state: TrainingState,
    feed: Feed,
    generator: Callable[..., Any],
    precision: Precision,
) -> dict[str, float]:
    """One step of discriminator and generator; the figures for the log.

    Raises:
        TrainingError: A loss or gradient is not finite. The step's optimiser has not moved by it.
    """
    recipe = state.recipe
    batch = feed.batch(state.step, precision.device)
    recipe.generator.train()
    recipe.discriminator.train()
    heads = _weights(state.optimizers["discriminator"])
    with precision.autocast():
        passed = recipe.generate(generator, batch)
        loss, parts = recipe.discriminator_loss(batch, passed)
    figures = _descend("discriminator", loss, parts, state)
    _set_trainable(heads, False)
    with precision.autocast():
        loss, parts = recipe.generator_loss(batch, passed)
    _set_trainable(heads, True)
    figures |= _descend("generator", loss, parts, state)
    state.step += 1
    state.ema.update(recipe.generator, feed.batch_size, state.step * feed.batch_size)
    return figures


def _descend(network: str, loss: Tensor, parts: LossParts, state: TrainingState) -> dict[str, float]:
    """Move one network down its loss; the figures for the log."""
    optimizer = state.optimizers[network]
    losses = {f"loss/{network}": loss, **{f"{network}/{name}": part for name, part in parts.items()}}
    figures = {name: float(value.detach()) for name, value in losses.items()}
    _check_finite(figures, state.step)
    optimizer.zero_grad(set_to_none=True)
    loss.backward()
    norms = torch._foreach_norm([weight.grad for weight in _weights(optimizer) if weight.grad is not None])
    figures[f"gradient_norm/{network}"] = float(torch.linalg.vector_norm(torch.stack(norms)))
    _check_finite(figures, state.step)
    optimizer.step()
    return figures


def _check_finite(figures: dict[str, float], step: int) -> None:
    for name, value in figures.items():
        if not math.isfinite(value):
            raise TrainingError(
                f"{name} is {value} at step {step}: stopped; go on from the last checkpoint with a lower "
                "learning rate: creativeai train --resume RUN --set generator_lr=1e-4"
            )


def _weights(optimizer: Optimizer) -> list[Tensor]:
    return [weight for group in optimizer.param_groups for weight in group["params"]]


def _set_trainable(weights: list[Tensor], value: bool) -> None:
    # The generator's step needs gradients through the discriminator, not of its weights.
    for weight in weights:
        weight.requires_grad_(value)


def _with_measurement(state: TrainingState, result: Measurement) -> dict[str, Any]:
    return {**state.state_dict(), "measurement": result.as_dict()}
