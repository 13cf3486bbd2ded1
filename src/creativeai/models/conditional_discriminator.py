"""What every discriminator of the classic family offers to the losses."""

from typing import Protocol

from torch import Tensor

__all__ = ["ConditionalDiscriminator"]


class ConditionalDiscriminator(Protocol):
    """Features of pictures, and logits of them alone and together with a condition.

    The two steps are apart so that real pictures with mismatched captions, and the unconditional logit, reuse
    the features. Multi-stage models have one discriminator for each resolution.
    """

    condition_dim: int
    """Length of the condition: what the paper feeds, the sentence vector or the augmentation's mean."""
    has_unconditional: bool
    """Whether there is an unconditional logit."""

    def features(self, images: Tensor) -> Tensor:
        """Feature maps [B, C, 4, 4] of pictures [B, 3, R, R]."""
        ...

    def conditional(self, features: Tensor, condition: Tensor) -> Tensor:
        """Logits [B], without a sigmoid, of features with conditions [B, K]."""
        ...

    def unconditional(self, features: Tensor) -> Tensor:
        """Logits [B], without a sigmoid, of features alone; only where `has_unconditional`."""
        ...
