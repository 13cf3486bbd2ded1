"""Batch normalisation by the statistics of all processes' batches, as PyTorch has it for GPUs alone."""

from typing import Any

import torch
import torch.distributed as dist
import torch.nn.functional as F
from torch import Tensor, nn

from creativeai.models.layers.across_processes import num_processes

__all__ = ["SyncedBatchNorm", "sync_batch_norms"]


def sync_batch_norms(network: nn.Module) -> None:
    """Have every batch normalisation within the network see the batches of all processes.

    Weights, buffers and their names stay what they are. Alone nothing is changed.
    """
    if num_processes() == 1:
        return
    for module in list(network.modules()):
        for name, child in list(module.named_children()):
            if isinstance(child, nn.BatchNorm1d | nn.BatchNorm2d):
                setattr(module, name, SyncedBatchNorm(child))


class SyncedBatchNorm(nn.Module):
    """Takes the place of a batch normalisation, whose weights and buffers it shares.

    Processes may have different numbers of examples. It can't be differentiated twice in training.

    Args:
        norm: With weights and running statistics, of some momentum.
    """

    running_mean: Tensor
    running_var: Tensor
    num_batches_tracked: Tensor

    def __init__(self, norm: nn.BatchNorm1d | nn.BatchNorm2d) -> None:
        super().__init__()
        assert norm.affine and norm.track_running_stats and norm.momentum is not None
        self.eps, self.momentum = norm.eps, norm.momentum
        self.weight, self.bias = norm.weight, norm.bias
        for name, buffer in norm.named_buffers():
            self.register_buffer(name, buffer)
        self.train(norm.training)

    @torch.compiler.disable  # collectives within a compiled graph would not keep their order among processes
    def forward(self, x: Tensor) -> Tensor:
        """The normalised batch, of the same shape and type as x [B, C] or [B, C, H, W]."""
        if not self.training:
            kept = (self.running_mean, self.running_var, self.weight, self.bias)
            return F.batch_norm(x, *kept, training=False, eps=self.eps)
        mean, variance, count = _statistics_of_all(x.detach())
        self.num_batches_tracked += 1
        self.running_mean.lerp_(mean, self.momentum)
        self.running_var.lerp_(variance * (count / (count - 1)), self.momentum)
        return _Normalise.apply(x, self.weight, self.bias, mean, variance, count, self.eps)

    def extra_repr(self) -> str:
        """What `print` shows of it."""
        return f"{len(self.weight)}, eps={self.eps}, momentum={self.momentum}"


def _statistics_of_all(x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Mean and variance [C] over all processes' batches and places, and of how many numbers each is."""
    places = (0, *range(2, x.dim()))
    variance, mean = torch.var_mean(_exact(x), places, correction=0)
    own = torch.cat([mean, variance, mean.new_tensor([x.numel() / x.shape[1]])])
    parts = [torch.empty_like(own) for _ in range(num_processes())]
    dist.all_gather(parts, own)
    everyone = torch.stack(parts)  # [P, 2 C + 1]
    means, variances, counts = everyone.split([len(mean), len(mean), 1], dim=1)
    count = counts.sum()
    share = counts / count
    mean = (share * means).sum(0)
    return mean, (share * (variances + (means - mean).square())).sum(0), count


def _exact(x: Tensor) -> Tensor:
    return x.to(torch.promote_types(x.dtype, torch.float32))


class _Normalise(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any,
        x: Tensor,
        weight: Tensor,
        bias: Tensor,
        mean: Tensor,
        variance: Tensor,
        count: Tensor,
        eps: float,
    ) -> Tensor:
        ctx.save_for_backward(x, weight, mean, variance, count)
        ctx.eps = eps
        return F.batch_norm(x, mean, variance, weight, bias, training=False, eps=eps)

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        x, weight, mean, variance, count = ctx.saved_tensors
        shape = (1, -1, *(1 for _ in x.shape[2:]))
        inverse = torch.rsqrt(variance + ctx.eps)
        normal = (_exact(x) - mean.view(shape)) * inverse.view(shape)
        given = _exact(gradient)
        places = (0, *range(2, x.dim()))
        own = torch.stack([given.sum(places), (given * normal).sum(places)])
        everyone = own.clone()
        dist.all_reduce(everyone)
        through_mean, through_variance = (everyone / count).unbind()
        by_x = given - through_mean.view(shape) - normal * through_variance.view(shape)
        by_x = (by_x * (weight * inverse).view(shape)).to(x.dtype)
        return by_x, own[1], own[0], None, None, None, None
