"""How DAMSM learns: words against regions, sentences against pictures (Xu et al. 2017, arXiv:1711.10485)."""

from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.optim import Adam, Optimizer

from creativeai.errors import TrainingError
from creativeai.models.damsm import DamsmImageHeads, DamsmTextEncoder, ImageTrunk, Lite0Trunk, VectorAdapter
from creativeai.models.efficientnet_lite import EfficientNetLite0
from creativeai.models.inception_v3 import load_inception_v3
from creativeai.models.pixels import tensor_to_pixels
from creativeai.recipes.contract import LossParts
from creativeai.recipes.encoders.attention_grid import attention_grid
from creativeai.recipes.encoders.contract import (
    CaptionBatch,
    EncoderAddition,
    EncoderContext,
    EncoderGraph,
    EncoderRecipeEntry,
    evaluation_mode,
)
from creativeai.recipes.encoders.damsm_config import PRESETS, DamsmConfig
from creativeai.recipes.encoders.damsm_graph import DamsmTextGraph
from creativeai.recipes.encoders.damsm_guide import GUIDE_NAME, guide_bytes
from creativeai.recipes.encoders.damsm_loss import damsm_losses, word_similarities
from creativeai.text.damsm import VOCABULARY_NAME
from creativeai.text.encoder import TextEncoder, load_text_encoder
from creativeai.text.vocabulary import Vocabulary, build_vocabulary

__all__ = ["ENTRY", "DamsmNetworks", "DamsmRecipe", "image_trunk"]


class DamsmNetworks(nn.Module):
    """What is trained: the text encoder, or the layers over MiniLM's vectors, and the picture's two heads."""

    def __init__(self, text: DamsmTextEncoder | VectorAdapter, image: DamsmImageHeads) -> None:
        super().__init__()
        self.text = text
        self.image = image


