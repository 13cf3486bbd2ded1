"""The classic recipes' common form: a generator of one or more stages, and a discriminator for each.

A paper's file builds its networks and says what is judged with which weights; what every one of them does
with that stands here once.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.optim import Optimizer

from creativeai.models.conditional_discriminator import ConditionalDiscriminator
from creativeai.models.conditioning import TextTensors
from creativeai.models.generator_output import GeneratorOutput
from creativeai.models.layers.across_processes import num_processes
from creativeai.models.layers.conditioning_augmentation import kl_divergence
from creativeai.models.layers.minibatch_discrimination import MinibatchDiscrimination
from creativeai.models.layers.text_standardiser import TextStandardiser
from creativeai.recipes.adversarial import discriminator_loss, generator_loss
from creativeai.recipes.contract import Batch, LossParts
from creativeai.recipes.further_draws import with_interpolated, with_second_noise
from creativeai.recipes.learning import Learning, adam_optimizers, learning_rate_factor
from creativeai.recipes.pairs import PairWeights
from creativeai.recipes.stabilisers.historical_averaging import HistoricalAverage
from creativeai.recipes.stabilisers.mode_seeking import mode_seeking_loss
from creativeai.recipes.stabilisers.reference_batch import (
    ReferenceBatch,
    ReferencePairs,
    generate_with_reference,
)
from creativeai.recipes.stabilisers.settings import Stabilisers, check_batch
from creativeai.recipes.stabilisers.spectral_norm import apply_spectral_norm
from creativeai.recipes.stabilisers.ttur import two_time_scales

__all__ = ["ConditionalGan", "Objective", "StageState", "Terms", "check_config", "minibatch_layer"]

Terms = dict[str, tuple[float, Tensor]]
"""Scalar terms of a loss by name, each with its weight."""
_KERNEL_DIM = 5


def _no_terms(batch: Batch, output: GeneratorOutput) -> Terms:
    return {}


def _learn_nothing(parts: LossParts) -> LossParts:
    return {}


@dataclass(frozen=True, kw_only=True)
class Objective:
    """What a paper asks of its networks."""

    weigh: Callable[[], PairWeights]
    """Weights of the pairs at this step."""
    condition: Literal["sentence", "mean"]
    """What the discriminators judge pictures with: the sentence vector, or the augmentation's mean."""
    condition_learns: bool = False
    """Whether the generator's loss has a gradient by way of that mean."""
    kl_weight: float = 0.0
    """Weight of the conditioning augmentation's divergence."""
    penalise_condition: bool = False
    """Whether a gradient penalty is on the gradient by the condition too."""
    interpolates: bool = False
    """Whether the generator also draws captions half-way between two of the batch (GAN-INT)."""
    terms: Callable[[Batch, GeneratorOutput], Terms] = _no_terms
    """Further terms of the generator's loss."""
    learn: Callable[[LossParts], LossParts] = _learn_nothing
    """Called with the discriminator's terms of a step; what it gives goes to the log too."""


@dataclass
class StageState:
    """What a step's generator pass leaves for both losses."""

    output: GeneratorOutput
    """Pictures of the batch's captions, and after them the further draws, if there are any."""
    condition: Tensor
    """[B', K] what the discriminators judge them with."""
    noise: Tensor
    """[B', Z] they were drawn with."""
    reals: tuple[Tensor, ...]
    """The real pictures [B, 3, R, R] at the resolution of every discriminator."""


class _Judges(nn.Module):
    """Every discriminator, and what of the training's own memory belongs to a checkpoint."""

    def __init__(
        self,
        stages: Sequence[nn.Module],
        generator: nn.Module,
        stabilisers: Stabilisers,
        memory: nn.Module | None,
    ) -> None:
        super().__init__()
        self.stages = nn.ModuleList(stages)
        self.memory = memory
        self.reference = ReferenceBatch(stabilisers.reference_size) if stabilisers.uses_reference else None
        averages = stabilisers.historical_averaging > 0
        self.history = HistoricalAverage(self.stages) if averages else None
        self.generator_history = HistoricalAverage(generator) if averages else None


