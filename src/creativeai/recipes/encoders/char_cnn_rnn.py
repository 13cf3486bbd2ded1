"""How the character CNN-RNN learns: by the symmetric structured joint embedding against frozen features.

Reed et al. 2016 (arXiv:1605.05395). The authors compared the text's 1024-vector with GoogLeNet's 1024
features as they are. Ours are the 1280 of EfficientNet-Lite0, so a trained linear layer brings them into the
text's space.
"""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.optim import Optimizer, RMSprop

from creativeai.models.char_cnn_rnn import TEXT_LENGTH, CharCnnRnn, Recurrence
from creativeai.models.damsm import Lite0Trunk
from creativeai.models.efficientnet_lite import POOLED_CHANNELS, EfficientNetLite0
from creativeai.recipes.contract import LossParts
from creativeai.recipes.encoders.contract import (
    CaptionBatch,
    EncoderContext,
    EncoderGraph,
    EncoderRecipeEntry,
    evaluation_mode,
)
from creativeai.recipes.encoders.joint_embedding import Compatibility, joint_embedding_loss
from creativeai.text.alphabet import UnknownCharacters, character_ids
from creativeai.text.augmentation import PLAIN, TextAugmentation

__all__ = ["ENTRY", "PRESETS", "CharCnnRnnConfig", "CharCnnRnnRecipe"]


@dataclass(frozen=True, kw_only=True)
class CharCnnRnnConfig:
    """Every constant of the recipe."""

    resolution: int = 128
    """Side of the pictures in pixels."""
    feature_resolution: int = 224
    """Side of the pictures as the feature network sees them; a multiple of 32."""
    batch_size: int = 40
    """Pictures a step; the authors drew them from as many classes."""
    recurrence: Recurrence = "gru"
    """`gru`: gated, 18 steps (1605.05396 on birds). `rnn`: ReLU, 8 steps (its flowers, and 1605.05395)."""
    conv_channels: tuple[int, int] = (384, 512)
    """Width of the first two convolutions."""
    hidden_dim: int = 512
    """Width of the third convolution and the recurrence; 256 in 1605.05395."""
    text_dim: int = 1024
    """Length of the sentence vector."""
    unknown_characters: UnknownCharacters = "port"
    """`port`: capitals are read as small letters, unknown characters as spaces. `lua`: both are left out."""
    compatibility: Compatibility = "class"
    """What a picture is compared with: the mean caption of each `class` of the batch, or each `sample`."""
    margin: float = 1.0
    """By which the right class should score above the others."""
    learning_rate: float = 7e-4
    """RMSProp's learning rate."""
    decay: float = 0.98
    """Factor of the learning rate after each epoch."""
    init_range: float = 0.08
    """All weights start uniform in plus or minus this."""
    text_augmentation: TextAugmentation = PLAIN
    """How captions are mixed and worded."""

    def __post_init__(self) -> None:
        for name, allowed in (
            ("recurrence", ("gru", "rnn")),
            ("unknown_characters", ("port", "lua")),
            ("compatibility", ("class", "sample")),
        ):
            if (value := getattr(self, name)) not in allowed:
                raise ValueError(f"{name}={value} must be one of {', '.join(allowed)}")
        sizes = ("resolution", "hidden_dim", "text_dim", "margin", "learning_rate", "decay", "init_range")
        for name in sizes:
            if getattr(self, name) <= 0:
                raise ValueError(f"{name}={getattr(self, name)} must be above zero")
        if len(self.conv_channels) != 2 or min(self.conv_channels) < 1:
            raise ValueError(f"conv_channels={self.conv_channels} must be two widths above zero")
        if self.feature_resolution % 32 or self.feature_resolution < 32:
            raise ValueError(f"feature_resolution={self.feature_resolution} must be a multiple of 32")
        if self.batch_size < 2:
            raise ValueError("batch_size must be at least 2: a caption is told from another picture's")


