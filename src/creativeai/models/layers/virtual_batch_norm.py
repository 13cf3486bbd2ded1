"""Virtual batch normalisation (Salimans et al. 2016, arXiv:1606.03498, section 3.4)."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn

__all__ = ["VirtualBatchNorm", "reference_rows"]


@contextmanager
def reference_rows(network: nn.Module, num_reference: int) -> Iterator[None]:
    """Within it, the first `num_reference` examples of every batch are the reference batch.

    Every module of the network that has an attribute `num_reference` is told, and told 0 afterwards.
    """
    modules = [module for module in network.modules() if hasattr(module, "num_reference")]
    for module in modules:
        module.num_reference = num_reference  # type: ignore[assignment]
    try:
        yield
    finally:
        for module in modules:
            module.num_reference = 0  # type: ignore[assignment]


class VirtualBatchNorm(nn.Module):
    """Normalises each example by a fixed reference batch and by itself, never by its companions.

    In training the batch begins with the reference, as `reference_rows` says. The n examples of the reference
    are normalised by their own mean and variance over (batch, H, W); any other by those of the reference and
    itself together, with weights n / (n + 1) and 1 / (n + 1), its own being taken over (H, W). The
    reference's statistics are kept, so that no reference is needed in evaluation.

    Args:
        num_features: Channels C of what it takes: [B, C] or [B, C, H, W].
        eps: Added to the variance.
    """

    reference_mean: Tensor
    reference_variance: Tensor
    reference_size: Tensor

    def __init__(self, num_features: int, eps: float = 1e-5) -> None:
        super().__init__()
        self.num_features = num_features
        self.eps = eps
        self.num_reference = 0
        self.weight = nn.Parameter(torch.ones(num_features))
        self.bias = nn.Parameter(torch.zeros(num_features))
        # Before the first training pass: one standard normal example.
        self.register_buffer("reference_mean", torch.zeros(num_features))
        self.register_buffer("reference_variance", torch.ones(num_features))
        self.register_buffer("reference_size", torch.ones(()))

    def forward(self, x: Tensor) -> Tensor:
        """The normalised batch, of the same shape and type; the reference's rows come out with the others.

        Raises:
            RuntimeError: In training, there is no reference batch.
        """
        # Statistics of half precision numbers are no use.
        exact = x.to(torch.promote_types(x.dtype, torch.float32))
        places = tuple(range(2, x.dim()))
        mean = exact.mean(places, keepdim=True) if places else exact
        variance = _variance(exact, mean, places) if places else torch.zeros_like(exact)
        shape = (1, self.num_features, *(1 for _ in places))
        if not self.training:
            kept = self.reference_mean.view(shape), self.reference_variance.view(shape)
            mean, variance = _joined(*kept, self.reference_size, mean, variance)
        else:
            num = self.num_reference
            if not 0 < num <= len(x):
                raise RuntimeError(
                    f"virtual batch normalisation of a batch of {len(x)} that begins with a reference of "
                    f"{num}: train the network within reference_rows(network, num_reference)"
                )
            reference_mean = exact[:num].mean((0, *places), keepdim=True)
            reference_variance = _variance(exact[:num], reference_mean, (0, *places))
            self._keep(reference_mean, reference_variance, num)
            others = _joined(reference_mean, reference_variance, num, mean[num:], variance[num:])
            ours = (reference_mean, reference_variance)
            mean, variance = (
                torch.cat([own.expand(num, *own.shape[1:]), other])
                for own, other in zip(ours, others, strict=True)
            )
        normal = (exact - mean) * torch.rsqrt(variance + self.eps)
        return (normal * self.weight.view(shape) + self.bias.view(shape)).to(x.dtype)

    @torch.no_grad()
    def _keep(self, mean: Tensor, variance: Tensor, num: int) -> None:
        self.reference_mean.copy_(mean.flatten())
        self.reference_variance.copy_(variance.flatten())
        self.reference_size.fill_(num)

    def extra_repr(self) -> str:
        """What `print` shows of it."""
        return f"{self.num_features}, eps={self.eps}"


def _variance(x: Tensor, mean: Tensor, dims: tuple[int, ...]) -> Tensor:
    return (x - mean).square().mean(dims, keepdim=True)


def _joined(
    reference_mean: Tensor, reference_variance: Tensor, num: Tensor | int, mean: Tensor, variance: Tensor
) -> tuple[Tensor, Tensor]:
    """Mean and variance of the reference and one example together.

    The same as mean(x^2) - mean(x)^2 of the weighted moments, but exact where the mean is large.
    """
    share = 1 / (num + 1)
    distance = (mean - reference_mean).square()
    return (
        (1 - share) * reference_mean + share * mean,
        (1 - share) * reference_variance + share * variance + share * (1 - share) * distance,
    )
