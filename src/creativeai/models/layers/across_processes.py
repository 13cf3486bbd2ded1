"""Sums over the batch of all processes, where training runs on several; alone nothing here costs anything.

The loss of a step is the mean of what the processes compute, each from its own rows, and so is its gradient.
What looks across the batch gathers the others' rows with gradient: the backward pass of each function here
adds up what the losses of all processes ask.
"""

from typing import Any

import torch
import torch.distributed as dist
import torch.nn.functional as F
from torch import Tensor

__all__ = [
    "gathered",
    "gathered_in_order",
    "gathered_padded",
    "mean_over_processes",
    "num_processes",
    "own_rank",
    "own_rows",
]


def num_processes() -> int:
    """How many train together; 1 without a launcher."""
    return dist.get_world_size() if dist.is_available() and dist.is_initialized() else 1


def own_rank() -> int:
    """Number of this process among them; 0 is the first."""
    return dist.get_rank() if num_processes() > 1 else 0


def own_rows(batch_size: int) -> slice | Tensor:
    """Rows of the run's batch that this process has; those of all are equally many.

    An even share is cut from both halves of the batch alike, for rows i and i + B / 2 may be a pair.
    """
    num = num_processes()
    return slice(None) if num == 1 else _rows(own_rank(), num, batch_size)


def _rows(rank: int, num: int, batch_size: int) -> Tensor:
    share = batch_size // num
    if share % 2:
        return torch.arange(rank * share, (rank + 1) * share)
    first = torch.arange(rank * (share // 2), (rank + 1) * (share // 2))
    return torch.cat([first, first + batch_size // 2])


def gathered(x: Tensor) -> Tensor:
    """[P * B, ...] what all P processes have as [B, ...], process by process; with gradient."""
    num = num_processes()
    return x if num == 1 else _Gathered.apply(x, num)


def gathered_in_order(x: Tensor) -> Tensor:
    """The same in the order of the run's batch."""
    num = num_processes()
    if num == 1:
        return x
    order = torch.cat([_rows(rank, num, num * len(x)) for rank in range(num)]).argsort()
    return gathered(x)[order.to(x.device)]


def gathered_padded(x: Tensor) -> Tensor:
    """The same as `gathered` of [B, T, ...] where T may differ among processes: filled up with zeros."""
    if num_processes() == 1:
        return x
    longest = torch.tensor(x.shape[1], device=x.device)
    dist.all_reduce(longest, dist.ReduceOp.MAX)
    behind = (0, 0) * (x.dim() - 2)
    return gathered(F.pad(x, (*behind, 0, int(longest) - x.shape[1])))


def mean_over_processes(x: Tensor) -> Tensor:
    """The mean of the processes' values, of any shape; with gradient."""
    num = num_processes()
    return x if num == 1 else _Sum.apply(x) / num


class _Gathered(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, num: int) -> Tensor:
        parts = [torch.empty(x.shape, dtype=x.dtype, device=x.device) for _ in range(num)]
        dist.all_gather(parts, x.contiguous())
        return torch.cat(parts)

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
        total = gradient.clone(memory_format=torch.contiguous_format)
        dist.all_reduce(total)
        return total.chunk(num_processes())[own_rank()], None


class _Sum(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        return _summed(x)

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        return _summed(gradient)


def _summed(x: Tensor) -> Tensor:
    total = x.clone(memory_format=torch.contiguous_format)
    dist.all_reduce(total)
    return total