PRESETS = {
    "paper": CharCnnRnnConfig(resolution=256),
    "compact": CharCnnRnnConfig(
        feature_resolution=128,
        conv_channels=(192, 256),
        hidden_dim=256,
        text_dim=512,
        batch_size=64,
        text_augmentation=TextAugmentation(),
    ),
    "debug": CharCnnRnnConfig(
        resolution=32,
        feature_resolution=64,
        batch_size=4,
        conv_channels=(16, 16),
        hidden_dim=16,
        text_dim=24,
    ),
}
"""`paper` is the published network of birds; `compact` has half its widths; `debug` is for tests."""


class CharCnnRnnNetworks(nn.Module):
    """The text network, and the layer that brings the picture's features to it."""

    def __init__(self, config: CharCnnRnnConfig) -> None:
        super().__init__()
        self.text = CharCnnRnn(config.recurrence, config.conv_channels, config.hidden_dim, config.text_dim)
        self.image = nn.Linear(POOLED_CHANNELS, config.text_dim)
        for weight in self.parameters():
            nn.init.uniform_(weight, -config.init_range, config.init_range)


class CharCnnRnnRecipe:
    """Networks and loss; see `EncoderRecipe`.

    Args:
        config: The constants.
        feature_network: Frozen ImageNet features.
    """

    def __init__(self, config: CharCnnRnnConfig, feature_network: EfficientNetLite0) -> None:
        self.config = config
        self.networks = CharCnnRnnNetworks(config).to(feature_network.head.weight.device)
        self._trunk = Lite0Trunk(feature_network, config.feature_resolution)

    def optimizer(self) -> Optimizer:
        """RMSProp with Torch7's constants."""
        return RMSprop(self.networks.parameters(), self.config.learning_rate, alpha=0.99, eps=1e-8)

    def start_epoch(self, optimizer: Optimizer, epoch: int) -> None:
        """Decay the learning rate."""
        for group in optimizer.param_groups:
            group["lr"] = self.config.learning_rate * self.config.decay**epoch

    def loss(self, batch: CaptionBatch) -> tuple[Tensor, LossParts]:
        """The joint embedding's two hinge losses."""
        image_codes, text_codes = self._embed(batch.images, batch.captions)
        captions, pictures = joint_embedding_loss(
            image_codes, text_codes, batch.labels, self.config.compatibility, self.config.margin
        )
        return captions + pictures, {"choose_caption": captions, "choose_picture": pictures}

    def clip_gradients(self) -> None:
        """Nothing: the authors' code has a bound but doesn't apply it."""

    def codes(self, images: Tensor, captions: list[str]) -> tuple[Tensor, Tensor]:
        """Unit vectors [B, K] of pictures and captions."""
        with evaluation_mode(self.networks), torch.no_grad():
            image_codes, text_codes = self._embed(images, captions)
        return F.normalize(image_codes.float(), dim=1), F.normalize(text_codes.float(), dim=1)

    def picture(self, images: Tensor, captions: list[str]) -> None:
        """Nothing to see: it knows no words."""

    def graph(self) -> EncoderGraph:
        """The text network: character ids [B, 201] in, sentence vectors of length 1 out."""
        return EncoderGraph(
            name=ENTRY.name,
            network=_UnitSentence(self.networks.text),
            inputs={"ids": torch.zeros(2, TEXT_LENGTH, dtype=torch.int64)},
            varying={"ids": (0,)},
            outputs=("sentence",),
            settings={"unknown_characters": self.config.unknown_characters},
        )

    def _embed(self, images: Tensor, captions: list[str]) -> tuple[Tensor, Tensor]:
        with torch.no_grad():
            _, vector = self._trunk(images)
        unknown = self.config.unknown_characters
        ids = torch.tensor([character_ids(caption, unknown) for caption in captions], device=images.device)
        return self.networks.image(vector), self.networks.text(ids)


class _UnitSentence(nn.Module):
    def __init__(self, text: CharCnnRnn) -> None:
        super().__init__()
        self.text = text

    def forward(self, ids: Tensor) -> Tensor:
        return F.normalize(self.text(ids), dim=1)


def _build(config: CharCnnRnnConfig, context: EncoderContext) -> CharCnnRnnRecipe:
    return CharCnnRnnRecipe(config, context.feature_network)


ENTRY = EncoderRecipeEntry("char_cnn_rnn", "Character CNN-RNN sentence encoder", PRESETS, _build)
