"""One optimiser's step down one loss, or a stop before anything is spoilt.

Several processes take the same step: down the mean of their losses, by the mean of their gradients.
"""

import math
from collections.abc import Callable, Iterator

import torch
import torch.distributed as dist
from torch import Tensor
from torch.optim import Optimizer

from creativeai.errors import TrainingError
from creativeai.models.layers.across_processes import mean_over_processes, num_processes
from creativeai.recipes.contract import LossParts

__all__ = ["descend", "weights_of"]

_BUCKET_SIZE = 16_000_000
"""Numbers that processes exchange at a time: few calls, and 64 MB beside the gradients."""


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
    figures = {label: float(value) for label, value in _averaged(losses).items()}
    _check_finite(figures, step)
    optimizer.zero_grad(set_to_none=True)
    loss.backward()
    gradients = [weight.grad for weight in weights_of(optimizer) if weight.grad is not None]
    _average(gradients)
    norms = torch.stack(torch._foreach_norm(gradients))
    figures[f"gradient_norm/{name}"] = float(torch.linalg.vector_norm(norms))
    _check_finite(figures, step)
    if clip is not None:
        clip()
    optimizer.step()
    return figures


def _averaged(losses: LossParts) -> LossParts:
    """The means of the processes' losses, so that all see the same, and stop at the same."""
    detached = {label: value.detach() for label, value in losses.items()}
    if num_processes() == 1:
        return detached
    means = mean_over_processes(torch.stack([value.float() for value in detached.values()]))
    return dict(zip(detached, means.unbind(), strict=True))


def _average(gradients: list[Tensor]) -> None:
    """Put the processes' mean in the place of each gradient."""
    num = num_processes()
    if num == 1:
        return
    for bucket in _buckets(gradients):
        flat = torch.cat([gradient.flatten() for gradient in bucket])
        dist.all_reduce(flat)
        means = (flat / num).split([gradient.numel() for gradient in bucket])
        for gradient, mean in zip(bucket, means, strict=True):
            gradient.copy_(mean.view(gradient.shape))


def _buckets(gradients: list[Tensor]) -> Iterator[list[Tensor]]:
    bucket: list[Tensor] = []
    for gradient in gradients:
        if bucket and sum(other.numel() for other in bucket) + gradient.numel() > _BUCKET_SIZE:
            yield bucket
            bucket = []
        bucket.append(gradient)
    if bucket:
        yield bucket


def _check_finite(figures: dict[str, float], step: int) -> None:
    for name, value in figures.items():
        if not math.isfinite(value):
            raise TrainingError(
                f"{name} is {value} at step {step}: stopped; go on from the last checkpoint with a lower "
                "learning rate: creativeai train --resume RUN --set learning.generator_lr=1e-4"
            )
