"""Classic recipes in double precision, and what their losses are made of, written out in numpy."""

from dataclasses import replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from creativeai.models.conditioning import TextTensors
from creativeai.models.generator_output import GeneratorOutput
from creativeai.recipes.conditional_gan import ConditionalGan
from creativeai.recipes.contract import Batch

Logits = NDArray[np.float64]


def doubled(recipe: ConditionalGan, batch: Batch) -> Batch:
    """Bring the recipe's networks to double precision, and give the batch in it."""
    recipe.generator.double()
    recipe.discriminator.double()
    text = TextTensors(batch.text.sentence.double(), batch.text.words.double(), batch.text.mask)
    return replace(batch, images=batch.images.double(), text=text, noise=batch.noise.double())


def judges(recipe: ConditionalGan) -> list[Any]:
    """The recipe's discriminators, coarse to fine."""
    return list(recipe.discriminator.stages)


@torch.no_grad()
def judged(network: Any, images: Tensor, condition: Tensor, rows: Any = slice(None)) -> Logits:
    """Logits of some of a batch's pictures, whose features are those of the whole batch, with conditions."""
    return np.asarray(network.conditional(network.features(images)[rows], condition).numpy())


@torch.no_grad()
def judged_alone(network: Any, images: Tensor) -> Logits:
    """Logits of pictures without a condition."""
    return np.asarray(network.unconditional(network.features(images)).numpy())


def as_real(logits: Logits) -> float:
    """Mean cross-entropy to the target 1: -log sigmoid(x)."""
    return float(-np.log(1 / (1 + np.exp(-logits))).mean())


def as_fake(logits: Logits) -> float:
    """Mean cross-entropy to the target 0: -log(1 - sigmoid(x))."""
    return float(-np.log(1 - 1 / (1 + np.exp(-logits))).mean())


def divergence(output: GeneratorOutput) -> float:
    """Divergence of the augmentation's Gaussians from the standard one, the mean over their numbers."""
    assert output.mean is not None and output.log_variance is not None
    mean, variance = output.mean.detach().numpy(), np.exp(output.log_variance.detach().numpy())
    return float((0.5 * (variance + mean**2 - 1 - np.log(variance))).mean())
