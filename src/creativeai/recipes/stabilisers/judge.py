"""Asking a discriminator, with or without the reference batch of virtual batch normalisation."""

from dataclasses import dataclass
from typing import cast

import torch
from torch import Tensor, nn

from creativeai.models.conditional_discriminator import ConditionalDiscriminator
from creativeai.models.layers.virtual_batch_norm import reference_rows
from creativeai.recipes.stabilisers.reference_batch import ReferencePairs

__all__ = ["Judge", "exact"]


@dataclass(frozen=True)
class Judge:
    """A discriminator that sees the reference before every batch; features keep the reference's rows."""

    network: ConditionalDiscriminator
    reference: ReferencePairs | None
    """What virtual batch normalisation needs; None for a network without it."""
    uses_unconditional: bool
    """Whether its head for the picture alone is trained."""

    @property
    def num_reference(self) -> int:
        """N, 0 without a reference."""
        return 0 if self.reference is None else len(self.reference.images)

    def features(self, images: Tensor) -> Tensor:
        """[N + B, C, 4, 4] of pictures [B, 3, R, R]."""
        if self.reference is not None:
            images = torch.cat([self.reference.images, images])
        with reference_rows(cast(nn.Module, self.network), self.num_reference):
            return self.network.features(images)

    def conditional(self, features: Tensor, condition: Tensor) -> Tensor:
        """Logits [B], in single precision at least."""
        if self.reference is not None:
            condition = torch.cat([self.reference.condition.detach(), condition])
        with reference_rows(cast(nn.Module, self.network), self.num_reference):
            logits = self.network.conditional(features, condition)
        return exact(logits[self.num_reference :])

    def unconditional(self, features: Tensor) -> Tensor:
        """Logits [B], in single precision at least."""
        with reference_rows(cast(nn.Module, self.network), self.num_reference):
            logits = self.network.unconditional(features)
        return exact(logits[self.num_reference :])

    def heads(self, images: Tensor, condition: Tensor) -> list[Tensor]:
        """Logits [B] of every head that is trained, the conditional one first."""
        features = self.features(images)
        heads = [self.conditional(features, condition)]
        return [*heads, self.unconditional(features)] if self.uses_unconditional else heads


def exact(tensor: Tensor) -> Tensor:
    """The tensor in single precision at least."""
    return tensor.to(torch.promote_types(tensor.dtype, torch.float32))
