"""Two networks against each other, whatever the paper: the step, the samples and the measure of a GAN."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from creativeai.evaluation.judge import Judge, Measurement
from creativeai.recipes.contract import Recipe
from creativeai.training.descent import descend, weights_of
from creativeai.training.ema import ExponentialMovingAverage
from creativeai.training.feed import Feed
from creativeai.training.monitor import Finding
from creativeai.training.precision import Precision
from creativeai.training.sample_sheet import SampleSheet
from creativeai.training.state import TrainingState

__all__ = ["GanTask", "gan_state"]


@runtime_checkable
class Compilable(Protocol):
    """A recipe of which more than the generator gains by compilation."""

    def compile(self, compiled: Callable[[Callable[..., Any]], Callable[..., Any]]) -> None:
        """Replace parts of it by their compiled form."""


def gan_state(recipe: Recipe, ema_half_life: int, precision: Precision) -> TrainingState:
    """The state around a freshly built recipe, on the precision's device."""
    networks = {"generator": recipe.generator, "discriminator": recipe.discriminator}
    for network in networks.values():
        precision.place(network)
    ema = ExponentialMovingAverage(recipe.generator, ema_half_life)
    return TrainingState(networks, recipe.optimizers(), ema)


@dataclass
class GanTask:
    """A recipe at work on a dataset."""

    recipe: Recipe
    state: TrainingState
    feed: Feed
    sheet: SampleSheet
    judge: Judge | None
    """Measures the averaged generator; None leaves it unmeasured."""
    precision: Precision

    def __post_init__(self) -> None:
        assert self.state.ema is not None
        self.ema = self.state.ema
        self.batch_size = self.feed.batch_size
        self.captions = self.sheet.captions
        self._generator: Callable[..., Any] = self.precision.compile(self.recipe.generator)
        if isinstance(self.recipe, Compilable):
            self.recipe.compile(self.precision.compile)
        self._first_rates = self.state.learning_rates()

    def step(self) -> dict[str, float]:
        """One step of the discriminator, then of the generator, on the same pass of the generator."""
        state, recipe = self.state, self.recipe
        batch = self.feed.batch(state.step, self.precision.device)
        self._set_learning_rates(recipe.learning_rate_factor(batch.num_seen))
        recipe.generator.train()
        recipe.discriminator.train()
        judging = weights_of(state.optimizers["discriminator"])
        with self.precision.autocast():
            passed = recipe.generate(self._generator, batch)
            loss, parts = recipe.discriminator_loss(batch, passed)
        figures = descend("discriminator", loss, parts, state.optimizers["discriminator"], state.step)
        _set_trainable(judging, False)
        with self.precision.autocast():
            loss, parts = recipe.generator_loss(batch, passed)
        _set_trainable(judging, True)
        figures |= descend("generator", loss, parts, state.optimizers["generator"], state.step)
        state.step += 1
        self.ema.update(recipe.generator, self.batch_size, state.step * self.batch_size)
        return figures

    def samples(self) -> dict[str, NDArray[np.uint8]]:
        """The sample sheet as the averaged generator draws it."""
        return self.sheet.draw(self.ema.network, self.precision.device)

    def measure(self) -> Finding | None:
        """The averaged generator on validation captions."""
        return None if self.judge is None else finding_of(self.judge.measure(self.ema.network))

    def _set_learning_rates(self, factor: float) -> None:
        for name, optimizer in self.state.optimizers.items():
            for group in optimizer.param_groups:
                group["lr"] = self._first_rates[name] * factor


def finding_of(result: Measurement) -> Finding:
    """The judge's measurement in the words of the monitor.

    The score is fd_lite2. KID has no bias but a larger error: over the same 1,000 pictures its standard error
    is a greater part of the way that a training makes between two measurements.
    """
    alarm = None
    if result.collapsed:
        alarm = (
            f"the pictures' diversity is {result.diversity:.2f} of the photos', among seeds "
            f"{result.seed_diversity:.2f}: raise the diversity term, lower guidance or learning rates, or go "
            "back to the best checkpoint"
        )
    told = [f"fd_lite2 {result.fd_lite2:.1f}"]
    if result.kid is not None:
        told.append(f"KID x 1000 {result.kid:.1f} ± {result.kid_error or 0:.1f}")
    if result.text_match is not None:
        told.append(f"text match {result.text_match:.1%}")
    told.append(f"diversity {result.diversity:.2f}, among seeds {result.seed_diversity:.2f}")
    return Finding(result.fd_lite2, result.as_dict(), "  ".join(told), alarm)


def _set_trainable(weights: list[Tensor], value: bool) -> None:
    # The generator's step needs gradients through the discriminator, not of its weights.
    for weight in weights:
        weight.requires_grad_(value)