class DamsmRecipe:
    """Networks and losses; see `EncoderRecipe`.

    Args:
        config: The constants.
        feature_network: Frozen ImageNet features.
        vocabulary: The words that the LSTM reads; not used with `text=minilm`.

    Raises:
        TrainingError: The file of Inception-v3's weights is missing or wrong.
        TextError: MiniLM is asked for and its files are damaged.
    """

    def __init__(
        self, config: DamsmConfig, feature_network: EfficientNetLite0, vocabulary: Vocabulary
    ) -> None:
        self.config = config
        self.vocabulary = vocabulary
        device = feature_network.head.weight.device
        self._trunk = image_trunk(config, feature_network)
        self._minilm: TextEncoder | None = None
        text: DamsmTextEncoder | VectorAdapter
        if config.text == "minilm":
            self._minilm = load_text_encoder("minilm")
            text = VectorAdapter(self._minilm.dim, config.dim)
        else:
            text = DamsmTextEncoder(len(vocabulary), config.embedding_dim, config.dim, config.dropout)
        heads = DamsmImageHeads(self._trunk.region_channels, self._trunk.global_channels, config.dim)
        self.networks = DamsmNetworks(text, heads).to(device)

    def optimizer(self) -> Optimizer:
        """Adam."""
        return Adam(self.networks.parameters(), self.config.learning_rate, self.config.adam_betas)

    def start_epoch(self, optimizer: Optimizer, epoch: int) -> None:
        """Decay the learning rate down to its lowest, and have Adam forget what it knows."""
        # As published: it decays while above the lowest, so the last decay may end a little below it.
        share = 1.0
        for _ in range(epoch):
            if share <= self.config.lowest_share:
                break
            share *= self.config.decay
        for group in optimizer.param_groups:
            group["lr"] = self.config.learning_rate * share
        if self.config.fresh_adam:
            optimizer.state.clear()

    def loss(self, batch: CaptionBatch) -> tuple[Tensor, LossParts]:
        """Word loss plus sentence loss."""
        regions, global_code = self._see(batch.images)
        words, sentence, mask = self._read(batch.captions, batch.images.device)
        losses = damsm_losses(regions, global_code, words, sentence, mask, batch.labels, self.config.gammas)
        return losses.words + losses.sentence, {"words": losses.words, "sentence": losses.sentence}

    def clip_gradients(self) -> None:
        """Bound the text encoder's gradient; the picture's heads go unbounded."""
        nn.utils.clip_grad_norm_(self.networks.text.parameters(), self.config.gradient_bound)

    def codes(self, images: Tensor, captions: list[str]) -> tuple[Tensor, Tensor]:
        """Unit vectors [B, K] of whole pictures and sentences."""
        with evaluation_mode(self.networks), torch.no_grad():
            _, global_code = self._see(images)
            _, sentence, _ = self._read(captions, images.device)
        return F.normalize(global_code.float(), dim=1), F.normalize(sentence.float(), dim=1)

    def picture(self, images: Tensor, captions: list[str]) -> NDArray[np.uint8]:
        """Where each word looks: a row for each picture [B, 3, R, R] and caption."""
        with evaluation_mode(self.networks), torch.no_grad():
            regions, _ = self._see(images)
            words, _, mask = self._read(captions, images.device)
            _, attention = word_similarities(regions.float(), words.float(), mask, self.config.gammas)
        return attention_grid(
            tensor_to_pixels(images), [self._words(caption) for caption in captions], attention.cpu().numpy()
        )

    def graph(self) -> EncoderGraph | EncoderAddition:
        """The LSTM: word ids [B, T] and lengths [B] in, word vectors and sentence vectors of length 1 out.

        Beside it in the folder: the vocabulary, and the guide by which AttnGAN's generator learns. Where the
        text comes from MiniLM, that guide alone.
        """
        guide = {GUIDE_NAME: self.guide()}
        if not isinstance(self.networks.text, DamsmTextEncoder):
            return EncoderAddition("minilm", guide)
        return EncoderGraph(
            name=ENTRY.name,
            network=DamsmTextGraph(self.networks.text),
            inputs={"ids": torch.ones(2, 3, dtype=torch.int64), "lengths": torch.tensor([3, 2])},
            varying={"ids": (0, 1), "lengths": (0,)},
            outputs=("words", "sentence"),
            settings={"max_words": str(self.config.max_words)},
            files={
                VOCABULARY_NAME: "".join(f"{word}\n" for word in self.vocabulary.words).encode(),
                **guide,
            },
        )

    def guide(self) -> bytes:
        """The file from which `load_damsm_guide` makes AttnGAN's guide."""
        adapter = self.networks.text if isinstance(self.networks.text, VectorAdapter) else None
        return guide_bytes(self.config, self.networks.image, adapter)

    def _see(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Region and picture vectors."""
        with torch.no_grad():
            region_map, vector = self._trunk(images)
        regions, global_code = self.networks.image(region_map, vector)
        return regions, global_code

    def _read(self, captions: list[str], device: torch.device) -> tuple[Tensor, Tensor, Tensor]:
        """Word vectors [B, T, D], sentence vectors [B, D] and mask [B, T]."""
        if self._minilm is not None:
            features = self._minilm.encode(captions)
            arrays = (features.words, features.sentence, features.mask)
            words, sentence, mask = (torch.from_numpy(array).to(device) for array in arrays)
            return *self.networks.text(words, sentence), mask
        rows = [self._some_ids(caption) for caption in captions]
        lengths = torch.tensor([len(row) for row in rows], device=device)
        ids = nn.utils.rnn.pad_sequence([torch.tensor(row) for row in rows], batch_first=True).to(device)
        mask = torch.arange(ids.shape[1], device=device) < lengths[:, None]
        return *self.networks.text(ids, lengths), mask

    def _some_ids(self, caption: str) -> list[int]:
        """Words of a caption: a random choice in their order while training, else the first ones."""
        ids = self.vocabulary.ids(caption) or [0]  # <end> alone, where every word is too rare
        num = self.config.max_words
        if len(ids) > num and self.networks.training:
            return [ids[place] for place in torch.randperm(len(ids))[:num].sort().values.tolist()]
        return ids[:num]

    def _words(self, caption: str) -> list[str]:
        if self._minilm is not None:
            return self._minilm.word_places(caption)
        return self.vocabulary.known_tokens(caption)[: self.config.max_words]


def image_trunk(config: DamsmConfig, feature_network: EfficientNetLite0) -> ImageTrunk:
    """The frozen picture network that a configuration asks for, on the device of the other one.

    Raises:
        TrainingError: The file of Inception-v3's weights is missing or wrong.
    """
    if config.trunk_weights is not None:
        return load_inception_v3(Path(config.trunk_weights)).to(feature_network.head.weight.device)
    return Lite0Trunk(feature_network, config.trunk_resolution)


def _build(config: DamsmConfig, context: EncoderContext) -> DamsmRecipe:
    vocabulary = build_vocabulary(context.captions, config.min_count)
    if config.text == "lstm" and len(vocabulary) < 2:
        raise TrainingError(f"no word is {config.min_count} times in the captions: lower min_count")
    return DamsmRecipe(config, context.feature_network, vocabulary)


ENTRY = EncoderRecipeEntry("damsm", "AttnGAN's word and sentence encoder (DAMSM)", PRESETS, _build)
