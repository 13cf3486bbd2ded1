"""Pairs of picture and condition: what each kind weighs, which are wrong, and how they are judged."""

from dataclasses import dataclass, replace
from typing import Literal

import torch
from torch import Tensor

from creativeai.models.layers.across_processes import gathered_in_order, num_processes, own_rows
from creativeai.recipes.stabilisers.judge import Judge

__all__ = [
    "ATTNGAN",
    "GAN_CLS",
    "STACKGAN1",
    "STACKGAN2",
    "STACKGAN_V2",
    "STACKGAN_V2_BALANCED",
    "PairWeights",
    "Pairs",
    "judge_pairs",
    "real_pairs",
    "wrong_share",
]

Pairs = tuple[Tensor, Tensor]
"""Features [N + B, C, 4, 4], after the reference's, with conditions [B, K]."""


@dataclass(frozen=True, kw_only=True)
class PairWeights:
    """Weights of the terms of both losses: of pairs of picture and caption, and of the picture alone."""

    real: float
    """Real pictures with their captions."""
    fake: float
    """Generated pictures with the captions they were asked for."""
    wrong: float
    """Real pictures with captions of others."""
    unconditional_real: float = 0.0
    """Real pictures alone."""
    unconditional_fake: float = 0.0
    """Generated pictures alone."""
    unconditional_wrong: float = 0.0
    """The real pictures of wrong pairs alone, which count as real."""
    generator: float = 1.0
    """The generator's term of its pictures with their captions."""
    unconditional_generator: float = 0.0
    """The generator's term of its pictures alone."""
    wrong_by: Literal["caption", "image"] = "caption"
    """What makes a pair wrong: the caption is that of the next picture (the last picture has none, so there
    are B - 1 of them), or for each caption the picture is the next of the batch (of another class, where
    classes are known)."""

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            if name != "wrong_by" and not value >= 0:
                raise ValueError(f"{name}={value} must be 0 or more")

    @property
    def uses_unconditional(self) -> bool:
        """Whether a discriminator needs a head for the picture alone."""
        return (
            self.unconditional_real + self.unconditional_fake + self.unconditional_wrong > 0
            or self.unconditional_generator > 0
        )

    def scaled_unconditional(self, factor: float) -> "PairWeights":
        """The same with every weight of the picture alone times `factor`."""
        scaled = {
            name: factor * value for name, value in vars(self).items() if name.startswith("unconditional_")
        }
        return replace(self, **scaled)


GAN_CLS = PairWeights(real=1, fake=0.5, wrong=0.5, wrong_by="image")
"""Also of StackGAN I and II in their first (TensorFlow) form."""
STACKGAN1 = PairWeights(real=1, fake=0.5, wrong=0.5)
"""Also of AttnDCGAN."""
STACKGAN2 = PairWeights(
    real=1 / 2,
    fake=1 / 3,
    wrong=1 / 3,
    unconditional_real=1 / 2,
    unconditional_fake=1 / 3,
    unconditional_generator=1,
)
STACKGAN_V2 = PairWeights(
    real=1,
    fake=1,
    wrong=1,
    unconditional_real=1,
    unconditional_fake=1,
    unconditional_wrong=1,
    unconditional_generator=1,
    wrong_by="image",
)
STACKGAN_V2_BALANCED = PairWeights(
    real=1,
    fake=1 / 2,
    wrong=1 / 2,
    unconditional_real=1,
    unconditional_fake=1,
    unconditional_generator=1,
    wrong_by="image",
)
"""Of no paper: what is right weighs as much as what is not, with a caption and alone."""
ATTNGAN = STACKGAN2


def judge_pairs(judge: Judge, pairs: list[Pairs], *, together: bool) -> list[Tensor]:
    """Logits [B] of each kind of pairs.

    Judged apart, as the papers' code does it, batch normalisation gives away which kind a batch is of:
    pictures and captions vary together only where they belong together.
    """
    if not together:
        return [judge.conditional(*kind) for kind in pairs]
    features, conditions = zip(*pairs, strict=True)
    logits = judge.conditional(torch.cat(features), torch.cat(conditions))
    return list(logits.split([len(condition) for condition in conditions]))


def real_pairs(
    judge: Judge, features: Tensor, condition: Tensor, weights: PairWeights, labels: Tensor | None
) -> list[Pairs]:
    """The right pairs, and the wrong ones if they have a weight."""
    right = (features, condition)
    if not weights.wrong:
        return [right]
    return [right, _wrong_pairs(judge, features, condition, weights.wrong_by, labels)]


def _wrong_pairs(
    judge: Judge, features: Tensor, condition: Tensor, wrong_by: str, labels: Tensor | None
) -> Pairs:
    """Features of real pictures, after the reference's, and conditions that don't belong to them.

    The next one is that of the batch of all processes.
    """
    num, total = judge.num_reference, len(condition) * num_processes()
    if total < 2:
        raise ValueError("a batch of 1 has no wrong pair")
    own = torch.arange(total)[own_rows(total)].to(features.device)
    if wrong_by == "caption":
        following = own[own < total - 1] + 1
        return features[: num + len(following)], gathered_in_order(condition)[following]
    others = torch.arange(1, total, device=features.device)
    order = (own[:, None] + others) % total  # the others, the next first
    chosen = order[:, 0]
    if labels is not None:
        # The first of another class; argmax of no difference at all is 0, the next.
        first = (gathered_in_order(labels)[order] != labels[:, None]).int().argmax(dim=1)
        chosen = order.gather(1, first[:, None])[:, 0]
    return torch.cat([features[:num], gathered_in_order(features[num:])[chosen]]), condition


def wrong_share(num_pairs: int, batch_size: int, wrong_by: str) -> float:
    """What a process's mean over its wrong pairs counts beside those of the others.

    By caption there is one fewer in the process that has the batch's last row.
    """
    total = batch_size * num_processes() - (wrong_by == "caption")
    return num_pairs * num_processes() / total
