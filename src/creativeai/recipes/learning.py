"""How fast and on how many pictures networks learn: what every adversarial recipe has."""

from dataclasses import dataclass

from torch import nn
from torch.optim import Adam, Optimizer

__all__ = ["Learning", "adam_optimizers", "learning_rate_factor"]


@dataclass(frozen=True, kw_only=True)
class Learning:
    """Batches, learning rates and averaging."""

    batch_size: int
    """Pictures a step."""
    generator_lr: float = 2e-4
    """Adam's learning rate of the generator."""
    discriminator_lr: float = 2e-4
    """Adam's learning rate of the discriminators."""
    adam_betas: tuple[float, float] = (0.5, 0.999)
    """Adam's decay rates."""
    lr_decay: float = 1.0
    """What both rates are multiplied by at every decay; 1 keeps them."""
    lr_decay_epochs: int = 100
    """Epochs from one decay to the next."""
    lr_decay_steps: int = 0
    """Steps from one decay to the next; 0 goes by the epochs."""
    ema_half_life: int = 10_000
    """Pictures after which an old weight counts half in the generator's moving average; 1 keeps none."""

    def __post_init__(self) -> None:
        if self.batch_size < 2:
            raise ValueError(
                f"batch_size={self.batch_size} must be at least 2: a mismatched caption is another picture's,"
                " and batch normalisation, minibatch discrimination and feature matching compare pictures"
            )
        for name in ("generator_lr", "discriminator_lr", "lr_decay_epochs", "ema_half_life"):
            if getattr(self, name) <= 0:
                raise ValueError(f"{name}={getattr(self, name)} must be above zero")
        if self.lr_decay_steps < 0:
            raise ValueError(f"lr_decay_steps={self.lr_decay_steps} must be 0 (by epochs) or more")
        if not all(0 <= beta < 1 for beta in self.adam_betas):
            raise ValueError(f"adam_betas={self.adam_betas} must be from 0 to below 1")
        if not 0 < self.lr_decay <= 1:
            raise ValueError(f"lr_decay={self.lr_decay} must be above 0 and at most 1")


def adam_optimizers(
    learning: Learning, generator: nn.Module, discriminator: nn.Module
) -> dict[str, Optimizer]:
    """Adam for the trainable weights of either network, by the network's name."""

    def adam(network: nn.Module, rate: float) -> Optimizer:
        weights = [weight for weight in network.parameters() if weight.requires_grad]
        return Adam(weights, rate, learning.adam_betas, fused=True)

    return {
        "generator": adam(generator, learning.generator_lr),
        "discriminator": adam(discriminator, learning.discriminator_lr),
    }


def learning_rate_factor(learning: Learning, num_seen: int, num_pictures: int) -> float:
    """What the rates are multiplied by after `num_seen` pictures of a dataset of `num_pictures`."""
    interval = learning.lr_decay_epochs * num_pictures
    if learning.lr_decay_steps:
        interval = learning.lr_decay_steps * learning.batch_size
    return learning.lr_decay ** (num_seen // interval)
