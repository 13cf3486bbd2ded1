"""How WGAN-CLS learns (C. Bodnar 2018, arXiv:1805.00676): realism weighed against the caption."""

from dataclasses import dataclass, field, replace

import torch
from torch import Tensor, nn

from creativeai.models.layers.across_processes import mean_over_processes
from creativeai.models.wgan_cls import WganClsCritic, WganClsGenerator
from creativeai.recipes.conditional_gan import ConditionalGan, Objective, check_config, minibatch_layer
from creativeai.recipes.contract import BuildContext, LossParts, RecipeEntry
from creativeai.recipes.learning import Learning
from creativeai.recipes.pairs import PairWeights
from creativeai.recipes.stabilisers.settings import FEW_PICTURES, Stabilisers
from creativeai.text.augmentation import PLAIN, TextAugmentation

__all__ = ["PRESETS", "RECIPE", "LearnedBalance", "WganClsConfig", "build"]

_CRITIC = Stabilisers(
    loss="wasserstein",
    gradient_penalty=150.0,
    gradient_penalty_one_sided=True,
    discriminator_norm="none",
)


@dataclass(frozen=True, kw_only=True)
class WganClsConfig:
    """Every constant of the recipe."""

    resolution: int = 64
    """Side of the pictures in pixels; the networks are made for 64."""
    z_dim: int = 128
    """Length of the noise proper."""
    condition_dim: int = 128
    """Length of the augmented condition, and to which the critic brings the sentence vector."""
    generator_width: int = 128
    """Channels of the generator's map of side 32; 8 times as many at side 4."""
    critic_width: int = 128
    """The same of the critic."""
    kl_weight: float = 1.0
    """Weight of the conditioning augmentation's divergence."""
    balance: float = 0.7
    """First weight of the caption against the realism, which is learned from there."""
    balance_lr: float = 1e-3
    """Learning rate of that weight; 0 keeps it."""
    learning: Learning = field(
        default_factory=lambda: Learning(
            batch_size=8,
            generator_lr=1e-4,
            discriminator_lr=1e-4,
            adam_betas=(0.0, 0.9),
            lr_decay=0.95,
            lr_decay_steps=10_000,
            ema_half_life=1,
        )
    )
    """Batches, learning rates and averaging."""
    stabilisers: Stabilisers = field(default_factory=lambda: _CRITIC)
    """What the training is steadied by."""
    text_augmentation: TextAugmentation = PLAIN
    """How captions are mixed and worded."""

    def __post_init__(self) -> None:
        if self.resolution != 64:
            raise ValueError(f"resolution={self.resolution} must be 64: WGAN-CLS has no other")
        if self.balance_lr and self.stabilisers.loss != "wasserstein":
            raise ValueError(
                f"balance_lr={self.balance_lr} learns from Wasserstein distances, which "
                f"stabilisers.loss={self.stabilisers.loss} does not give: set balance_lr=0"
            )
        check_config(self, may_be_zero=("kl_weight", "balance", "balance_lr"))


PRESETS = {
    "paper": WganClsConfig(),
    "compact": WganClsConfig(
        z_dim=100,
        condition_dim=64,
        generator_width=32,
        critic_width=48,
        kl_weight=0.1,
        # A critic that follows at once makes up for there being one step of it for each of the generator's.
        text_augmentation=TextAugmentation(),
        learning=Learning(batch_size=16, generator_lr=2e-4, discriminator_lr=5e-4, adam_betas=(0.0, 0.9)),
        stabilisers=replace(_CRITIC, gradient_penalty=10.0, mode_seeking=0.3, augment=FEW_PICTURES),
    ),
    "debug": WganClsConfig(
        z_dim=8,
        condition_dim=8,
        generator_width=4,
        critic_width=4,
        learning=Learning(batch_size=4, ema_half_life=16),
    ),
}
"""`paper` has the published constants, `compact` trains on two CPU cores in hours, `debug` is for tests."""


class LearnedBalance(nn.Module):
    """k_t, the weight of the caption against the realism: keeps both Wasserstein distances about equal.

    Args:
        start: Its first value.
        learning_rate: Of the plain gradient descent on (k_t * wrong distance - fake distance)^2; a step
            goes no further than to its minimum, and never below 0.
    """

    value: Tensor
    """[] the present weight."""

    def __init__(self, start: float, learning_rate: float) -> None:
        super().__init__()
        self.learning_rate = learning_rate
        self.register_buffer("value", torch.tensor(start))

    def weights(self) -> PairWeights:
        """-(E D(x, c) - E D(G, c)) - k_t (E D(x, c) - E D(x_wrong, c)) as weights of three terms."""
        balance = float(self.value)
        # Wrong pairs of no weight at all would not be judged, and there would be nothing to learn from.
        return PairWeights(real=1 + balance, fake=1, wrong=max(balance, 1e-12), wrong_by="image")

    @torch.no_grad()
    def learn(self, parts: LossParts) -> LossParts:
        """Move by the critic's terms of a step."""
        terms = torch.stack([parts[name] for name in ("real", "fake", "wrong")])
        real, fake, wrong = mean_over_processes(terms)
        fake_distance, wrong_distance = -real - fake, -real - wrong  # the terms are losses: -E D(x, c)
        gradient = 2 * (self.value * wrong_distance - fake_distance) * wrong_distance
        # Plain descent overshoots where the wrong distance is large, and then further at every step.
        rate = (0.5 / wrong_distance.square()).clamp(max=self.learning_rate)
        self.value.sub_(rate * gradient).clamp_(min=0)
        return {"balance": self.value.clone()}


def build(config: WganClsConfig, context: BuildContext) -> ConditionalGan:
    """The recipe with its networks."""
    own = config.stabilisers
    generator = WganClsGenerator(
        config.z_dim, context.text_dim, config.condition_dim, config.generator_width, own.generator_norm
    )
    critic = WganClsCritic(
        context.text_dim,
        config.condition_dim,
        config.critic_width,
        own.discriminator_norm,
        minibatch_layer(own, config.critic_width),
    )
    balance = LearnedBalance(config.balance, config.balance_lr)
    objective = Objective(
        weigh=balance.weights,
        learn=balance.learn,
        condition="sentence",
        kl_weight=config.kl_weight,
        penalise_condition=True,
    )
    return ConditionalGan(
        config, config.learning, own, generator, [critic], objective, context.num_pictures, balance
    )


RECIPE = RecipeEntry("wgan_cls", "WGAN-CLS", PRESETS, build)
