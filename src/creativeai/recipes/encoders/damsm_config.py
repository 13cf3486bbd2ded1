"""The constants of DAMSM's training."""

from dataclasses import dataclass
from typing import Literal

from creativeai.recipes.encoders.damsm_loss import Gammas
from creativeai.text.augmentation import PLAIN, TextAugmentation

__all__ = ["PRESETS", "DamsmConfig"]


_CHECKED_APART = {
    "text",
    "trunk",
    "trunk_weights",
    "adam_betas",
    "dropout",
    "fresh_adam",
    "text_augmentation",
}


@dataclass(frozen=True, kw_only=True)
class DamsmConfig:
    """Every constant of the recipe."""

    resolution: int = 128
    """Side of the pictures in pixels."""
    batch_size: int = 48
    """Pictures a step, told from each other."""
    text: Literal["lstm", "minilm"] = "lstm"
    """Where word and sentence vectors come from: `lstm` is trained and exported; `minilm` is frozen, knows
    words that no caption has, and only gets a linear layer."""
    embedding_dim: int = 300
    """Length of the words' embeddings."""
    dim: int = 256
    """Length of the vectors of words, sentence, regions and picture."""
    dropout: float = 0.5
    """Dropped share of the embeddings."""
    max_words: int = 18
    """Words of a caption: in training a random choice of so many, later the first ones."""
    min_count: int = 1
    """How often a word must occur in the captions to be in the vocabulary."""
    trunk: Literal["lite0", "inception_v3"] = "lite0"
    """The frozen picture network; the paper's is `inception_v3`, for which `trunk_weights` must be given."""
    trunk_weights: str | None = None
    """File with Inception-v3's weights: torchvision's, or a published image encoder."""
    trunk_resolution: int = 272
    """Side of the pictures as Lite0 sees them, a multiple of 16, the width of a region. Inception-v3 always
    sees 299 px; there are 17 x 17 regions either way, as in the paper."""
    gamma_attention: float = 4.0
    """gamma 1: how sharply a word attends to regions."""
    gamma_words: float = 5.0
    """gamma 2: how much a caption's best words count above the others."""
    gamma_batch: float = 10.0
    """gamma 3: how sharply to choose among the batch."""
    learning_rate: float = 2e-3
    """Adam's learning rate."""
    adam_betas: tuple[float, float] = (0.5, 0.999)
    """Adam's decay rates."""
    decay: float = 0.98
    """Factor of the learning rate after each epoch."""
    lowest_share: float = 0.1
    """The learning rate decays until it is this share of the first one."""
    gradient_bound: float = 0.25
    """Largest norm of the text encoder's gradient."""
    fresh_adam: bool = True
    """Whether Adam forgets its averages after each epoch: the published code makes a new one."""
    text_augmentation: TextAugmentation = PLAIN
    """How captions are mixed and worded."""

    def __post_init__(self) -> None:
        for name, allowed in (("text", ("lstm", "minilm")), ("trunk", ("lite0", "inception_v3"))):
            if (value := getattr(self, name)) not in allowed:
                raise ValueError(f"{name}={value} must be one of {', '.join(allowed)}")
        if (self.trunk == "inception_v3") != (self.trunk_weights is not None):
            raise ValueError(
                "trunk=inception_v3 and trunk_weights (its file) go together: give both, or leave out both"
            )
        for name, value in vars(self).items():
            if name in _CHECKED_APART:
                continue
            if value <= 0:
                raise ValueError(f"{name}={value} must be above zero")
        if not 0 <= self.dropout < 1:
            raise ValueError(f"dropout={self.dropout} must be from 0 to below 1")
        if not 0 <= min(self.adam_betas) <= max(self.adam_betas) < 1:
            raise ValueError(f"adam_betas={self.adam_betas} must be from 0 to below 1")
        if self.dim % 2:
            raise ValueError(f"dim={self.dim} must be even: each direction of the LSTM gives half of it")
        if self.trunk_resolution % 16 or self.trunk_resolution < 32:
            raise ValueError(f"trunk_resolution={self.trunk_resolution} must be a multiple of 16 from 32")
        if self.batch_size < 2:
            raise ValueError("batch_size must be at least 2: a caption is told from another picture's")

    @property
    def gammas(self) -> Gammas:
        """The three gammas together."""
        return Gammas(self.gamma_attention, self.gamma_words, self.gamma_batch)


PRESETS = {
    "paper": DamsmConfig(resolution=256),
    "compact": DamsmConfig(trunk_resolution=128, fresh_adam=False, text_augmentation=TextAugmentation()),
    "debug": DamsmConfig(
        resolution=32, batch_size=4, embedding_dim=12, dim=16, max_words=6, trunk_resolution=64
    ),
}
"""`paper` has AttnGAN's constants for birds, on Lite0 unless Inception-v3's weights are given; `compact` sees
8 x 8 regions; `debug` is for tests."""
