"""One optimiser's step down one loss, or a stop before anything is spoilt."""

import math
from collections.abc import Callable

import torch
from torch import Tensor
from torch.optim import Optimizer

from creativeai.errors import TrainingError
from creativeai.recipes.contract import LossParts

__all__ = ["descend", "weights_of"]


def weights_of(optimizer: Optimizer) -> list[Tensor]:
    """All weights that an optimiser moves."""
    return [weight for group in optimizer.param_groups for weight in group["params"]]


def descend(
    name: str,
    loss: Tensor,
    parts: LossParts,
    optimizer: Optimizer,
    step: int,
    clip: Callable[[], None] | None = None,
) -> dict[str, float]:
    """Move the network of that name down its loss; the figures for the log.

    Args:
        name: The network's name in the log.
        loss: Scalar.
        parts: Its terms, for the log.
        optimizer: Moves the network.
        step: For the message.
        clip: Bounds the gradients before they are used; the log has them unbounded.

    Raises:
        TrainingError: The loss, a part of it or the gradient is not finite. The optimiser has not moved.
    """
    losses = {f"loss/{name}": loss, **{f"{name}/{part}": value for part, value in parts.items()}}
    figures = {label: float(value.detach()) for label, value in losses.items()}
    _check_finite(figures, step)
    optimizer.zero_grad(set_to_none=True)
    loss.backward()
    gradients = [weight.grad for weight in weights_of(optimizer) if weight.grad is not None]
    norms = torch.stack(torch._foreach_norm(gradients))
    figures[f"gradient_norm/{name}"] = float(torch.linalg.vector_norm(norms))
    _check_finite(figures, step)
    if clip is not None:
        clip()
    optimizer.step()
    return figures


def _check_finite(figures: dict[str, float], step: int) -> None:
    for name, value in figures.items():
        if not math.isfinite(value):
            raise TrainingError(
                f"{name} is {value} at step {step}: stopped; go on from the last checkpoint with a lower "
                "learning rate: creativeai train --resume RUN --set learning.generator_lr=1e-4"
            )
