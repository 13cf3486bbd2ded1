"""The adversarial objective for one text-conditional discriminator, as all classic recipes share it.

A recipe calls both losses once for each of its discriminators, the discriminator's first.
"""

from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor

from creativeai.models.conditional_discriminator import ConditionalDiscriminator
from creativeai.recipes.contract import LossParts
from creativeai.recipes.pairs import PairWeights, judge_pairs, real_pairs, wrong_share
from creativeai.recipes.stabilisers.feature_matching import feature_matching_loss
from creativeai.recipes.stabilisers.gradient_penalty import gradient_norm, interpolate, norm_penalty
from creativeai.recipes.stabilisers.judge import Judge, exact
from creativeai.recipes.stabilisers.label_smoothing import smoothed_real_loss
from creativeai.recipes.stabilisers.losses import LOSSES
from creativeai.recipes.stabilisers.r1 import is_r1_step, r1_penalty
from creativeai.recipes.stabilisers.reference_batch import ReferencePairs
from creativeai.recipes.stabilisers.settings import Stabilisers

__all__ = ["discriminator_loss", "generator_loss"]


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
    pairs = [(fake_features, condition), *real_pairs(judge, real_features, condition, weights, labels)]
    fake_logits, real_logits, *wrong_logits = judge_pairs(judge, pairs, together=stabilisers.pairs_together)
    terms = {
        "real": (weights.real, real_loss(real_logits)),
        "fake": (weights.fake, loss.fake(fake_logits)),
    }
    for logits in wrong_logits:
        share = wrong_share(len(logits), len(condition), weights.wrong_by)
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
    labels: Tensor | None = None,
    reference: ReferencePairs | None = None,
) -> tuple[Tensor, LossParts]:
    """What one discriminator asks of the generator.

    Args:
        discriminator: The judge, whose weights need no gradient.
        real: [B, 3, R, R] real pictures, for feature matching and pairs judged together.
        fake: [B', 3, R, R] generated pictures with gradient; there may be more of them than of the real.
        condition: [B', K] of the captions they were asked for, of the real pictures' own first; a gradient
            may flow into it.
        weights: Weights of the terms.
        stabilisers: Which of its terms there are.
        labels: [B] classes of the real pictures, for wrong pairs by image.
        reference: What virtual batch normalisation needs.

    Returns:
        The loss, and its terms without their weights: "adversarial", "adversarial_unconditional",
        "feature_matching".
    """
    judge = _judge(discriminator, weights, stabilisers, reference)
    loss = LOSSES[stabilisers.loss]
    features = judge.features(stabilisers.augment(fake))
    pairs = [(features, condition)]
    if stabilisers.feature_matching or stabilisers.pairs_together:
        with torch.no_grad():
            real_features = judge.features(stabilisers.augment(real))
    if stabilisers.pairs_together:
        pairs += real_pairs(judge, real_features, condition[: len(real)].detach(), weights, labels)
    logits = judge_pairs(judge, pairs, together=stabilisers.pairs_together)[0]
    terms = {"adversarial": (weights.generator, loss.generator(logits))}
    if weights.unconditional_generator:
        term = loss.generator(judge.unconditional(features))
        terms["adversarial_unconditional"] = (weights.unconditional_generator, term)
    if stabilisers.feature_matching:
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