class ConditionalGan:
    """A recipe made of a paper's networks and objective; see `creativeai.recipes.contract.Recipe`.

    Args:
        config: The paper's configuration, for the loop.
        learning: Its learning rates and batch.
        stabilisers: What it is steadied by.
        generator: Gives pictures of at least as many stages as there are discriminators.
        discriminators: One for each of the last stages, coarse to fine.
        objective: What is asked of them.
        num_pictures: Pictures of an epoch.
        memory: Buffers of the objective that a checkpoint must hold.
    """

    def __init__(
        self,
        config: Any,
        learning: Learning,
        stabilisers: Stabilisers,
        generator: nn.Module,
        discriminators: Sequence[nn.Module],
        objective: Objective,
        num_pictures: int,
        memory: nn.Module | None = None,
    ) -> None:
        if stabilisers.spectral_norm_generator:
            apply_spectral_norm(generator)
        if stabilisers.spectral_norm_discriminator:
            for network in discriminators:
                apply_spectral_norm(network)
        if stabilisers.ttur:
            (rate, betas), (discriminator_rate, _) = two_time_scales(learning.generator_lr)
            learning = replace(
                learning, generator_lr=rate, discriminator_lr=discriminator_rate, adam_betas=betas
            )
        self.config = config
        self.learning = learning
        self.stabilisers = stabilisers
        self.objective = objective
        self.num_pictures = num_pictures
        self.generator = generator
        self.discriminator = _Judges(discriminators, generator, stabilisers, memory)
        self.resolutions = cast(tuple[int, ...], generator.resolutions)[-len(discriminators) :]

    def optimizers(self) -> dict[str, Optimizer]:
        """Adam for either network, by the network's name."""
        return adam_optimizers(self.learning, self.generator, self.discriminator)

    def learning_rate_factor(self, num_seen: int) -> float:
        """The decay of the learning rates after so many real pictures."""
        return learning_rate_factor(self.learning, num_seen, self.num_pictures)

    def fit_text(self, sentences: Tensor) -> None:
        """Standardise the text inputs of all networks to sentence vectors [N, D]."""
        cast(TextStandardiser, self.generator.standardise).fit(sentences)

    def generate(self, generator: Callable[..., GeneratorOutput], batch: Batch) -> StageState:
        """The step's one pass of the generator."""
        noise, text = batch.noise, batch.text
        if self.objective.interpolates:
            noise, text = with_interpolated(noise, text)
        if self.stabilisers.mode_seeking:
            noise, text = with_second_noise(noise, text, len(batch.images) // 2)
        reference = self.discriminator.reference
        if reference is not None:
            reference.fill(batch.images, batch.noise, batch.text)
        if reference is not None and self.stabilisers.generator_norm == "virtual":
            output = generate_with_reference(generator, self.generator, noise, text, reference)
        else:
            output = generator(noise, text)
        condition = output.mean
        if self.objective.condition == "sentence":
            condition = self._standard(text)
        assert condition is not None
        return StageState(output, condition, noise, self._pyramid(batch.images))

    def discriminator_loss(self, batch: Batch, state: StageState) -> tuple[Tensor, LossParts]:
        """The sum over the discriminators, and their terms by name and resolution."""
        size = len(batch.images)
        weights = self.objective.weigh()
        losses: list[Tensor] = []
        all_parts: LossParts = {}
        for stage, (network, real, fake) in enumerate(self._stages(state)):
            loss, parts = discriminator_loss(
                network,
                real,
                fake[:size],
                state.condition[:size],
                weights,
                self.stabilisers,
                step=batch.num_seen // (size * num_processes()),
                labels=batch.labels,
                reference=self._reference(stage),
                penalise_condition=self.objective.penalise_condition,
            )
            losses.append(loss)
            all_parts |= self._named(parts, stage)
        all_parts |= self.objective.learn(all_parts)
        loss = torch.stack(losses).sum()
        if self.discriminator.history is not None:
            all_parts["historical_averaging"] = self.discriminator.history(self.discriminator.stages)
            loss = loss + self.stabilisers.historical_averaging * all_parts["historical_averaging"]
        return loss, all_parts

    def generator_loss(self, batch: Batch, state: StageState) -> tuple[Tensor, LossParts]:
        """What the discriminators ask, the augmentation's divergence and the paper's own terms."""
        output = state.output
        condition = state.condition if self.objective.condition_learns else state.condition.detach()
        weights = self.objective.weigh()
        losses: list[Tensor] = []
        all_parts: LossParts = {}
        for stage, (network, real, fake) in enumerate(self._stages(state)):
            loss, parts = generator_loss(
                network,
                real,
                fake,
                condition,
                weights,
                self.stabilisers,
                labels=batch.labels,
                reference=self._reference(stage),
            )
            losses.append(loss)
            all_parts |= self._named(parts, stage)
        terms = self.objective.terms(batch, output)
        if self.objective.kl_weight and output.mean is not None and output.log_variance is not None:
            terms["kl"] = (self.objective.kl_weight, kl_divergence(output.mean, output.log_variance))
        if self.stabilisers.mode_seeking:
            term = mode_seeking_loss(output.images, state.noise, len(batch.images) // 2)
            terms["mode_seeking"] = (self.stabilisers.mode_seeking, term)
        if self.discriminator.generator_history is not None:
            penalty = self.discriminator.generator_history(self.generator)
            terms["historical_averaging"] = (self.stabilisers.historical_averaging, penalty)
        losses += [weight * term for weight, term in terms.values()]
        return torch.stack(losses).sum(), all_parts | {name: term for name, (_, term) in terms.items()}

    def _stages(self, state: StageState) -> list[tuple[ConditionalDiscriminator, Tensor, Tensor]]:
        """Each discriminator with the real and the generated pictures of its resolution."""
        networks = cast(list[ConditionalDiscriminator], list(self.discriminator.stages))
        fakes = state.output.images[-len(networks) :]
        return list(zip(networks, state.reals, fakes, strict=True))

    def _pyramid(self, images: Tensor) -> tuple[Tensor, ...]:
        return tuple(
            images if images.shape[-1] == side else F.interpolate(images, size=(side, side), mode="area")
            for side in self.resolutions
        )

    def _reference(self, stage: int) -> ReferencePairs | None:
        reference = self.discriminator.reference
        if reference is None or self.stabilisers.discriminator_norm != "virtual":
            return None
        condition = self._standard(reference.text)
        if self.objective.condition == "mean":
            augment = cast(nn.Module, self.generator.augment)
            epsilon = condition.new_zeros(len(condition), cast(int, augment.condition_dim))
            condition = augment(condition, epsilon)[1]
        return ReferencePairs(self._pyramid(reference.images)[stage], condition)

    def _standard(self, text: TextTensors) -> Tensor:
        """The sentence vectors [B, D] as the generator itself reads them."""
        standardise = cast(TextStandardiser, self.generator.standardise)
        standard: Tensor = standardise(text.sentence)
        return standard

    def _named(self, parts: LossParts, stage: int) -> LossParts:
        if len(self.resolutions) == 1:
            return parts
        return {f"{name}_{self.resolutions[stage]}": part for name, part in parts.items()}


def check_config(config: Any, may_be_zero: Collection[str] = ()) -> None:
    """What every classic configuration must be; for its `__post_init__`.

    Args:
        config: Has `learning`, `stabilisers`, and numbers that must be above zero.
        may_be_zero: Names of those that may be zero as well.

    Raises:
        ValueError: A number is too small, or the batch for the stabilisers.
    """
    check_batch(config.stabilisers, config.learning.batch_size)
    for name, value in vars(config).items():
        if not isinstance(value, int | float) or isinstance(value, bool):
            continue
        if value < 0 or (value == 0 and name not in may_be_zero):
            raise ValueError(f"{name}={value} must be {'0 or more' if name in may_be_zero else 'above zero'}")


def minibatch_layer(stabilisers: Stabilisers, width: int) -> MinibatchDiscrimination | None:
    """Minibatch discrimination for a discriminator whose first map has `width` channels, if it is asked for.

    Every classic discriminator ends in eight times as many, at side 4.
    """
    if not stabilisers.minibatch_kernels:
        return None
    return MinibatchDiscrimination(8 * width * 16, stabilisers.minibatch_kernels, _KERNEL_DIM)
