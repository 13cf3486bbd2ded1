"""Minibatch discrimination (Salimans et al. 2016, arXiv:1606.03498, section 3.2)."""

import torch
from torch import Tensor, nn

from creativeai.models.layers.across_processes import gathered, own_rank

__all__ = ["MinibatchDiscrimination"]


class MinibatchDiscrimination(nn.Module):
    """How close each example is to the other examples of its batch, by which a collapse gives itself away.

    Each example's features f [A] become a matrix M = f T of B kernels x C numbers; for kernel b it gives
    the sum over all other examples j of exp(-|M_i,b - M_j,b|_1). In a group of processes the others are
    those of every process, which must have equally many.

    Within `reference_rows` the reference batch and the rest don't see each other.

    Args:
        num_features: A.
        num_kernels: B, the length of what it adds to the features.
        kernel_dim: C.
    """

    def __init__(self, num_features: int, num_kernels: int, kernel_dim: int = 5) -> None:
        super().__init__()
        self.num_features = num_features
        self.num_kernels = num_kernels
        self.kernel_dim = kernel_dim
        self.num_reference = 0
        self.weight = nn.Parameter(torch.empty(num_kernels * kernel_dim, num_features))
        # Distances begin near 1 for features of unit scale: where they are large, exp(-d) has no slope.
        nn.init.normal_(self.weight, std=1 / (kernel_dim * num_features**0.5))

    def forward(self, features: Tensor) -> Tensor:
        """Closeness [B, num_kernels] in float32 or finer of features [B, A]."""
        matrices = features.to(self.weight.dtype) @ self.weight.T
        matrices = matrices.to(torch.promote_types(matrices.dtype, torch.float32))
        matrices = matrices.unflatten(1, (self.num_kernels, self.kernel_dim))
        num = self.num_reference
        if not num:
            return _closeness(matrices)
        return torch.cat([_closeness(matrices[:num], across_processes=False), _closeness(matrices[num:])])

    def extra_repr(self) -> str:
        """What `print` shows of it."""
        return f"{self.num_features}, num_kernels={self.num_kernels}, kernel_dim={self.kernel_dim}"


def _closeness(matrices: Tensor, across_processes: bool = True) -> Tensor:
    """[B, K] of matrices [B, K, C]."""
    everyone, first = matrices, 0
    if across_processes:
        everyone, first = gathered(matrices), own_rank() * len(matrices)
    distances = (matrices[:, None] - everyone[None]).abs().sum(dim=3)  # [B, B of all processes, K]
    itself = torch.eye(len(everyone), dtype=torch.bool, device=matrices.device)[first : first + len(matrices)]
    return torch.exp(-distances).masked_fill(itself[:, :, None], 0).sum(dim=1)
