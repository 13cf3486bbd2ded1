"""Feature matching (Salimans et al. 2016, arXiv:1606.03498, section 3.1)."""

from torch import Tensor

from creativeai.models.layers.across_processes import mean_over_processes

__all__ = ["feature_matching_loss"]


def feature_matching_loss(real: Tensor, fake: Tensor) -> Tensor:
    """|E f(real) - E f(fake)|^2 of features [B, ...] and [B', ...].

    The means are over the batch of all processes and come first: nothing ties one generated picture to one
    real one.
    """
    return mean_over_processes(real.mean(dim=0) - fake.mean(dim=0)).square().sum()
