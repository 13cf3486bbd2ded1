"""The training step as one would write it from the papers: what our step is measured against."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import cast

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.optim import Adam

from creativeai.models import efficientnet_lite, projected_gan
from creativeai.models.conditional_discriminator import ConditionalDiscriminator
from creativeai.models.layers.upsampling_conv import UpsamplingConv2d
from creativeai.recipes.conditional_gan import ConditionalGan
from creativeai.recipes.pairs import PairWeights
from creativeai.training.gan_task import GanTask

__all__ = [
    "can_be_written_out",
    "plain_convolutions",
    "written_out_discriminator_loss",
    "written_out_step",
]


@contextmanager
def plain_convolutions() -> Iterator[None]:
    """Ordinary PyTorch operations in place of our rewritten ones."""

    def flipped_upsampling(x: Tensor, weight: Tensor) -> Tensor:
        return upsampling(x, weight.flip(2, 3).transpose(0, 1))

    def upsampling(x: Tensor, weight: Tensor) -> Tensor:
        return F.conv2d(F.interpolate(x, scale_factor=2.0, mode="nearest"), weight, padding=1)

    def depthwise(x: Tensor, weight: Tensor, bias: Tensor, pads: tuple[int, ...]) -> Tensor:
        return F.conv2d(F.pad(x, pads), weight, bias, 2, 0, 1, weight.shape[0])

    class Plain:
        apply = staticmethod(depthwise)

    ours = projected_gan.upsampling_conv, efficientnet_lite._StridedDepthwise, UpsamplingConv2d.forward
    projected_gan.upsampling_conv = flipped_upsampling
    efficientnet_lite._StridedDepthwise = Plain  # type: ignore[assignment, misc]
    UpsamplingConv2d.forward = lambda self, x: upsampling(x, self.weight)  # type: ignore[method-assign]
    try:
        yield
    finally:
        projected_gan.upsampling_conv, efficientnet_lite._StridedDepthwise, forward = ours  # type: ignore[misc]
        UpsamplingConv2d.forward = forward  # type: ignore[method-assign]


def can_be_written_out(recipe: ConditionalGan) -> bool:
    """Whether `written_out_step` knows all of the recipe's discriminator loss."""
    own = recipe.stabilisers
    return own.loss == "standard" and not (own.gradient_penalty or own.r1 or own.uses_reference)


def written_out_step(task: GanTask) -> Callable[[], None]:
    """A step of a classic recipe with its passes as in the authors' code.

    The discriminators learn one after another, each with an optimiser of its own; StackGAN-v2's take the
    pictures of wrong pairs through all their layers; and the generator's step computes the gradients of the
    discriminators' weights, which nobody uses.
    """
    recipe, learning = task.recipe, task.recipe.config.learning
    assert isinstance(recipe, ConditionalGan)
    stages = recipe.discriminator.stages
    judges = cast(list[ConditionalDiscriminator], list(stages))
    rate, betas = learning.discriminator_lr, learning.adam_betas
    optimizers = [Adam(stage.parameters(), rate, betas) for stage in stages]
    generator_optimizer = task.state.optimizers["generator"]

    def step() -> None:
        batch = task.feed.batch(task.state.step, task.precision.device)
        recipe.generator.train()
        recipe.discriminator.train()
        passed = recipe.generate(recipe.generator, batch)
        size = len(batch.images)
        fakes = passed.output.images[-len(judges) :]
        for judge, optimizer, real, fake in zip(judges, optimizers, passed.reals, fakes, strict=True):
            loss = written_out_discriminator_loss(
                judge, real, fake[:size], passed.condition[:size], recipe.objective.weigh()
            )
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            optimizer.step()
        loss, _ = recipe.generator_loss(batch, passed)
        generator_optimizer.zero_grad(set_to_none=True)
        loss.backward()
        generator_optimizer.step()
        task.state.step += 1
        task.ema.update(recipe.generator, size, task.state.step * size)

    return step


def written_out_discriminator_loss(
    judge: ConditionalDiscriminator, real: Tensor, fake: Tensor, condition: Tensor, weights: PairWeights
) -> Tensor:
    """`creativeai.recipes.adversarial.discriminator_loss` without stabilisers, in the authors' passes.

    Args:
        judge: One discriminator.
        real: [B, 3, R, R], no two of one class.
        fake: [B, 3, R, R].
        condition: [B, K].
        weights: Weights of the pairs.
    """
    condition = condition.detach()
    real_features, fake_features = judge.features(real), judge.features(fake.detach())
    if weights.wrong_by == "image":
        wrong_features, wrong_condition = judge.features(real.roll(-1, 0)), condition
    else:
        wrong_features, wrong_condition = real_features[:-1], condition[1:]

    def is_real(logits: Tensor) -> Tensor:
        return F.binary_cross_entropy_with_logits(logits, torch.ones_like(logits))

    def is_fake(logits: Tensor) -> Tensor:
        return F.binary_cross_entropy_with_logits(logits, torch.zeros_like(logits))

    loss = weights.real * is_real(judge.conditional(real_features, condition))
    loss = loss + weights.fake * is_fake(judge.conditional(fake_features, condition))
    loss = loss + weights.wrong * is_fake(judge.conditional(wrong_features, wrong_condition))
    if weights.uses_unconditional:
        loss = loss + weights.unconditional_real * is_real(judge.unconditional(real_features))
        loss = loss + weights.unconditional_fake * is_fake(judge.unconditional(fake_features))
    if weights.unconditional_wrong:
        loss = loss + weights.unconditional_wrong * is_real(judge.unconditional(wrong_features))
    return loss
