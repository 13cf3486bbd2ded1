"""The adversarial objective for one text-conditional discriminator, as all classic recipes share it.

A recipe calls both losses once for each of its discriminators, the discriminator's first.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Literal

import torch
from torch import Tensor

from creativeai.models.conditional_discriminator import ConditionalDiscriminator
from creativeai.models.layers.across_processes import gathered_in_order, num_processes, own_rows
from creativeai.recipes.contract import LossParts
from creativeai.recipes.stabilisers.feature_matching import feature_matching_loss
from creativeai.recipes.stabilisers.gradient_penalty import gradient_norm, interpolate, norm_penalty
from creativeai.recipes.stabilisers.judge import Judge, exact
from creativeai.recipes.stabilisers.label_smoothing import smoothed_real_loss
from creativeai.recipes.stabilisers.losses import LOSSES
from creativeai.recipes.stabilisers.r1 import is_r1_step, r1_penalty
from creativeai.recipes.stabilisers.reference_batch import ReferencePairs
from creativeai.recipes.stabilisers.settings import Stabilisers

__all__ = [
    "ATTNGAN",
    "GAN_CLS",
    "STACKGAN1",
    "STACKGAN2",
    "STACKGAN_V2",
    "STACKGAN_V2_BALANCED",
    "PairWeights",
    "discriminator_loss",
    "generator_loss",
]


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


def discriminator_loss(
    discriminator: ConditionalDiscriminator,
    real: Tensor,
    fake: Tensor,
    condition: Tensor,
    weights: PairWeights,
    stabilisers: Stabilisers,
    *,
    step: int,
    labels: Tensor | None = None,
    reference: ReferencePairs | None = None,
    penalise_condition: bool = False,
) -> tuple[Tensor, LossParts]:
    """The loss of a discriminator; no gradient reaches the generator.

    Args:
        discriminator: It is left in the mode it is in.
        real: [B, 3, R, R] real pictures, B at least 2.
        fake: [B, 3, R, R] generated pictures of the same captions.
        condition: [B, K] of these captions.
        weights: Weights of the pairs.
        stabilisers: Which of its terms there are.
        step: Steps taken before; R1 goes by it.
        labels: [B] classes of the real pictures, for wrong pairs by image.
        reference: What virtual batch normalisation needs.
        penalise_condition: Whether the gradient penalty is on the gradient by the condition too, as in
            WGAN-CLS.

    Returns:
        The loss, and its terms without their weights: "real", "fake", "wrong", each also with
        "_unconditional", "gradient_penalty", "condition_penalty" and "r1". The last is there in the steps
        that have it, times the interval.
    """
    judge = _judge(discriminator, weights, stabilisers, reference)
    real, fake = stabilisers.augment(real), stabilisers.augment(fake.detach())
    condition = condition.detach()
    loss = LOSSES[stabilisers.loss]
    real_loss: Callable[[Tensor], Tensor] = loss.real
    if stabilisers.label_smoothing:
        real_loss = partial(smoothed_real_loss, smoothing=stabilisers.label_smoothing)

    real_features, fake_features = judge.features(real), judge.features(fake)
    terms = {
        "real": (weights.real, real_loss(judge.conditional(real_features, condition))),
        "fake": (weights.fake, loss.fake(judge.conditional(fake_features, condition))),
    }
    if weights.wrong:
        logits = judge.conditional(*_wrong_pairs(judge, real_features, condition, weights.wrong_by, labels))
        share = _share(len(logits), len(condition), weights.wrong_by)
        terms["wrong"] = (weights.wrong, share * loss.fake(logits))
    if weights.unconditional_real:
        terms["real_unconditional"] = (
            weights.unconditional_real,
            real_loss(judge.unconditional(real_features)),
        )
    if weights.unconditional_wrong:
        # The pictures of wrong pairs are those of the batch in another order.
        terms["wrong_unconditional"] = (
            weights.unconditional_wrong,
            real_loss(judge.unconditional(real_features)),
        )
    if weights.unconditional_fake:
        term = loss.fake(judge.unconditional(fake_features))
        terms["fake_unconditional"] = (weights.unconditional_fake, term)
    # Second derivatives of half precision numbers are no use.
    with torch.autocast(real.device.type, enabled=False):
        if stabilisers.gradient_penalty:
            terms |= _gradient_penalty(judge, real, fake, condition, stabilisers, penalise_condition)
        if stabilisers.r1 and is_r1_step(step, stabilisers.r1_interval):
            terms["r1"] = (1.0, _r1(judge, real, condition, stabilisers))
    return _weighted(terms)


def generator_loss(
    discriminator: ConditionalDiscriminator,
    real: Tensor,
    fake: Tensor,
    condition: Tensor,
    weights: PairWeights,
    stabilisers: Stabilisers,
    *,
    reference: ReferencePairs | None = None,
) -> tuple[Tensor, LossParts]:
    """What one discriminator asks of the generator.

    Args:
        discriminator: The judge, whose weights need no gradient.
        real: [B, 3, R, R] real pictures, for feature matching.
        fake: [B', 3, R, R] generated pictures with gradient; there may be more of them than of the real.
        condition: [B', K] of the captions they were asked for; a gradient may flow into it.
        weights: Weights of the terms.
        stabilisers: Which of its terms there are.
        reference: What virtual batch normalisation needs.

    Returns:
        The loss, and its terms without their weights: "adversarial", "adversarial_unconditional",
        "feature_matching".
    """
    judge = _judge(discriminator, weights, stabilisers, reference)
    loss = LOSSES[stabilisers.loss]
    features = judge.features(stabilisers.augment(fake))
    terms = {"adversarial": (weights.generator, loss.generator(judge.conditional(features, condition)))}
    if weights.unconditional_generator:
        term = loss.generator(judge.unconditional(features))
        terms["adversarial_unconditional"] = (weights.unconditional_generator, term)
    if stabilisers.feature_matching:
        with torch.no_grad():
            real_features = judge.features(stabilisers.augment(real))
        term = feature_matching_loss(
            exact(real_features[judge.num_reference :]), exact(features[judge.num_reference :])
        )
        terms["feature_matching"] = (stabilisers.feature_matching, term)
    return _weighted(terms)


def _judge(
    network: ConditionalDiscriminator,
    weights: PairWeights,
    stabilisers: Stabilisers,
    reference: ReferencePairs | None,
) -> Judge:
    if weights.uses_unconditional and not network.has_unconditional:
        raise ValueError("the weights ask for a judgement of the picture alone: build it with that head")
    if (stabilisers.discriminator_norm == "virtual") != (reference is not None):
        raise ValueError(
            f"discriminator_norm={stabilisers.discriminator_norm} goes "
            f"{'without' if reference is not None else 'only with'} a reference batch"
        )
    return Judge(network, reference, weights.uses_unconditional)


def _wrong_pairs(
    judge: Judge, features: Tensor, condition: Tensor, wrong_by: str, labels: Tensor | None
) -> tuple[Tensor, Tensor]:
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


def _share(num_pairs: int, batch_size: int, wrong_by: str) -> float:
    """What a process's mean over its wrong pairs counts beside those of the others.

    By caption there is one fewer in the process that has the batch's last row.
    """
    total = batch_size * num_processes() - (wrong_by == "caption")
    return num_pairs * num_processes() / total


def _gradient_penalty(
    judge: Judge,
    real: Tensor,
    fake: Tensor,
    condition: Tensor,
    stabilisers: Stabilisers,
    penalise_condition: bool,
) -> dict[str, tuple[float, Tensor]]:
    """Of the pictures the discriminator sees: the mean over its heads."""
    points = interpolate(exact(real), exact(fake)).requires_grad_()
    condition = exact(condition).detach().requires_grad_(penalise_condition)
    heads = judge.heads(points, condition)
    one_sided = stabilisers.gradient_penalty_one_sided
    penalties = {
        "gradient_penalty": torch.stack(
            [norm_penalty(gradient_norm(head, points), one_sided=one_sided) for head in heads]
        ).mean()
    }
    if penalise_condition:
        norms = gradient_norm(heads[0], condition)
        penalties["condition_penalty"] = norm_penalty(norms, one_sided=one_sided)
    return {name: (stabilisers.gradient_penalty, penalty) for name, penalty in penalties.items()}


def _r1(judge: Judge, real: Tensor, condition: Tensor, stabilisers: Stabilisers) -> Tensor:
    """Of the real pictures the discriminator sees: the mean over its heads."""
    seen = exact(real).detach().requires_grad_()
    penalties = [
        r1_penalty(head, seen, gamma=stabilisers.r1, interval=stabilisers.r1_interval)
        for head in judge.heads(seen, exact(condition))
    ]
    return torch.stack(penalties).mean()


def _weighted(terms: dict[str, tuple[float, Tensor]]) -> tuple[Tensor, LossParts]:
    loss = torch.stack([weight * term for weight, term in terms.values()]).sum()
    return loss, {name: term for name, (_, term) in terms.items()}
